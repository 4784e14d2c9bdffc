"""What bears a name of Keras' has Keras' gradient at kinks, bounds, ties and far out too."""

import numpy as np
import pytest

import nn
from autograd_core import Tensor

ACTIVATIONS = sorted(set(nn.activations.__all__) - {"get", "serialize", "deserialize"})
POINTS = np.array(
    [[-1000.0, -40, -6, -3, -2.5, -1, -0.0, 0, 0.5, 1, 2.5, 3, 6, 20, 40, 1000]]
)  # fmt: skip
SETTINGS = [
    ("relu", {"max_value": 6.0}),
    ("relu", {"negative_slope": 0.1}),
    ("relu", {"threshold": 1.0}),
    ("leaky_relu", {"negative_slope": 0.3}),
    ("elu", {"alpha": 0.5}),
]

# Targets and predictions: equal, far apart, at the bounds of probabilities, at an error of exactly δ.
PROBABILITIES = np.array([[0.0, 1, 0, 1, 1, 0]]), np.array([[0.0, 1, 1, 0, 0.5, 0.5]])
ERRORS = np.array([[-1.0, 1, -1, 1, 1, -1]]), np.array([[-1.0, 1, 1, -1, 0, 0]])
ZEROS = np.zeros((1, 6)), np.zeros((1, 6))
LOSSES = {
    "mean_squared_error": (PROBABILITIES, ERRORS, ZEROS),
    "mean_absolute_error": (PROBABILITIES, ERRORS, ZEROS),
    "huber": (PROBABILITIES, ERRORS, ZEROS),
    "kl_divergence": (PROBABILITIES, (PROBABILITIES[0], PROBABILITIES[0]), ZEROS),
    "binary_crossentropy": (PROBABILITIES, (PROBABILITIES[0], PROBABILITIES[0]), ZEROS),
    "categorical_crossentropy": (PROBABILITIES, (PROBABILITIES[0], PROBABILITIES[0]), ZEROS),
    "mean_absolute_percentage_error": (PROBABILITIES, ERRORS, ZEROS),
    "mean_squared_logarithmic_error": (PROBABILITIES, ERRORS, ZEROS),
    "poisson": (PROBABILITIES, (PROBABILITIES[0], PROBABILITIES[0]), ZEROS),
    "cosine_similarity": (PROBABILITIES, ERRORS, ZEROS),
    "hinge": (PROBABILITIES, ERRORS, ZEROS),
    "squared_hinge": (PROBABILITIES, ERRORS, ZEROS),
    "categorical_hinge": (PROBABILITIES, ERRORS, ZEROS),
}
EQUAL = np.ones((1, 4, 4, 1))
LAYERS = [
    ("GlobalMaxPooling2D", {}),
    ("GlobalMaxPooling1D", {}),
    ("AveragePooling2D", {"pool_size": 2}),
    ("GlobalAveragePooling2D", {}),
    ("LayerNormalization", {}),
    ("LeakyReLU", {}),
]


@pytest.fixture
def theirs(tf):
    """The value and the gradient of a function of Keras'."""

    def computed(f, x):
        x = tf.constant(x)
        with tf.GradientTape() as tape:
            tape.watch(x)
            z = f(x)
        return np.asarray(z), np.asarray(tape.gradient(z, x))

    return computed


def ours(f, x):
    x = Tensor(x)
    z = f(x)
    np.sum(z).backward()
    return z.data, x.grad


def agree(mine, keras):
    for a, b in zip(mine, keras, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-12)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(("name", "settings"), [*((name, {}) for name in ACTIVATIONS), *SETTINGS], ids=str)
def test_activations(name, settings, keras, theirs):
    known, mine = getattr(keras.activations, name), getattr(nn.activations, name)
    agree(ours(lambda x: mine(x, **settings), POINTS), theirs(lambda x: known(x, **settings), POINTS))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", LOSSES)
def test_losses(name, keras, theirs):
    for target, prediction in LOSSES[name]:
        known, mine = getattr(keras.losses, name), getattr(nn.losses, name)
        agree(ours(lambda p: mine(target, p), prediction), theirs(lambda p: known(target, p), prediction))  # noqa: B023


def test_log_cosh(theirs, keras):
    """In float32, as Keras takes off the logarithm of 2 of float32 in float64, too; and where its sum is inf - inf."""
    x = np.array([[-np.inf, -1e30, -100, -1, 0, 1, 100, 1e30, np.inf]], "float32").T
    mine = ours(lambda p: nn.losses.log_cosh(np.zeros_like(x), p), x)
    known = theirs(lambda p: keras.losses.log_cosh(np.zeros_like(x), p), x)
    finite = np.isfinite(x[:, 0])
    agree([part[finite] for part in mine], [part[finite] for part in known])
    np.testing.assert_array_equal(mine[0][~finite], np.inf)
    np.testing.assert_array_equal(mine[1][~finite, 0], [-1, 1])
    assert ours(lambda p: nn.losses.log_cosh([[0.0]], p), np.zeros((1, 1)))[0] == 0


@pytest.mark.parametrize(("name", "settings"), LAYERS, ids=str)
def test_layers_of_equal_numbers(name, settings, keras, theirs):
    known = getattr(keras.layers, name)(**settings, dtype="float64")
    mine = getattr(nn.layers, name)(**settings, dtype="float64")
    x = EQUAL[..., 0] if name.endswith("1D") else EQUAL
    weights = np.arange(1.0, 1 + known(x).numpy().size).reshape(known(x).shape)
    agree(ours(lambda x: mine(x) * weights, x), theirs(lambda x: known(x) * weights, x))


def test_equal_numbers_share_a_pooling_where_keras_takes_the_first(keras, theirs):
    """Decided otherwise, as "Coming from Keras" and "Where libraries disagree" say: shares depend on no order."""
    x = EQUAL[:, :2, :2]
    known, mine = keras.layers.MaxPooling2D(dtype="float64"), nn.layers.MaxPooling2D(dtype="float64")
    assert theirs(known, x)[1].ravel().tolist() == [1, 0, 0, 0]
    assert ours(mine, x)[1].ravel().tolist() == [0.25, 0.25, 0.25, 0.25]


@pytest.mark.parametrize("ceiling", [0.5, 2.0, 6.0])
def test_the_slope_of_relu_at_any_ceiling_is_that_of_keras_at_six(ceiling):
    x = np.array([0.0, np.nextafter(ceiling, 0), ceiling, 9.0])
    assert list(ours(lambda x: nn.activations.relu(x, max_value=ceiling), x)[1]) == [0, 1, 0, 0]
