"""The strategies draw what they say, and shrink to the simplest of it."""

import numpy as np
import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

from autograd_core import REGISTRY, Domain, Tensor, vjp
from autograd_core.domain import NONZERO, POSITIVE
from autograd_core.testing import (
    arrays_for,
    broadcastable_shapes,
    conv_configurations,
    einsum_specs,
    indices,
    programs,
    registry_calls,
    shapes,
    tensors,
)

DOMAINS = [Domain(), POSITIVE, NONZERO, Domain(-1, 1), Domain(high=2.0), Domain(kinks=(np.pi / 2,), period=np.pi)]


@pytest.mark.parametrize("domain", DOMAINS, ids=str)
def test_arrays_lie_in_their_domain_clear_of_edges_kinks_and_each_other(domain):
    @given(arrays_for(domain))
    def holds(x):
        assert np.all((x > domain.low) & (x < domain.high))
        for kink in domain.kinks:
            away = np.abs(x - kink)
            if domain.period:
                away = np.minimum(away % domain.period, -away % domain.period)
            assert np.all(away > 1e-3)
        assert np.all(np.diff(np.sort(x, axis=None)) > 1e-4)

    holds()


def test_arrays_for_an_op_are_arguments_that_it_takes():
    @given(arrays_for(REGISTRY["divide"]))
    def holds(xs):
        x, y = xs
        assert np.all(y != 0)
        np.broadcast_shapes(x.shape, y.shape)

    holds()
    with pytest.raises(TypeError, match="registry_calls"):
        arrays_for(REGISTRY["concatenate"])


def test_the_simplest_array_is_found():
    assert find(arrays_for(Domain(), (3,)), lambda x: True).tolist() == [0.0, 1 / 32, 2 / 32]


@given(shapes(), broadcastable_shapes(3), tensors())
def test_shapes_and_tensors(shape, three, tensor):
    np.zeros(shape)
    np.broadcast_shapes(*three)
    assert isinstance(tensor, Tensor)


def test_size_zero_and_no_axes_are_drawn():
    assert find(shapes(), lambda s: 0 in s) == (0,)
    assert find(shapes(), lambda s: s == ()) == ()


@given(shapes().flatmap(lambda shape: st.tuples(st.just(shape), indices(shape))))
def test_any_index_is_one_that_numpy_takes(drawn):
    shape, index = drawn
    np.zeros(shape)[index]


def test_repeated_positions_are_drawn():
    index = find(
        indices((3,)),
        lambda i: isinstance(i, tuple) and i and isinstance(i[0], np.ndarray) and len(set(i[0].flat)) < i[0].size,
    )
    assert np.zeros(3)[index].size > 1


@given(einsum_specs())
def test_any_einsum_is_one_that_numpy_takes(spec):
    np.einsum(spec.subscripts, *(np.ones(s) for s in spec.shapes))


@given(conv_configurations())
def test_any_convolution_has_a_result(c):
    window = [(w - 1) * d + 1 for w, d in zip(c.kernel[:-2], c.dilation, strict=True)]
    assert all(n >= w for n, w in zip(c.x[1:-1], window, strict=True))
    assert c.x[-1] == c.kernel[-2] * c.groups
    assert c.kernel[-1] % c.groups == 0


# -- programs ----------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # which programs are drawn depends on which ops there are
@settings(deadline=None)
@given(programs())
def test_a_program_is_the_python_that_it_prints(program):
    namespace = {"np": np}
    exec(program.source, namespace)
    # np.f(x) and the op f may take different paths through NumPy, which differ in the last place.
    np.testing.assert_allclose(namespace["program"](*program.inputs), program(*program.inputs), rtol=1e-13)


@settings(deadline=None)
@given(programs())
def test_every_statement_of_a_program_matters_to_its_result(program):
    used = {operand for s in program.statements for operand in s.operands}
    assert used >= set(range(len(program.inputs) + len(program.statements) - 1))


@settings(deadline=None)
@given(programs(["eigenvectors", "left_vectors", "orthogonal_factor", "multiply"]))
def test_a_program_keeps_away_from_where_a_statement_has_no_derivative(program):
    _, pull = vjp(program, *program.inputs)
    assert all(np.isfinite(g).all() for g in pull(np.ones(program(*program.inputs).shape)))


def test_programs_share_broadcast_reduce_and_reshape():
    def uses(p):
        return [o for s in p.statements for o in s.operands if isinstance(o, int)]

    def shape_changes(p, *names):
        return any(s.op in names for s in p.statements)

    for seen in (
        lambda p: len(uses(p)) > len(set(uses(p))),
        lambda p: len({x.shape for x in p.inputs}) > 1,
        lambda p: shape_changes(p, "sum", "mean"),
        lambda p: shape_changes(p, "reshape", "transpose", "ravel", "expand_dims", "swapaxes", "flip"),
    ):
        find(programs(), seen, settings=settings(phases=[Phase.generate], database=None, max_examples=1000))


def test_a_program_shrinks_to_the_smallest_graph():
    smallest = find(programs(), lambda p: any(s.op == "exp" for s in p.statements))
    assert smallest.source == "def program(x0):\n    v0 = np.exp(x0)\n    return v0"
    assert smallest.inputs[0].tolist() == 0.0


def test_a_call_prints_as_itself():
    call = find(registry_calls(["sum"]), lambda c: c.params.get("axis") == 0 and c.args[0].shape == (2, 3))
    assert repr(call).startswith("sum(np.array([[")
    namespace = {}
    exec(call.source, namespace)
    assert np.array_equal(namespace["sum"](*call.args), np.sum(call.args[0], axis=0))


@pytest.mark.parametrize(
    ("strategy", "kind", "words"),
    [
        (lambda: arrays_for("tanh"), TypeError, r"REGISTRY\['tanh'\], or a Domain, got 'tanh'"),
        (lambda: tensors(shape=(-1,)), TypeError, r"lengths from 0 on, or a strategy of such, got \(-1,\)"),
        (lambda: registry_calls("tanh"), TypeError, r"a list of names of ops, as \['tanh'\], got 'tanh'"),
        (
            lambda: registry_calls(["tahn"]),
            ValueError,
            r"names of ops in the table, got 'tahn'; did you mean .*tanh",
        ),
        (lambda: programs(["tahn"]), ValueError, r"ops in the table, got 'tahn'"),
        (lambda: arrays_for(REGISTRY["concatenate"]), TypeError, r"use registry_calls\(\['concatenate'\]\)"),
        (lambda: shapes(max_dims=-1), TypeError, r"max_dims=-1"),
        (lambda: broadcastable_shapes(0), TypeError, r"num_shapes=0"),
        (lambda: conv_configurations(axes=0), ValueError, r"spatial axes there are, a whole number from 1 on, got 0"),
        (lambda: einsum_specs(max_operands=0), TypeError, r"max_size=0"),
        (lambda: indices((-1,)), TypeError, r"shape=\(-1,\)"),
    ],
)
def test_a_strategy_says_what_it_cannot_draw(strategy, kind, words):
    with pytest.raises(kind, match=words):
        find(strategy(), lambda drawn: True)
