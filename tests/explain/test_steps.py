"""What people are shown is what ran."""

import gc
import math

import numpy as np
import pytest

import nn
from autograd_core import REGISTRY, GraphError, Tensor, draw, explain, sigmoid, softmax
from autograd_core.explain.formula import number
from autograd_core.graph import ancestors


def said(steps, i):
    """A step in one sentence."""
    return "".join(map(str, steps.narration[i].sentence))


def lecture():
    x, y, z = Tensor(-2.0), Tensor(5.0), Tensor(-4.0)
    q = x + y
    f = q * z
    return explain(f)


def test_a_step_prints_its_numbers_and_not_their_types():
    first, *_, last = lecture()
    assert repr(first) == "<forward: op='add', name='q', inputs=('x', 'y'), output='q', value=3>"
    assert repr(last) == (
        "<backward: op='add', name='y', inputs=('x', 'y'), output='q', value=5, upstream=-4, local=1, "
        "contribution=-4, total=-4>"
    )
    assert "value=[100×100, all 1]" in repr(explain((Tensor(np.ones((100, 100))) * 1.0).sum())[0])


def test_the_first_example_of_every_lecture():
    steps = lecture()
    assert [(s.kind, s.name, s.inputs, s.value) for s in steps[:2]] == [
        ("forward", "q", ("x", "y"), 3),
        ("forward", "f", ("q", "z"), -12),
    ]
    assert [(s.name, s.upstream, s.local, s.contribution, s.total) for s in steps[2:]] == [
        ("q", 1, -4, -4, -4),
        ("z", 1, 3, 3, 3),
        ("x", -4, 1, -4, -4),
        ("y", -4, 1, -4, -4),
    ]
    assert steps.gradients == {"f": 1, "q": -4, "x": -4, "y": -4, "z": 3}


def test_the_transcript_reads_like_the_blackboard():
    lines = [" ".join(line.split()) for line in lecture().to_text().splitlines()]
    for line in (
        "q = x + y = -2 + 5 = 3",
        "f = q · z = 3 · (-4) = -12",
        "∂f/∂q: 1 × (-4) = -4 with ∂f/∂q = z",
        "∂f/∂x: -4 × 1 = -4 with ∂q/∂x = 1",
        "∂f/∂x = -4.0",
        "∂f/∂y = -4.0",
        "∂f/∂z = 3.0",
    ):
        assert line in lines


def neuron(activation):
    values = {"w0": 2, "w1": -3, "w2": -3, "x0": -1, "x1": -2}
    w0, w1, w2, x0, x1 = (Tensor(value, name=name) for name, value in values.items())
    return explain(activation(w0 * x0 + w1 * x1 + w2)).gradients


@pytest.mark.parametrize("activation", [sigmoid, lambda s: 1 / (1 + np.exp(-s))])
def test_the_sigmoid_neuron_has_its_published_gradients(activation):
    gradients = neuron(activation)
    published = {
        "x0": 0.3932238664829637,
        "x1": -0.5898357997244456,
        "w0": -0.19661193324148185,
        "w1": -0.3932238664829637,
        "w2": 0.19661193324148185,
    }
    for name, expected in published.items():
        assert gradients[name] == pytest.approx(expected, rel=1e-14)


def test_explaining_changes_no_gradient():
    x = Tensor(2.0)
    f = x * x
    f.backward()
    explain(f)
    f.explain()
    assert x.grad == 4
    f.backward()
    assert x.grad == 8


def test_the_steps_hold_exactly_what_backward_computes():
    rng = np.random.default_rng(0)
    x, w, b = (Tensor(rng.normal(size=s), name=n) for s, n in (((4, 3), "x"), ((3, 2), "w"), ((2,), "b")))
    loss = np.mean(np.tanh(x @ w + b) ** 2)
    steps = explain(loss)
    loss.backward()
    for t in (x, w, b):
        assert np.array_equal(steps.gradients[t.name], t.grad)
        last = [s for s in steps if s.name == t.name][-1]
        assert np.array_equal(last.total, t.grad)


def test_each_local_derivative_times_its_upstream_is_the_contribution():
    x, y = Tensor([1.0, -2.0]), Tensor([[3.0], [0.5]])
    f = np.sum(np.maximum(x * y, x / y) - np.sin(x) ** 3)
    local = [s for s in explain(f) if s.kind == "backward" and s.local is not None]
    assert len(local) > 8
    for s in local:
        np.testing.assert_allclose(s.upstream * s.local, s.contribution, rtol=1e-14)


def test_what_is_shown_as_a_product_is_one_for_every_op():
    """Whatever the op: where a local derivative is given, upstream × local is the contribution."""
    for name, o in REGISTRY.items():
        for example in o.examples or ():
            rng = np.random.default_rng(0)
            drawn = [rng.uniform(0.1, 0.9, i) if isinstance(i, tuple) else np.array(i) for i in example.inputs]
            leaves = [Tensor(v, name=f"leaf{i}") if v.dtype.kind == "f" else v for i, v in enumerate(drawn)]
            if not any(isinstance(leaf, Tensor) for leaf in leaves):
                continue
            out = o(*leaves, **example.params)
            with np.errstate(all="ignore"):
                steps = explain(out, rng.normal(size=out.shape), names={})
            for s in steps:
                if s.kind == "backward" and s.local is not None and np.size(s.local):
                    upstream = np.asarray(s.upstream)
                    if upstream.ndim and upstream.shape != np.shape(s.local):  # a reduction: its axes are back
                        axes = example.params.get("axis", ())
                        upstream = upstream if upstream.ndim == np.ndim(s.local) else np.expand_dims(upstream, axes)
                    np.testing.assert_allclose(upstream * s.local, s.contribution, rtol=1e-4, err_msg=name)


@pytest.mark.parametrize("name", [name for name, o in REGISTRY.items() if o.examples])
def test_a_local_derivative_is_a_factor_for_every_upstream_gradient_or_for_none(name):
    """An even upstream gradient hides what is no product: of ones a softmax hands back zeros, whatever its Jacobian."""
    o = REGISTRY[name]
    rng = np.random.default_rng(1)
    for example in o.examples:
        drawn = [rng.uniform(0.1, 0.9, i) if isinstance(i, tuple) else np.array(i) for i in example.inputs]
        leaves = [Tensor(v, name=f"leaf{i}") if v.dtype.kind == "f" else v for i, v in enumerate(drawn)]
        if not any(isinstance(leaf, Tensor) for leaf in leaves):
            continue
        out = o(*leaves, **example.params)
        told = []
        with np.errstate(all="ignore"):
            for g in (np.ones(out.shape), np.zeros(out.shape), rng.normal(size=out.shape)):
                steps = explain(out, g, names={})
                told.append([s.local for s in steps if s.kind == "backward"])
        for even, none, uneven in zip(*told, strict=True):
            assert (even is None) == (none is None) == (uneven is None), example
            if even is not None:
                np.testing.assert_array_equal(even, uneven)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_a_jacobian_is_not_called_a_factor_by_chance(dtype):
    x = Tensor(np.array([1.0, 2.0, -1.0], dtype), name="x")
    assert explain(np.sum(softmax(x)), names={})[-1].local is None  # the gradient is zero, and no derivative is
    assert explain(x[::-1], np.array([1, 2, 1], dtype), names={})[-1].local is None  # the same read from either end
    assert explain(np.cumsum(x) * 0.0, np.ones(3, dtype), names={})[-1].local is None
    mean = explain(np.mean(x * np.ones((4, 1), dtype), axis=0), np.ones(3, dtype), names={})
    assert next(s for s in mean if s.op == "mean" and s.kind == "backward").local is not None


def story(f):
    steps = explain(f, names={})
    return [said(steps, i) for i in range(len(steps))]


def test_what_is_no_product_is_told_as_what_it_is():
    x = Tensor([1.0, 2.0, -1.0], name="x")
    told = story(np.sum(softmax(x)[1:] * np.array([2.0, 3.0])))
    assert any("∂f/∂v2 with each element back in its place" in t for t in told)
    assert any(t.startswith("∂f/∂x receives Σ_i ∂f/∂v1_i × (v1_i · ([i = j] - v1_j))") for t in told)
    assert any(t.startswith("v2 = v1[i] (index=1:), of shape 2: ") for t in told)


def test_words_in_a_formula_stay_words():
    i = Tensor(np.array([1.0, np.nan]), name="i")
    assert any(t.startswith("v1 = i if finite, of shape 2") for t in story(np.sum(np.nan_to_num(i))))


def test_matrices_show_where_the_transposes_come_from():
    x, w = Tensor(np.ones((4, 3)), name="x"), Tensor(np.ones((3, 2)), name="w")
    told = " ".join(story(np.sum(x @ w)))
    assert "4×2 @ (3×2)ᵀ = 4×2 @ 2×3 gives 4×3, as x has" in told
    assert "(4×3)ᵀ @ 4×2 = 3×4 @ 4×2 gives 3×2, as w has" in told
    v = Tensor(np.ones(3), name="v")
    told = " ".join(story(np.sum(x @ v)))
    assert "4×1 @ (3×1)ᵀ = 4×1 @ 1×3 gives 4×3, as x has" in told
    assert "(4×3)ᵀ @ 4×1 = 3×4 @ 4×1 gives 3×1, a column as v is" in told


def test_undoing_broadcasting_is_a_step_of_its_own():
    x, b = Tensor(np.ones((4, 2))), Tensor(np.zeros(2))
    summed = [s for s in explain((x + b).sum()) if s.kind == "unbroadcast"]
    assert [(s.name, s.upstream.shape, s.contribution.tolist()) for s in summed] == [("b", (4, 2), [4, 4])]


def test_a_value_used_more_than_once_shows_its_running_sum():
    a = Tensor(3.0)
    f = a * a
    totals = [(s.contribution, s.total) for s in explain(f) if s.name == "a"]
    assert totals == [(3, 3), (3, 6)]
    assert "in sum 6" in explain(f).to_text()


def test_names_are_given_ones_then_variables_then_numbered():
    x = Tensor(1.0, name="given")
    variable = x * 2
    steps = explain(np.exp(variable + 1) * 3)
    assert [s.name for s in steps if s.kind == "forward"] == ["variable", "v1", "v2", "f"]
    assert steps[0].inputs == ("given", "2")


def test_a_constant_tensor_keeps_its_name():
    c = Tensor(5.0, requires_grad=False, name="c")
    x = Tensor(1.0)
    assert explain(x * c)[0].inputs == ("x", "c")


def test_every_line_of_a_scalar_transcript_fits_a_terminal():
    w, x = Tensor(-0.12345678), Tensor(3.3333333)
    f = np.tanh(w * x) / np.sqrt(x)
    assert max(len(line) for line in explain(f).to_text().splitlines()) <= 80


def test_what_cannot_be_explained_is_said():
    with pytest.raises(TypeError, match="expected the Tensor to explain, got a float"):
        explain(3.0)
    with pytest.raises(GraphError, match="nothing was recorded"):
        explain(Tensor(1.0, requires_grad=False))


def test_steps_leave_no_cycles_behind():
    gc.collect()
    gc.disable()
    try:
        steps = lecture()
        del steps
        assert gc.collect() == 0
    finally:
        gc.enable()


def chain(length):
    x = Tensor(1.0, name="x")
    for _ in range(length):
        x = x * 1.0
    return x


def test_too_many_ops_are_refused_at_once(count_calls):
    f = chain(100_000)

    def refused():
        with pytest.raises(ValueError, match=r"expected at most 50,000 values.*got 100,000"):
            explain(f)

    assert count_calls(refused) < 10 * 100_000  # they are counted, and no name is looked for


def test_the_work_of_printing_thousands_of_steps_grows_as_they_do(count_calls):
    few, many = explain(chain(600)), explain(chain(1_200))
    assert "400 more: .to_text()" in str(many)
    assert len(many.to_text().splitlines()) > 2_800
    assert count_calls(many.to_text) < 2.2 * count_calls(few.to_text)


def test_two_values_of_one_name_are_told_apart():
    a, b = Tensor(2.0, name="w"), Tensor(3.0, name="w")
    steps = explain(a * b, names={})
    assert steps.gradients == {"f": 1, "w": 3, "w_2": 2}


def layers(steps):
    return {name: value.layers for name, value in steps.values.items()}


def test_ops_and_weights_know_their_layer():
    nn.utils.set_random_seed(0)
    inner = nn.Sequential([nn.layers.Dense(3, activation="tanh", name="first")], name="inner")
    model = nn.Sequential([nn.Input(shape=(2,)), inner, nn.layers.Dense(1, name="last")], name="outer")
    found = layers(explain(np.mean(model(np.ones((4, 2)))), names={}))
    assert found["first/kernel"] == ("inner", "first")
    assert found["last/bias"] == ("last",)
    assert list(found.values()).count(("inner", "first")) == 5
    assert found["f"] == ()


def test_a_layer_called_twice_is_drawn_twice():
    layer = nn.layers.Dense(2, name="shared")
    x = Tensor(np.ones((1, 2), "float32"))
    found = layers(explain(np.sum(layer(layer(x))), names={}))
    assert {path for path in found.values() if path} == {("shared",), ("shared (call 2)",)}


def test_weights_tell_their_layer_where_the_loss_is_computed_from_logits():
    model = nn.Sequential([nn.Input(shape=(2,)), nn.layers.Dense(3, activation="softmax", name="last")])
    loss = nn.losses.SparseCategoricalCrossentropy()(np.array([0, 1]), model(np.ones((2, 2))))
    found = layers(explain(loss))
    assert found["last/kernel"] == ("last",)
    assert list(found.values()).count(("last",)) == 4


def test_the_larger_of_two_receives_the_gradient_whole():
    x, y, z, w = (Tensor(v, name=n) for v, n in ((3.0, "x"), (-4.0, "y"), (2.0, "z"), (-1.0, "w")))
    steps = explain((x * y + np.maximum(z, w)) * 2)  # the third example of Stanford's CS231n notes
    assert {n: steps.gradients[n] for n in "xyzw"} == {"x": -8, "y": 6, "z": 2, "w": 0}
    a, b = Tensor(1.5, name="a"), Tensor(1.5, name="b")
    tied = explain(np.maximum(a, b)).gradients
    assert (tied["a"], tied["b"]) == (0.5, 0.5)


def test_a_small_network_against_the_four_equations_of_backprop():
    """BP1 to BP4 of M. Nielsen, "Neural Networks and Deep Learning", chapter 2, written out element by element."""
    rng = np.random.default_rng(0)
    w1, b1, w2, b2 = rng.normal(size=(3, 2)), rng.normal(size=3), rng.normal(size=(1, 3)), rng.normal(size=1)
    x, y = np.array([0.5, -1.0]), np.array([0.3])
    a1 = [math.tanh(sum(w1[j, k] * x[k] for k in range(2)) + b1[j]) for j in range(3)]
    a2 = math.tanh(sum(w2[0, j] * a1[j] for j in range(3)) + b2[0])
    delta2 = (a2 - y[0]) * (1 - a2**2)  # BP1, for the cost (a - y)² / 2
    delta1 = [w2[0, j] * delta2 * (1 - a1[j] ** 2) for j in range(3)]  # BP2
    expected = {
        "b2": [delta2],  # BP3
        "b1": delta1,
        "w2": [[delta2 * a1[j] for j in range(3)]],  # BP4
        "w1": [[delta1[j] * x[k] for k in range(2)] for j in range(3)],
    }
    t = {n: Tensor(v, name=n) for n, v in (("w1", w1), ("b1", b1), ("w2", w2), ("b2", b2))}
    out = np.tanh(t["w2"] @ np.tanh(t["w1"] @ x + t["b1"]) + t["b2"])
    gradients = explain(np.sum((out - y) ** 2) / 2).gradients
    for name, by_hand in expected.items():
        np.testing.assert_allclose(gradients[name], by_hand, rtol=1e-12)  # 1 - a² cancels by hand


def test_a_gradient_that_no_one_computed_is_said_to_be_none():
    x = Tensor(2.0, name="x")
    text = explain(x * 3 + np.sign(Tensor(1.0, requires_grad=False, name="c")), names={}).to_text()
    assert "∂f/∂c" not in text
    assert number(None) == "not computed"


def test_what_nobody_asks_for_costs_a_training_step_nothing():
    """Neither explain nor draw nor a layer's note may put work into each op."""
    model = nn.Sequential([nn.Input(shape=(2,)), nn.layers.Dense(3, activation="tanh", name="only")])
    out = model(np.ones((4, 2)))
    noted = [node for node in ancestors([out.node]) if node.scopes]
    assert noted == [out.node]  # one note for a call, however many ops it has


def test_constants_are_called_as_the_variables_that_hold_their_arrays():
    X, y = np.arange(40.0).reshape(5, 8), np.ones((5, 2))
    W = Tensor(np.ones((8, 2)))
    f = np.sum((X @ W - y) * 2)
    assert "v1 = X @ W" in explain(f).to_text()
    assert "v2 = v1 - y" in explain(f).to_text()
    assert "constant[5×8] @ W" in explain(f, names={"W": W}).to_text()
    assert "A @ W" in explain(f, names={"A": X, "W": W}).to_text()
    assert "constant[5×8] @ X" in explain(f, names={"X": W}).to_text()  # a name says one thing
    assert any("X @ W" in box.title for box in draw(f).boxes)


def test_a_number_beside_arrays_of_one_element_has_no_copies_to_add_up():
    w, b = Tensor([2.0]), Tensor(1.0)
    steps = explain(w * 3.0 + b, [5.0])
    assert [step.kind for step in steps if step.name == "b"] == ["backward"]
    (step,) = (step for step in steps if step.name == "b")
    assert (step.contribution, step.total, np.shape(step.contribution)) == (5.0, 5.0, ())
    many = explain(np.sum(Tensor([2.0, 3.0]) + b))
    assert [step.kind for step in many if step.name == "b"] == ["backward", "unbroadcast"]
