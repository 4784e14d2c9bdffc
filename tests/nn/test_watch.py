"""Watching a network: the gradient that vanishes, and where the classes part."""

import numpy as np
import pytest

import nn
from nn import plot_decision_boundary, watch
from nn.plots import predicted_classes


def mean_square(y_true, y_pred):
    return np.mean((y_true - y_pred) ** 2, axis=-1)


def deep(activation, layers=6, units=16):
    nn.utils.set_random_seed(0)
    hidden = [nn.layers.Dense(units, activation=activation, name=f"hidden_{i + 1}") for i in range(layers)]
    model = nn.Sequential([nn.Input(shape=(2,)), *hidden, nn.layers.Dense(1, name="out")])
    model.compile(optimizer=nn.optimizers.SGD(learning_rate=0.01), loss=mean_square)
    return model


def trained(activation, epochs=2):
    x = np.random.default_rng(0).normal(size=(64, 2))
    model = deep(activation)
    watching = watch(model)
    model.fit(x, x[:, :1] * x[:, 1:], batch_size=16, epochs=epochs, verbose=0, callbacks=[watching])
    return model, watching


def test_a_deep_sigmoid_network_shows_its_vanishing_gradient():
    _, watching = trained("sigmoid")
    assert watching.layers == [*(f"hidden_{i}" for i in range(1, 7)), "out"]
    assert watching.gradients["hidden_1"][-1] < watching.gradients["hidden_6"][-1] / 100
    _, healthy = trained("tanh")
    assert healthy.gradients["hidden_1"][-1] > healthy.gradients["hidden_6"][-1] / 100


def test_what_is_recorded_is_what_a_batch_computes():
    x = np.random.default_rng(1).normal(size=(8, 2)).astype("float32")
    y = np.ones((8, 1), "float32")
    model = deep("relu", layers=1)
    first = model.layers[-2]
    loss = np.mean((model(x) - y) ** 2)
    loss.backward()
    gradient = np.mean(np.concatenate([np.abs(w.grad).ravel() for w in first.trainable_weights]))
    out = first(x).numpy()
    watching = watch(model)
    model.fit(x, y, batch_size=8, epochs=1, verbose=0, shuffle=False, callbacks=[watching])
    assert watching.gradients[first.name] == [pytest.approx(gradient, rel=1e-5)]
    assert watching.means[first.name] == [pytest.approx(out.mean(), rel=1e-5)]
    assert watching.spreads[first.name] == [pytest.approx(out.std(), rel=1e-5)]
    assert watching.zeros[first.name] == [pytest.approx(np.mean(out == 0))]


def test_watching_changes_nothing_and_leaves_nothing_behind():
    weights = []
    for callbacks in (lambda m: [], lambda m: [watch(m)]):
        model = deep("tanh", layers=2)
        x = np.random.default_rng(0).normal(size=(32, 2))
        model.fit(x, x[:, :1], epochs=2, verbose=0, shuffle=False, callbacks=callbacks(model))
        weights.append(model.get_weights())
        assert all("call" not in vars(layer) for layer in model.walk_layers())
    for a, b in zip(*weights, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_layer_without_weights_has_no_gradient_and_not_zero():
    model = nn.Sequential([nn.Input(shape=(2, 2)), nn.layers.Flatten(name="flat"), nn.layers.Dense(1)])
    model.compile(optimizer="sgd", loss=mean_square)
    watching = watch(model)
    model.fit(np.ones((4, 2, 2)), np.ones((4, 1)), epochs=1, verbose=0, callbacks=[watching])
    assert np.isnan(watching.gradients["flat"]).all()
    assert watching.means["flat"] == [1.0]


def test_the_vanishing_gradient_is_drawn_on_powers_of_ten():
    pytest.importorskip("matplotlib")
    _, watching = trained("sigmoid", epochs=3)
    gradients, spreads = watching.plot().axes
    assert gradients.get_yscale() == "log"
    assert [t.get_text() for t in gradients.get_xticklabels()] == watching.layers
    assert len(gradients.lines) == len(spreads.lines) == 3
    widths = [line.get_linewidth() for line in gradients.lines]
    assert widths == sorted(widths)
    assert list(gradients.lines[-1].get_ydata()) == [watching.gradients[n][-1] for n in watching.layers]


def test_what_cannot_be_watched_is_said():
    with pytest.raises(TypeError, match="watch: expected the model"):
        watch("model")
    with pytest.raises(ValueError, match="nothing was trained"):
        watch(deep("tanh")).plot()


def circle(points):
    """1 inside the unit circle, as a probability."""
    return (np.sum(np.asarray(points) ** 2, axis=1, keepdims=True) < 1).astype(float)


def test_the_boundary_lies_where_the_model_puts_it():
    pytest.importorskip("matplotlib")
    x = np.random.default_rng(0).uniform(-2, 2, (200, 2))
    axes = plot_decision_boundary(circle, x, circle(x)[:, 0].astype(int))
    assert [t.get_text() for t in axes.get_legend().get_texts()] == ["class 0", "class 1"]
    paths = axes.collections[1].get_paths()
    radii = np.concatenate([np.linalg.norm(p.vertices, axis=1) for p in paths if len(p.vertices)])
    assert np.all(abs(radii - 1) < 0.05)


@pytest.mark.parametrize(
    ("outputs", "expected"),
    [
        (np.array([[0.2], [0.7]]), [0, 1]),
        (np.array([[-2.0], [0.3]]), [0, 1]),
        (np.array([0.4, 0.6]), [0, 1]),
        (np.array([[1.0, 3.0, 2.0], [5.0, 1.0, 0.0]]), [1, 0]),
    ],
)
def test_classes_come_from_probabilities_margins_and_several_outputs(outputs, expected):
    assert predicted_classes(lambda p: outputs, np.zeros((2, 2))).tolist() == expected


def test_a_real_model_with_three_classes_is_drawn():
    figure = pytest.importorskip("matplotlib.figure").Figure()
    nn.utils.set_random_seed(0)
    model = nn.Sequential([nn.Input(shape=(2,)), nn.layers.Dense(3, activation="softmax")])
    x = np.random.default_rng(0).normal(size=(30, 2))
    given = figure.add_subplot()
    axes = plot_decision_boundary(model, x, np.eye(3)[np.arange(30) % 3], ax=given, resolution=20)
    assert axes is given


def test_data_that_are_not_of_the_plane_are_refused():
    with pytest.raises(ValueError, match=r"shape \(examples, 2\), .*got \(4, 3\)"):
        plot_decision_boundary(circle, np.zeros((4, 3)), np.zeros(4))
    with pytest.raises(ValueError, match=r"one class for each of the 4 points"):
        plot_decision_boundary(circle, np.zeros((4, 2)), np.zeros(5))
