"""Each public function of NumPy is recorded, gives a plain result, or is refused by name: what its row says it does."""

import contextlib
import functools
import importlib.util
import inspect
import io
import re
import warnings
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import overrides

from autograd_core import GradientLossError, Tensor
from autograd_core.dispatch import NUMPY, OUT_OF_SCOPE, WITHOUT_DERIVATIVE, full_name
from autograd_core.ops.refused import UNASKED
from autograd_core.testing.calls import entries, examples_of, make_call, random_numbers, shapes_of, size_of

DOCS = Path(__file__).parent.parent.parent / "docs"
X, M = np.array([0.5, -1.25, 2.0]), np.array([[1.5, 0.25], [-0.75, 2.0]])


@pytest.fixture(scope="module")
def page():
    spec = importlib.util.spec_from_file_location("table_of_numpy", DOCS / "table_of_numpy.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def rows(page):
    """Each function with what becomes of a Tensor in it."""
    return [(f"{module}.{name}", f, page.fate(module, name, f)[0]) for module, name, f in page.functions()]


def test_every_public_function_has_a_row(rows):
    assert [name for name, _, kind in rows if not kind] == []
    assert len(rows) > 400


# What NumPy asks by an argument like=, which a Tensor is never given as.
LIKE = {
    f"np.{name}" for name in " ".join(UNASKED.values()).split() if "like" in (getattr(np, name, None).__doc__ or "")
}


def test_no_function_that_asks_tensors_is_left_out(rows):
    asking = overrides.get_overridable_numpy_array_functions() | overrides.get_overridable_numpy_ufuncs()
    homes = {"numpy", "numpy.linalg", "numpy.fft"}
    names = {full_name(f) for f in asking if (getattr(f, "__module__", None) or "numpy") in homes}
    assert {n for n in names if n.startswith("np.")} - {
        full_name(f) for _, f, kind in rows if kind != "unasked"
    } - LIKE == set()
    assert len(names) > 300
    assert {name for name, f, kind in rows if kind == "unasked" and f in asking} <= LIKE


def test_no_row_is_for_nothing_and_none_says_two_things():
    assert not WITHOUT_DERIVATIVE & NUMPY.keys()
    assert not {f for f in OUT_OF_SCOPE if f in NUMPY or f in WITHOUT_DERIVATIVE}
    for name in " ".join(UNASKED.values()).split():
        module, _, last = name.rpartition(".")
        function = getattr(getattr(np, module) if module else np, last, None)
        assert function not in NUMPY
        assert function not in WITHOUT_DERIVATIVE


def test_the_page_is_the_dispatchers(page):
    written, now = (DOCS / "numpy.md").read_text(encoding="utf-8"), page.table()
    line = re.compile(r"of NumPy [\d.]+\.")
    if line.search(written)[0] != line.search(now)[0]:
        pytest.skip("it is written with another version of NumPy, as the site is")
    assert written == now, "run: python docs/table_of_numpy.py"


# -- recorded --------------------------------------------------------------------------------------------------

# Calls of what no example of an entry calls: NumPy takes another form, or the op has parameters of its own.
CALLS = {
    np.clip: lambda f, x: f(x, -1.0, 1.0),
    np.concatenate: lambda f, x: f((x, x)),
    np.copy: lambda f, x: f(x),
    np.divmod: lambda f, x: f(x, 0.75),
    np.imag: lambda f, x: f(x * (1 + 2j)),
    np.einsum: lambda f, x: f("i,i->i", x, x),
    np.reshape: lambda f, x: f(x, (3, 1)),
    np.select: lambda f, x: f([np.array([True, False, True])], [x]),
    np.where: lambda f, x: f(np.array([True, False, True]), x, 2 * x),
    getattr(np, "astype", None): lambda f, x: f(x, np.float64),
}


def flat(result):
    return [r for part in result for r in flat(part)] if isinstance(result, list | tuple) else [result]


def call_of(function):
    """A call of NumPy's ``function`` with arrays, as a function of some of them, and these."""
    special = next((call for key, call in CALLS.items() if key is function), None)
    if special is not None:
        return functools.partial(special, function), [X]
    for name, entry in entries():
        if function not in entry.numpy and NUMPY[function] is not entry.function:
            continue
        for given in examples_of(entry):
            drawn = random_numbers(size_of(shapes_of(entry, given)), np.random.default_rng(1))
            call = make_call(name, given, drawn)
            places = call.argnums or [n for n, a in enumerate(call.args) if getattr(a, "dtype", None) == np.float64]
            values = [call.args[n] for n in places]
            if values and all(np.size(v) for v in flat(values)):

                def called(*values, call=call, places=places):
                    args = list(call.args)
                    for n, value in zip(places, values, strict=True):
                        args[n] = value
                    return function(*args, **call.params)

                with contextlib.suppress(TypeError, ValueError, IndexError):
                    called(*values)
                    return called, values
    return None


def lifted(value):
    return [lifted(v) for v in value] if isinstance(value, list | tuple) else Tensor(value)


def zeros(value):
    return [zeros(v) for v in value] if isinstance(value, list | tuple) else np.zeros_like(value)


def moved(value, by, rng):
    if isinstance(value, list | tuple):
        return [moved(v, by, rng) for v in value]
    return np.asarray(value) + by * rng.normal(size=np.shape(value))


def weighed(result):
    """All numbers of a result, added up with different weights."""
    numbers = [r for r in flat(result) if isinstance(r, Tensor) or np.asarray(r).dtype.kind in "fc"]
    parts = [part for r in numbers for part in ([np.real(r), np.imag(r)] if r.dtype.kind == "c" else [r])]
    return sum(np.sum(r * np.cos(np.arange(np.size(r)) + 1.0).reshape(np.shape(r))) for r in parts)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_what_is_recorded_gives_tensors_whose_gradient_is_that_of_differences(rows):
    recorded = [(name, f) for name, f, kind in rows if kind in ("rule", "composed")]
    step, wrong = 1e-6, []
    for name, function in recorded:
        f, values = call_of(function) or pytest.fail(f"no example calls {name}")
        values = moved(values, 0.003, np.random.default_rng(1))  # away from jumps and ties
        tensors = lifted(values)
        total = weighed(f(*tensors))
        assert isinstance(total, Tensor), name
        total.backward()
        ends = [weighed(f(*moved(values, by, np.random.default_rng(0)))) for by in (step, -step)]
        directions = flat(moved(zeros(values), 1.0, np.random.default_rng(0)))
        slope = sum(np.sum(d * t.grad) for d, t in zip(directions, flat(tensors), strict=True) if t.grad is not None)
        expected = (ends[0] - ends[1]) / (2 * step)
        if not np.isclose(expected, slope, rtol=1e-5, atol=1e-6):
            wrong.append((name, slope, expected))
    assert wrong == []
    assert len(recorded) > 200


# -- plain -----------------------------------------------------------------------------------------------------

WHOLE = np.array([1, 2, 0])
PLAIN = {
    "array_equal array_equiv allclose isclose equal not_equal less less_equal greater greater_equal logical_and "
    "logical_or logical_xor isin in1d shares_memory may_share_memory searchsorted": (X, X),
    "bitwise_and bitwise_or bitwise_xor left_shift right_shift gcd lcm bitwise_left_shift bitwise_right_shift": (
        WHOLE,
        WHOLE,
    ),
    "invert bitwise_not bitwise_invert bitwise_count bincount": (WHOLE,),
    "packbits unpackbits": (WHOLE.astype(np.uint8),),
    "argpartition": (X, 1),
    "digitize histogram": (X, [0.0, 1.0, 3.0]),
    "histogram_bin_edges": (X, 3, (0.0, 4.0)),
    "full_like": (X, 2.0),
    "lexsort": ((X, X),),
    "ravel_multi_index": ((WHOLE, WHOLE), (3, 3)),
    "unravel_index": (WHOLE, (3, 3)),
    "tril_indices_from triu_indices_from diag_indices_from matrix_rank": (M,),
    "can_cast": (X.dtype, np.float64),
    "broadcast_shapes": ((2, 1), (3,)),
    "indices": ((2, 3),),
    "mask_indices": (3, np.triu),
    "einsum_path": ("i,i", X, X),
    "save savez savez_compressed savetxt": (io.BytesIO, X),
}


def test_what_is_plain_gives_no_tensor(rows):
    arguments = {name: args for names, args in PLAIN.items() for name in names.split()}
    for name, function, kind in rows:
        if kind != "plain":
            continue
        given = arguments.get(name.rpartition(".")[2], (X,))
        given = [
            io.BytesIO()
            if a is io.BytesIO
            else tuple(map(Tensor, a))
            if isinstance(a, tuple) and isinstance(a[0], np.ndarray)
            else Tensor(a)
            if isinstance(a, np.ndarray)
            else a
            for a in given
        ]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = function(*given)
        assert not [r for r in flat(result) if isinstance(r, Tensor)], name
        assert all(t.grad is None for t in flat(given) if isinstance(t, Tensor)), name


# -- refused, and never asked ------------------------------------------------------------------------------------

# What tells what to do in an error.
WAYS = r"write |use |pass t\.data|on t\.data"
ARGUMENTS = {"put_along_axis": (M, np.zeros((1, 2), int), M, 0), "place": (X, X > 0, X), "putmask": (X, X > 0, X)}


def test_what_is_refused_is_told_by_name_and_with_what_to_write(rows):
    told = []
    for name, function, kind in rows:
        if kind == "refused":
            try:
                parameters = inspect.signature(function).parameters.values()
                n = sum(p.default is p.empty and p.kind < p.VAR_POSITIONAL for p in parameters)
            except ValueError:  # written in C, before NumPy 2.4: those of dates
                n = 2
            given = ARGUMENTS.get(name.rpartition(".")[2], (M,) * n)
            with pytest.raises(TypeError, match=WAYS) as error:
                function(*(Tensor(a) if isinstance(a, np.ndarray) and a.dtype.kind == "f" else a for a in given))
            assert str(error.value).startswith(f"{full_name(function)} on Tensors is out of scope: "), name
            told.append(name)
    assert len(told) > 20


@pytest.mark.filterwarnings("ignore:the matrix subclass")
def test_what_makes_plain_arrays_refuses_a_tensor_that_records(rows):
    group = next(iter(UNASKED.values())).split()
    arguments = {
        "full": (2, Tensor(1.0)),
        "fromiter": (Tensor(X), float),
        "bmat": ([[Tensor(M)]],),
        "arange": (Tensor(2.0),),
    }
    for name in group:
        with pytest.raises((TypeError, ValueError)) as error:
            getattr(np, name)(*arguments.get(name, (Tensor(X),)))
        chain = (error.value, error.value.__cause__)
        assert any(isinstance(e, GradientLossError) and re.search(WAYS, str(e)) for e in chain), name
    assert {f"np.{name}" for name in group} <= {name for name, _, kind in rows if kind == "unasked"}
