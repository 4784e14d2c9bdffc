"""Watching a network: the gradient that vanishes, and where the classes part."""

import functools
import sys

import numpy as np
import pytest

import nn
from nn import plot_decision_boundary, watch
from nn.plots import predicted_classes
from nn.watching import measures, sentences
from nn.watching.graph import graph


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
    for watching in (False, True):
        nn.utils.set_random_seed(0)
        layers = [
            nn.layers.Dense(8, "tanh"),
            nn.layers.BatchNormalization(),
            nn.layers.Dropout(0.3),
            nn.layers.Dense(1),
        ]
        model = nn.Sequential([nn.Input(shape=(2,)), *layers])
        model.compile("adam", "mse")
        x = np.random.default_rng(0).normal(size=(40, 2))
        model.fit(x, x[:, :1], 8, 4, verbose=0, callbacks=[watch(model)] if watching else [])
        weights.append(model.get_weights())
        assert model.schedule.replayed == {"gradient": True, "update": True}
        assert all("call" not in vars(layer) for layer in model.walk_layers())
        assert all(w.grad is None for w in model.weights)
    for a, b in zip(*weights, strict=True):
        np.testing.assert_array_equal(a, b)


def test_several_may_watch_and_a_call_of_ones_own_stays():
    model = deep("tanh", layers=2)
    own = model.layers[0].call
    model.layers[0].call = lambda x: 2 * own(x)
    doubled = model.layers[0].call
    watchers = [watch(model), watch(model, every=2), watch(model.layers[1])]
    model.fit(np.ones((8, 2)), np.ones((8, 1)), 2, 2, verbose=0, callbacks=watchers)
    assert [len(w.records) for w in watchers] == [2, 4, 2]
    for a, b in zip(watchers[0].gradients.items(), watchers[1].gradients.items(), strict=True):
        assert a[1] == b[1][::2]
        assert np.isfinite(b[1]).all()
    assert watchers[2].gradients["hidden_2"] == watchers[0].gradients["hidden_2"]
    assert model.layers[0].call is doubled
    assert all("call" not in vars(layer) for layer in model.layers[1:])
    assert not model._steps.plans.eagerly


def test_what_watching_costs_is_paid_once_an_epoch(count_calls):
    def cost(steps, watching):
        model = deep("tanh", layers=1)
        x = np.ones((8 * steps, 2))
        callbacks = [watch(model)] if watching else []
        return count_calls(lambda: model.fit(x, x[:, :1], 8, 2, verbose=0, shuffle=False, callbacks=callbacks))

    few, many = ([cost(steps, watching) for watching in (False, True)] for steps in (10, 40))
    more = (many[1] - many[0]) - (few[1] - few[0])  # calls for 2 × 30 steps that are not looked at
    assert 0 < more <= 60 * 12


def test_an_interrupted_step_leaves_nothing_behind():
    class Stop(nn.layers.Layer):
        def call(self, x):
            if stopping:
                raise KeyboardInterrupt
            return x

    stopping = False
    model = nn.Sequential([nn.Input(shape=(2,)), nn.layers.Dense(2), Stop()])
    model.compile("sgd", "mse")
    watching = watch(model)
    stopping = True
    with pytest.raises(KeyboardInterrupt):
        model.fit(np.ones((4, 2)), np.ones((4, 2)), verbose=0, callbacks=[watching])
    assert all("call" not in vars(layer) for layer in model.walk_layers())
    assert not model._steps.plans.eagerly
    assert watching.layers == watching.records == []
    stopping = False
    model.fit(np.ones((4, 2)), np.ones((4, 2)), verbose=0, callbacks=[watching])
    assert len(watching.records) == 1


def test_updates_are_those_of_the_rule_and_a_frozen_layer_has_none():
    nn.utils.set_random_seed(1)
    names = ("frozen", "moves", "out")
    model = nn.Sequential([nn.Input(shape=(3,)), *(nn.layers.Dense(3, name=name) for name in names)])
    model.layers[0].trainable = False
    model.compile(nn.optimizers.SGD(0.1), mean_square)
    before = {layer.name: layer.get_weights() for layer in model.layers}
    watching = watch(model)
    model.fit(np.ones((4, 3)), np.zeros((4, 3)), epochs=2, verbose=0, callbacks=[watching])
    for name in ("moves", "out"):  # w - rate * g: the ratio is rate * |g| / |w|
        weights = np.linalg.norm(np.concatenate([np.ravel(w) for w in before[name]]))
        expected = 0.1 * watching.gradient_norms[name][0] / weights
        assert watching.updates[name][0] == pytest.approx(expected, rel=1e-4)
    assert np.isnan([watching.updates["frozen"], watching.gradients["frozen"]]).all()
    assert np.isfinite(watching.spreads["frozen"]).all()


def test_a_histogram_counts_what_numpy_counts_in_powers_of_two():
    rng = np.random.default_rng(0)
    values = rng.normal(size=1000) * 2.0 ** rng.integers(-40, 15, 1000)
    powers = np.array(measures.OUTPUTS)
    edges = 2.0 ** np.append(powers, powers[-1] + 1)
    kept = values[(np.abs(values) >= edges[0]) & (np.abs(values) < edges[-1])]
    found = measures.histogram(kept, measures.OUTPUTS, signed=True)[3:]
    np.testing.assert_array_equal(found[32:], np.histogram(kept, edges)[0])
    np.testing.assert_array_equal(found[:32][::-1], np.histogram(-kept, edges)[0])
    all_of_them = measures.histogram(values, measures.OUTPUTS, signed=True)
    assert all_of_them.sum() == 1000  # what is smaller or larger is in the outermost bars
    exact = np.array([2.0**-3, np.nextafter(2.0**-3, 0), 2.0**15, 1e300, 5e-324, 0, -0.0, np.nan, np.inf, -np.inf])
    found = measures.histogram(exact, measures.OUTPUTS, signed=False)
    assert list(found[:3]) == [1, 2, 2]
    assert {int(i): int(n) for i, n in enumerate(found[3:]) if n} == {0: 1, 12: 1, 13: 1, 31: 2}
    assert measures.histogram(np.zeros(0), measures.GRADIENTS, signed=False).sum() == 0


def test_rows_of_extreme_numbers_are_what_they_are():
    tiny, zero = np.float16([6e-8, -6e-8]), np.zeros(2, np.float16)
    row = measures.row([tiny[None]], -1, 2, [zero], [tiny], [tiny])
    assert row[measures.AT["compared"]] == 1
    assert row[measures.AT["gradient"]] == row[measures.AT["spread"]] == float(tiny[0])
    assert measures.ratio(row) == np.inf  # weights that were all 0
    assert np.isnan(measures.ratio(measures.row([], None, 2, [zero], [zero], [zero])))
    for bad, special in ((np.nan, [1, 0, 1]), (np.inf, [0, 1, 1])):
        row = measures.row([np.array([[bad, 0.0]])], -1, 2, [zero], [zero], [np.array([bad, 0.0])])
        assert list(row[measures.GRADIENT_BARS][:3]) == list(row[measures.OUTPUT_BARS][:3]) == special
        assert not np.isfinite(row[measures.AT["gradient"]])
        assert row[measures.AT["dead"]] == 1  # NaN is no 0
    nothing = measures.row([np.zeros((0, 3))], -1, 0, [], [], [])
    assert nothing[measures.AT["outputs"]] == 0
    assert np.isnan(nothing[measures.AT["mean"]])
    big = [np.array([3e300, 4e300]), np.array([0.0])]
    assert measures.norm(big) == pytest.approx(5e300)


def test_dead_units_are_channels_wherever_they_stand():
    class Half(nn.layers.Layer):
        def __init__(self, axis, **kwargs):
            super().__init__(**kwargs)
            self.axis, self.data_format = axis, "channels_first" if axis == 1 else "channels_last"

        def build(self, shape):
            self.scale = self.add_weight((), "ones")
            super().build(shape)

        def call(self, x):
            alive = np.arange(x.shape[self.axis]) < 3
            return x * self.scale * alive.reshape([-1 if a == self.axis else 1 for a in range(4)])

    x = np.ones((2, 4, 5, 6))
    layers = [Half(3, name="last"), Half(1, name="first"), nn.layers.Flatten(name="flat"), nn.layers.Dense(1)]
    model = nn.Sequential([nn.Input(shape=(4, 5, 6)), *layers])
    model.compile("sgd", "mse")
    watching = watch(model)
    model.fit(x, np.ones((2, 1)), verbose=0, callbacks=[watching])
    assert watching.dead["last"] == [0.5]
    assert watching.dead["first"] == [0.25]
    assert np.isnan(watching.dead["flat"]).all()  # it hands on what is 0
    assert watching.zeros["flat"] == [1 - 9 / 24]


def test_shared_nested_and_recurrent_layers_are_watched_once_each_in_the_order_of_computing():
    nn.utils.set_random_seed(0)
    a, b = nn.Input(shape=(4, 3)), nn.Input(shape=(4, 3))
    shared, inner = nn.layers.LSTM(5, return_sequences=True, name="lstm"), nn.layers.Dense(2, name="same")
    small = nn.Sequential([nn.Input(shape=(5,)), nn.layers.Dense(5, "relu", name="same")], name="small")
    first, second = shared(a), shared(b)
    joined = nn.layers.Add(name="sum")([nn.layers.GlobalAveragePooling1D(name="mean")(t) for t in (first, second)])
    model = nn.Model([a, b], inner(small(joined)))
    model.compile("sgd", "mse")
    watching = watch(model)
    x = np.random.default_rng(0).normal(size=(6, 4, 3))
    model.fit([x, 2 * x], np.ones((6, 2)), verbose=0, callbacks=[watching])
    assert watching.layers == ["lstm", "mean", "mean (2)", "sum", "same", "same (2)"]
    at = watching.layers.index("lstm")
    assert watching.records[0][at, measures.AT["outputs"]] == 2 * 6 * 4 * 5  # both calls
    assert np.isfinite(watching.updates["lstm"]).all()
    found = graph(watching)
    names = [line.name for line in found.lines]
    pairs = {(names[i], names[j]) for i, j in found.arrows}
    assert ("lstm", "mean") in pairs
    assert ("mean", "sum") in pairs
    assert {line.path for line in found.lines} == {(), ("small",)}
    assert all(i < j for i, j in found.arrows)


class Residual(nn.Model):
    """A way around a layer, weights of its own, and a layer that is not called."""

    def __init__(self):
        super().__init__()
        self.first, self.second, self.idle = (nn.layers.Dense(3, name=n) for n in ("first", "second", "idle"))
        self.scale = self.add_weight((), "ones", name="scale")

    def call(self, x):
        y = self.first(x)
        return (y + self.second(y)) * self.scale


def test_a_model_of_ones_own_is_looked_into_with_its_weights_and_its_ways_around():
    model = Residual()
    model.compile("sgd", "mse")
    watching = watch(model)
    model.fit(np.ones((4, 3)), np.zeros((4, 3)), epochs=2, verbose=0, callbacks=[watching])
    assert watching.layers == ["first", "second", model.name, "idle"]
    assert np.isnan(watching.updates["first"][0])  # made in that step, so what it was before is not known
    assert watching.updates["first"][1] > 0
    assert np.isnan(watching.gradients["idle"]).all()
    found = graph(watching)
    names = [line.name for line in found.lines]
    assert names[:3] == ["first", "second", "add"]
    assert set(found.arrows) >= {(0, 1), (0, 2), (1, 2)}
    alone = watch(model.first)  # a layer of a model
    model.fit(np.ones((4, 3)), np.zeros((4, 3)), verbose=0, callbacks=[alone])
    assert alone.layers == ["first"]
    assert graph(alone).arrows == []


def test_of_a_long_training_every_nth_step_is_remembered(monkeypatch):
    module = sys.modules[watch.__module__]
    monkeypatch.setattr(module, "MOST", 4)
    monkeypatch.setattr(module, "MOST_EPOCHS", 8)
    model = deep("tanh", layers=1)
    every_epoch, every_step, executions = watch(model), watch(model, every=3), watch(model)
    fit = functools.partial(model.fit, np.ones((8, 2)), np.ones((8, 1)), 4, verbose=0)
    fit(epochs=19, callbacks=[every_epoch, every_step])
    assert [epoch for epoch, _ in every_epoch.places] == [0, 8, 16]
    assert every_epoch.epochs == [0, 4, 8, 12, 16]
    assert [step for _, step in every_step.places] == [0, 12, 24, 36]
    assert [epoch for epoch, _ in every_step.places] == [0, 6, 12, 18]
    assert len(every_epoch.gradients["out"]) == 3
    model.compile("sgd", mean_square, steps_per_execution=2)
    flat = lambda: np.concatenate([np.ravel(w) for w in model.layers[-1].get_weights()])  # noqa: E731
    before = flat()
    fit(epochs=1, callbacks=[executions])
    change, size = np.linalg.norm(flat() - before), np.linalg.norm(before)
    assert executions.updates["out"][0] == pytest.approx(change / size / 2, rel=1e-3)


def of_rows(**columns):
    """Rows of two layers of which only this is known."""
    rows = np.full((2, measures.WIDTH), np.nan)
    rows[:, len(measures.NAMES) :] = 0
    for name, values in columns.items():
        rows[:, measures.AT[name]] = values
    return rows


def test_a_sentence_is_said_only_where_it_is_true():
    near, far = 1.01 * sentences.APART, 0.99 * sentences.APART
    told = [
        (of_rows(), ""),
        (of_rows(gradient=[near, 1]), "within a factor of"),
        (of_rows(gradient=[far, 1]), "vanish on the way back: a’s are 9.7 × 10⁻⁴ of b’s"),
        (of_rows(gradient=[1, far]), "grow on the way back: a’s are 1000 times b’s"),
        (of_rows(gradient=[0, 1]), "gradients of a are exactly 0"),
        (of_rows(gradient=[0, 0]), "All gradients are exactly 0"),
        (of_rows(gradient=[1, np.nan]), ""),  # one layer only: nothing to compare
        (of_rows(units=10, dead=[3, 4], outputs=100), "4 of 10 units of b are dead"),
        (of_rows(units=10, dead=[3, 4], outputs=99), ""),
        (of_rows(units=10, dead=[3, 0], outputs=100), ""),
        (of_rows(update_norm=[0.2, 1e-3], weight_norm=1), "weights of a move by 0.2 of their size"),
        (of_rows(update_norm=[0.1, 1e-3], weight_norm=1), ""),
        (of_rows(update_norm=[1, 1], weight_norm=[1e3, 0]), "weights of b begin at 0 and move"),
        (of_rows(update_norm=[9e-6, 1e-7], weight_norm=1), "Hardly anything moves: 9 × 10⁻⁶"),
        (of_rows(update_norm=[1e-5, 1e-7], weight_norm=1), ""),
        (of_rows(update_norm=[0, 0], weight_norm=1), "Hardly anything moves: 0"),
    ]
    for rows, expected in told:
        found = sentences.sentence("ab", rows)
        assert (expected in found) if expected else found == "", (expected, found)
    broken = of_rows(gradient=[far, np.nan], reached=7)
    broken[1, measures.GRADIENT_BARS.start] = 3
    assert sentences.sentence("ab", broken) == "Of the 7 gradients of b, 3 are NaN."


def test_the_page_of_a_long_training_of_a_deep_network_stays_small(tmp_path):
    model = deep("relu", layers=1)
    watching = watch(model)
    model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0, callbacks=[watching])
    row = watching.records[0][:1]
    watching.layers = [f"layer_{i}" for i in range(100)]
    watching.records = [np.repeat(row * (1 + n / 100), 100, axis=0) for n in range(256)]
    watching.places = [[40 * n, 40 * n] for n in range(256)]
    watching.epochs, watching.losses = list(range(0, 10240, 5)), [[1.234567, None]] * 2048
    file = watching.save(tmp_path / "deep.html")
    assert file.stat().st_size < 2_500_000
    assert "one in 4 is here" in file.read_text("utf-8")


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
    gradients, updates, spreads = watching.plot().axes
    assert {axes.get_xscale() for axes in (gradients, updates, spreads)} == {"log"}
    assert [t.get_text() for t in gradients.get_yticklabels()] == watching.layers
    lines = [line for line in gradients.lines if len(line.get_xdata())]
    assert len(lines) == 3
    assert list(lines[-1].get_xdata()) == [watching.gradients[n][-1] for n in watching.layers]
    assert lines[-1].get_linewidth() > lines[0].get_linewidth()
    assert list(gradients.get_ylim()) == sorted(gradients.get_ylim(), reverse=True)  # the first layer at the top


def test_no_label_of_a_plot_lies_on_another():
    agg = pytest.importorskip("matplotlib.backends.backend_agg")
    _, watching = trained("relu")
    for layers, dark in ((1, False), (40, True)):
        watching.layers = [f"hidden_{i + 1}" for i in range(layers)]
        watching.records = [np.repeat(watching.records[0][:1] * 0.2**n, layers, axis=0) for n in range(7)]
        watching.records[-1][0, : len(measures.NAMES)] = 0  # on a logarithmic axis
        watching.places = [[n, 4 * n] for n in range(7)]
        figure = watching.plot(dark)
        canvas = agg.FigureCanvasAgg(figure)
        canvas.draw()
        texts = [text for axes in figure.axes for text in (axes.title, *axes.get_xticklabels(), axes._left_title)]
        texts += [*figure.axes[0].get_yticklabels(), *figure.legends[0].get_texts()]
        boxes = [text.get_window_extent() for text in texts if text.get_text() and text.get_visible()]
        for i, one in enumerate(boxes):
            assert not any(one.overlaps(other) for other in boxes[i + 1 :])
            assert one.x0 >= 0
            assert one.x1 <= figure.bbox.x1


def test_what_cannot_be_watched_is_said():
    with pytest.raises(TypeError, match="watch: expected the model"):
        watch("model")
    for every in (0, 1.5):
        with pytest.raises(ValueError, match="every, unless it is None"):
            watch(deep("tanh"), every)
    for show in (lambda w: w.plot(), lambda w: w.save("training.html")):
        with pytest.raises(ValueError, match="nothing was trained"):
            show(watch(deep("tanh")))
    _, watching = trained("tanh")
    with pytest.raises(TypeError, match=r"beside: expected what nn\.watch\(model\) gave.*'relu'"):
        watching.save("training.html", beside="relu")
    with pytest.raises(ValueError, match="nothing was trained"):
        watching.save("training.html", beside=watch(deep("tanh")))
    with pytest.raises(ValueError, match=r"ends in \.html.*'training\.png'"):
        watching.save("training.png")


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
