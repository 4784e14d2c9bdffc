"""The numbers of a page of arrays are those of Python, whatever is changed: its own JavaScript is run by Node.js."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nn
from autograd_core import REGISTRY, Tensor, conv, explain, sigmoid, softmax, windows
from autograd_core.command.expression import evaluate, variables
from autograd_core.explain import page
from autograd_core.explain.formula import number, summary
from autograd_core.explain.page.data import data_of
from autograd_core.explain.page.live import program
from autograd_core.graph import compared
from autograd_core.op import COMPOSED
from autograd_core.testing import programs
from autograd_core.testing.calls import domains_of, examples_of, is_shape, place
from autograd_core.testing.program import _choices

COMPUTING = ("state", "numbers", "maths", "tape")
KEYS = ("upstream", "local", "contribution", "total")
EXAMPLES = int(os.environ.get("AUTOGRAD_EXAMPLES", "150"))


@pytest.fixture(scope="module")
def computed():
    """``computed(steps, {"x": …})`` gives every number of the page when these leaves have been changed."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node.js is not installed: apt-get install nodejs")
    script = "\n".join(page._file(f"scripts/{name}.js") for name in COMPUTING)
    command = [node, str(Path(__file__).with_name("computing.mjs"))]

    def run(steps, changes):
        live, names = program(steps), list(steps.values)
        order = {
            "data": data_of(steps, live),
            "program": live.code,
            "script": script,
            "changes": [(names.index(n), [written(x) for x in np.ravel(v)]) for n, v in changes.items()],
        }
        print(json.dumps(order), file=driver.stdin, flush=True)
        answer = json.loads(driver.stdout.readline())
        assert "error" not in answer, answer["error"]
        return answer

    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8") as driver:
        yield run
        driver.stdin.close()


def written(x):
    """A number as JavaScript reads it."""
    return {"inf": "Infinity", "-inf": "-Infinity", "nan": "NaN"}.get(str(x), repr(float(x)))


def numbers_of(steps):
    """Every number that Python tells, as the page answers: values, gradients and what each step tells."""
    told = [[getattr(s, key) for key in KEYS] for s in steps]
    return [v.value for v in steps.values.values()], [v.gradient for v in steps.values.values()], told


def agrees(answer, steps, rtol=1e-12):
    """The page has what Python has, beside the largest of all numbers; a gradient that it does not know it says so."""
    values, gradients, told = numbers_of(steps)
    known = [v for v in (*values, *gradients, *(v for step in told for v in step)) if v is not None]
    everything = np.concatenate([np.ravel(np.asarray(v, float)) for v in known])
    largest = np.max(np.abs(everything[np.isfinite(everything)]), initial=0.0)

    def close(found, expected, what):
        if found == "frozen":
            return
        assert (found is None) == (expected is None), what
        if found is not None:
            theirs = np.ravel(np.asarray(expected, float))
            ours = np.array(found, float)
            np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=rtol * largest, err_msg=str(what))

    for i, name in enumerate(steps.values):
        close(answer["values"][i], values[i], name)
        close(answer["gradients"][i], gradients[i], f"gradient of {name}")
    for i, step in enumerate(steps):
        for key, found, expected in zip(KEYS, answer["steps"][i], told[i], strict=True):
            if key != "local" or (found is not None and expected is not None):  # a factor for some numbers only
                close(found, expected, (i, step.name, key))


# -- every op ------------------------------------------------------------------------------------------------------


def calls_of(o):
    """Each example of an op twice, with other numbers: arguments, changed arguments, parameters."""
    for example in examples_of(o):
        rng = np.random.default_rng(len(str(example)))
        pair = []
        for _ in range(2):
            args = []
            for value, domain in zip(example.inputs, domains_of(o, len(example.inputs)), strict=True):
                if is_shape(value):
                    unit = rng.permutation(64)[: int(np.prod(value))] if np.prod(value) <= 64 else None
                    args.append(np.array([place(int(u) - 32, domain) for u in unit], float).reshape(value)[()])
                else:
                    args.append(np.asarray(value)[()])
            pair.append(args)
        yield *pair, example.params


def story(o, args, params):
    leaves = [Tensor(a, name=f"leaf{i}") if np.asarray(a).dtype.kind == "f" else a for i, a in enumerate(args)]
    with np.errstate(all="ignore"):
        z = o(*leaves, **params)
        weights = 1 + np.cos(np.arange(z.size, dtype=float)).reshape(z.shape)
        return explain(np.sum(z * weights), names={})


# What the page cannot compute, and why.
NOT_LIVE = {
    "real": "real is no formula of the elements",
    "imag": "imag is no formula of the elements",
    "conj": "the page has no conj",
    "irfft": "irfft is no formula of the elements",
    "convolve": "convolve is no formula of the elements",
    "cholesky": "cholesky is no formula of the elements",
    "eig_vectors": "eig is no formula of the elements",
    "eigenvectors": "eigh is no formula of the elements",
    "eigvals": "eigvals is no formula of the elements",
    "eigvalsh": "eigvalsh is no formula of the elements",
    "least_squares": "lstsq is no formula of the elements",
    "left_vectors": "svd is no formula of the elements",
    "orthogonal_factor": "qr is no formula of the elements",
    "pinv": "pinv is no formula of the elements",
    "partner_vectors": "svd is no formula of the elements",
    "right_vectors": "svd is no formula of the elements",
    "svdvals": "svd is no formula of the elements",
    "triangular_factor": "qr is no formula of the elements",
    "det": "det is no formula of the elements",
    "inv": "inv is no formula of the elements",
    "logabsdet": "slogdet is no formula of the elements",
    "nanmax": "nanmax is no formula of the elements",
    "nanmin": "nanmin is no formula of the elements",
    "order_statistic": "sort is no formula of the elements",
    "solve": "solve is no formula of the elements",
}
OPS = sorted(n for n in REGISTRY if not n.startswith("test_"))


@pytest.mark.every(2)
# Pages show no complex numbers, which these give.
@pytest.mark.parametrize("name", [name for name in OPS if name not in ("fft", "ifft", "rfft")])
def test_a_page_computes_every_op_and_its_rules_or_says_why_not(computed, name):
    o = REGISTRY[name]
    count = 0
    for first, second, params in calls_of(o):
        steps = story(o, first, params)
        frozen = program(steps).frozen
        if name in NOT_LIVE:
            assert NOT_LIVE[name] in frozen or not any(map(np.size, first))
            continue
        assert not frozen
        changes = {f"leaf{i}": a for i, a in enumerate(second) if f"leaf{i}" in steps.values}
        agrees(computed(steps, changes), story(o, second, params))
        count += 1
    assert count or name in NOT_LIVE


# -- programs ------------------------------------------------------------------------------------------------------


def explained(drawn, inputs):
    with np.errstate(all="ignore"):
        z = drawn(*(Tensor(x, name=f"x{i}") for i, x in enumerate(inputs)))
        return explain(np.sum(z * (1 + np.cos(np.arange(z.size, dtype=float)).reshape(z.shape))), names={})


CALLED = [calls[0].name for calls in _choices((*REGISTRY, *COMPOSED)) if not calls[0].name.startswith("test_")]


# Of a few functions each, not of all that there are: among these the common ones would take the place of most.
@given(st.lists(st.sampled_from(CALLED), min_size=1, max_size=3, unique=True).flatmap(programs), st.integers(0, 1000))
@settings(max_examples=EXAMPLES, deadline=None)
def test_a_page_of_a_program_computes_what_python_computes(computed, drawn, seed):
    steps = explained(drawn, drawn.inputs)
    if any(np.iscomplexobj(value.value) for value in steps.values.values()):  # `fft` is among the functions
        with pytest.raises(TypeError, match="the page: expected real numbers"):
            steps.to_html()
        return
    live, rng = program(steps), np.random.default_rng(seed)
    changed = [
        np.round(x + rng.normal(size=x.shape), 3) if f"x{i}" in live.leaves else x for i, x in enumerate(drawn.inputs)
    ]
    expected = explained(drawn, changed)
    agrees(computed(steps, {f"x{i}": x for i, x in enumerate(changed) if f"x{i}" in live.leaves}), expected)


# -- corners -------------------------------------------------------------------------------------------------------


def network(x, dtype=np.float64):
    """A network of 2-3-1 on XOR, of arrays."""
    rng = np.random.default_rng(0)
    y = np.array([[0.0], [1.0], [1.0], [0.0]], dtype)
    draw = lambda *shape: rng.normal(size=shape).round(2).astype(dtype)  # noqa: E731
    w1, b1, w2, b2 = (Tensor(draw(*s), name=n) for n, s in (("w1", (2, 3)), ("b1", (3,)), ("w2", (3, 1)), ("b2", (1,))))
    p = sigmoid(np.tanh(Tensor(np.asarray(x, dtype), name="x") @ w1 + b1) @ w2 + b2)
    return explain(np.mean((p - y) ** 2), names={})


FOUR = [[0, 0], [0, 1], [1, 0], [1, 1]]
OTHERS = [[0.5, -1.25], [3, 0.125], [-2, 1], [0, 0]]


def test_a_network_in_float32_is_rounded_after_each_operation(computed):
    steps = network(FOUR, np.float32)
    assert program(steps).leaves == {"x", "w1", "b1", "w2", "b2"}
    answer = computed(steps, {"x": OTHERS})
    agrees(answer, network(OTHERS, np.float32), rtol=1e-6)
    assert all(float(np.float32(v)) == float(v) for told in answer["gradients"] for v in told)


def test_arrays_are_written_as_python_writes_them(computed):
    expected = network(OTHERS)
    texts = computed(network(FOUR), {"x": OTHERS})["texts"]
    for (whole, short, gradient), value in zip(texts, expected.values.values(), strict=True):
        assert whole == number(value.value)
        assert short == summary(value.value)
        assert gradient == number(value.gradient, gradient=True)


@pytest.mark.parametrize("special", [np.nan, np.inf, -np.inf, 0.0, -0.0])
def test_numbers_that_are_none_go_where_they_go_in_numpy(computed, special):
    def story(x):
        with np.errstate(all="ignore"):
            x = Tensor(x, name="x")
            return explain(np.sum(np.log(softmax(x)) * np.array([1.0, 2.0, 3.0])) / np.max(x) + np.prod(x), names={})

    changed = [1.0, special, -2.0]
    agrees(computed(story([1.0, 2.0, 3.0]), {"x": changed}), story(changed))


def test_a_second_change_forgets_the_first(computed):
    steps = network(FOUR)
    names = list(steps.values)
    answer = computed(steps, {"x": OTHERS, "b2": [7.0]} | {"b2": steps.leaves["b2"]})
    agrees(answer, network(OTHERS))
    assert answer["values"][names.index("b2")] == [written(float(v)) for v in steps.leaves["b2"]]


def test_large_arrays_are_pictures_and_only_what_depends_on_them_is_frozen(computed):
    """A scalar beside a large constant array can be changed, and the gradient that is too large to compute says so."""

    def story(a, b):
        big = Tensor(np.linspace(0, 1, 500), name="big")
        return explain(Tensor(a, name="a") * np.mean(big * big) + np.square(Tensor(b, name="b")), names={})

    steps = story(2.0, 3.0)
    live = program(steps)
    assert live.leaves == {"a", "b"}
    assert live.still["big"] == "big is 500, and all values together have more than 400 numbers"
    names = list(steps.values)
    same = computed(steps, {"b": -1.0})
    agrees(same, story(2.0, -1.0))
    assert "frozen" not in same["gradients"]  # what the array receives is as it was: only b has changed
    answer = computed(steps, {"a": 5.0})
    agrees(answer, story(5.0, 3.0))
    assert {n for n, g in zip(names, answer["gradients"], strict=True) if g == "frozen"} == {"big", "v1"}


def test_of_too_many_numbers_none_is_live():
    x = Tensor(1.0, name="x")
    for _ in range(450):
        x = x * 1.001
    live = program(explain(x, names={}))
    assert live.frozen == "it has 451 values; all values together have more than 400 numbers"
    big = Tensor(np.ones((30, 20)), name="w")
    assert program(explain(np.sum(big * Tensor(2.0, name="x")), names={})).frozen.startswith("w is 30×20, and all")


def test_formulas_have_an_end():
    a, b = (Tensor(np.ones((6, 6)), name=n) for n in "ab")
    for _ in range(3):
        a = np.prod(a * b, axis=0, keepdims=True) * a
    assert "letters" in program(explain(np.sum(a), names={})).frozen or program(explain(np.sum(a), names={})).leaves


QUESTIONS = {
    "compared": lambda x: np.where(x > 0, x, 0.1 * x),
    "sorted": np.sort,
    "asked": lambda x: x if x[0] > 0 else 2 * x,
    "asked of what was computed": lambda x: x * (1 if np.sum(x * x) > 3 else -1),
    "compared aside": lambda x: np.where(compared(np.greater, x * x, 2), x, 2 * x),
    "a norm's scale": lambda x: x / np.max(np.abs(x)) if np.any(x > 9) else x,
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_what_was_decided_by_the_numbers_is_not_computed_from_others(question):
    """Comparisons are no part of the graph: with another x the program may have gone another way."""
    x, w = Tensor([1.0, -2.0, 3.0], name="x"), Tensor([1.0, 2.0, 3.0], name="w")
    live = program(explain(np.sum(w * QUESTIONS[question](x)), names={}))
    assert live.leaves == {"w"}
    assert any("compared or sorted on the way" in reason for reason in live.still.values())


def test_what_is_asked_when_all_is_computed_freezes_nothing():
    x = Tensor([1.0, -2.0, 3.0], name="x")
    f = np.sum(np.reshape(x, (3, 1)) * np.zeros_like(x, shape=(3, 1)) + np.ones(np.shape(x)))
    assert np.any(x > 2)
    assert program(explain(f, names={})).leaves == {"x"}


IMAGES = [
    (lambda x: conv(x, np.ones((2, 2, 1, 3))), (1, 4, 3, 1)),
    (lambda x: np.max(windows(x, 2, strides=2), axis=(3, 4)), (2, 4, 4, 2)),
]


@pytest.mark.parametrize(("layer", "shape"), IMAGES)
def test_images_are_known_by_what_is_done_with_them(computed, layer, shape):
    """Rows and columns are the spatial axes, whatever stands last; what has the shape of an image is one too."""

    def story(x):
        z = layer(np.tanh(Tensor(x, name="x")))
        return explain(np.sum(z * z), names={})

    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(2, *shape))
    steps = story(first)
    data = data_of(steps, program(steps))
    for node, value in zip(data["nodes"], steps.values.values(), strict=True):
        if np.ndim(value.value) == 4:
            assert data["arrays"][node["value"]["array"]]["grid"] == (1, 2)
    agrees(computed(steps, {"x": second}), story(second))


LAYERS = {
    "dense": (lambda: nn.layers.Dense(3, activation="gelu"), (2, 4)),
    "convolution": (lambda: nn.layers.Conv2D(2, 2, padding="same", activation="relu"), (1, 3, 4, 1)),
    "max pooling": (lambda: nn.layers.MaxPooling2D(2), (1, 4, 4, 2)),
    "average pooling": (lambda: nn.layers.AveragePooling2D(2), (1, 4, 4, 1)),
    "layer normalization": (nn.layers.LayerNormalization, (2, 3)),
    "batch normalization": (nn.layers.BatchNormalization, (4, 3)),
    "leaky relu": (nn.layers.LeakyReLU, (2, 2)),
}


def own(x, y):
    return np.where(compared(np.less, 0.25, y), x, np.exp(y))


CHOOSING = {
    "leaky relu": nn.activations.leaky_relu,
    "elu": nn.activations.elu,
    "selu": nn.activations.selu,
    "hard sigmoid": nn.activations.hard_sigmoid,
    "relu with a threshold": lambda x: nn.activations.relu(x, max_value=1.5, negative_slope=0.1, threshold=0.5),
    "binary crossentropy": lambda x: nn.losses.binary_crossentropy(np.array([[0.0, 1.0, 1.0]]), x),
    "huber": lambda x: nn.losses.huber(np.array([[0.0, 1.0, 1.0]]), x),
    "a user's own": lambda x: own(x, x * x),
    "of a single number": lambda x: own(np.sum(x), np.sum(x * x)),
}


@pytest.mark.parametrize("name", CHOOSING)
@pytest.mark.parametrize("other", [[[-1.0, 2.0, 0.3]], [[0.0, 3.0, -4.0]], [[1.5, 0.5, 1.0]], [[2.0, 2.0, 2.0]]])
def test_what_is_chosen_by_a_comparison_is_chosen_anew(computed, name, other):
    """Activations and losses that have pieces: of which one a number is, is part of what is computed."""

    def story(x):
        z = CHOOSING[name](Tensor(x, name="x"))
        return explain(np.sum(z * (2 + np.cos(np.arange(z.size, dtype=float)).reshape(z.shape))), names={})

    steps = story([[0.25, 0.75, 0.5]])
    assert program(steps).leaves == {"x"}
    agrees(computed(steps, {"x": other}), story(other))


@pytest.mark.parametrize("name", LAYERS)
def test_layers_of_networks_are_live(computed, name):
    make, shape = LAYERS[name]
    first, second = np.random.default_rng(0).normal(size=(2, *shape)).astype(np.float32)

    def story(x):
        nn.utils.set_random_seed(0)
        z = make()(Tensor(x, name="x"), training=True)
        return explain(np.sum(z * z * z), names={})

    steps = story(first)
    assert program(steps).leaves == set(steps.leaves)
    agrees(computed(steps, {"x": second}), story(second), rtol=1e-5)


@pytest.mark.parametrize(("x", "text"), [("-2", "3"), ("2", "-1.5"), ("[-1,2]", "[3,-4]")])
def test_what_is_typed_with_a_comparison_is_live(computed, x, text):
    def story(value):
        f = evaluate("sum(where(x > y, x * y, 0.1 * x) ** 2)", variables([f"x={value}", "y=0.5"]))
        return explain(f, names={})

    steps = story(x)
    assert program(steps).leaves == {"x", "y"}
    agrees(computed(steps, {"x": json.loads(text)}), story(text))
