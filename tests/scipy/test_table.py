"""What is true of every op of SciPy's functions; none is named here, but for what is refused."""

import os

import numpy as np
import pytest

from autograd_core import Tensor, explain, grad, vjp
from autograd_core.errors import RuleError
from autograd_core.op import Op, op, ufunc
from autograd_core.replay import replay
from autograd_core.testing.calls import calls, examples_of, make_call, random_numbers, shapes_of, size_of, special_calls
from autograd_core.testing.properties import check_call

EVERY = 1 if "THOROUGH" in os.environ else 8


@pytest.mark.parametrize("part", range(3))
def test_every_entry_has_right_gradients_of_both_orders(in_the_table, part):
    for name in [*in_the_table][part::3]:
        # The first examples with 0-dimensional and empty arrays, and of the others each eighth.
        given = [call for call in calls([name]) if call.argnums]
        verdicts = {check_call(call).verdict for call in [*given[:3], *given[3::EVERY]]}
        assert "pass" in verdicts, name
        reached = {n for call in given for n in call.argnums}
        assert reached == {n for n, rule in enumerate(in_the_table[name].rules) if rule is not None}, name


@pytest.mark.thorough
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_every_entry_is_right_at_ties_kinks_edges_and_whole_numbers(in_the_table):
    names = [name for name, entry in in_the_table.items() if (entry.arity or 0) < 3]
    assert {check_call(call).verdict for call in special_calls(names)} <= {"pass", "inconclusive"}


def varied(call):
    """A call as a function of what has a derivative."""

    def f(*values):
        args = list(call.args)
        for n, value in zip(call.argnums, values, strict=True):
            args[n] = value
        return call(*args)

    return f, [call.args[n] for n in call.argnums]


def value_and_gradients(call):
    f, xs = varied(call)
    value, pull = vjp(f, *xs)
    return [value, *pull(np.full_like(value, 0.5) if np.ndim(value) else value.dtype.type(0.5))]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_every_entry_replays_to_the_last_bit(in_the_table):
    for name, entry in in_the_table.items():
        given = examples_of(entry)[0]
        count = size_of(shapes_of(entry, given))
        made = [make_call(name, given, random_numbers(count, np.random.default_rng(n))) for n in range(5)]
        f, _ = varied(made[0])

        def both(g, *xs, f=f):
            value, pull = vjp(f, *xs)
            return value, pull(g)

        again = replay(both)
        for call in made:
            xs = [call.args[n] for n in call.argnums]
            g = np.cos(np.arange(np.size(f(*xs)))).reshape(np.shape(f(*xs)))
            one, other = both(g, *xs), again(g, *xs)
            for a, b in zip((one[0], *one[1]), (other[0], *other[1]), strict=True):
                assert np.asarray(a).tobytes() == np.asarray(b).tobytes(), name
        assert again.programs, again.show()


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_every_entry_takes_float16_and_gives_its_gradient_back_in_it(in_the_table):
    for name, entry in in_the_table.items():
        if getattr(entry.function, "__module__", "").endswith("linalg"):
            continue  # LAPACK has no float16, and says so
        call = next(call for call in calls([name]) if call.argnums and np.size(call.args[call.argnums[0]]) > 1)
        f, xs = varied(call)
        half = [np.asarray(x, np.float16) for x in xs]
        leaves = [Tensor(x) for x in half]
        np.sum(f(*leaves)).backward()
        exact = [Tensor(x.astype(float)) for x in half]
        np.sum(f(*exact)).backward()
        for found, right in zip(leaves, exact, strict=True):
            assert found.grad.dtype == np.float16, name
            np.testing.assert_allclose(found.grad, right.grad, rtol=4e-3, atol=4e-3, err_msg=name)


def test_every_entry_is_explained(in_the_table):
    for name, entry in in_the_table.items():
        call = next(call for call in calls([name]) if call.argnums)
        leaves = {n: Tensor(call.args[n], name="abcdefg"[n]) for n in call.argnums}
        result = np.sum(call(*(leaves.get(n, a) for n, a in enumerate(call.args))))
        text = str(explain(result))
        assert "Backward" in text, name
        assert all(formula for formula, rule in zip(entry.formulas, entry.rules, strict=True) if rule), name


def test_an_argument_without_a_rule_is_refused_by_name(in_the_table):
    refused = 0
    for name, entry in in_the_table.items():
        for n, rule in enumerate(entry.rules):
            call = next(call for call in calls([name]) if call.argnums)
            if rule is None:
                args = [Tensor(float(np.mean(a))) if i == n else a for i, a in enumerate(call.args)]
                with pytest.raises(
                    RuleError, match=rf"{name} has no gradient rule for its argument '{entry.inputs[n]}'"
                ):
                    entry(*args)
                entry(*(a.detach() if isinstance(a, Tensor) else a for a in args))  # a number is fine
                refused += 1
    assert refused > 10


@pytest.mark.usefixtures("the_registry_as_it_was")
def test_an_op_of_your_own_for_a_function_of_scipys_answers_for_it_whichever_was_first(judge):
    special = judge("scipy.special")
    mine = ufunc(special.gammaln, r"\ell(x)", (lambda g, z, x: g * 7.0, "7"))
    assert grad(special.gammaln)(2.0) == 7.0
    assert isinstance(mine, Op)
    gammaln = __import__("autograd_core.scipy.special", fromlist=["_"]).gammaln
    assert gammaln is not mine
    assert grad(gammaln)(1.0) == pytest.approx(-np.euler_gamma)

    @op("x")
    def gamma(x):  # a name that SciPy has, too
        return x

    assert gamma.name == "gamma"
