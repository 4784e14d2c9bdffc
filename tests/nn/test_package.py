"""nn is a composition of recorded ops, in Keras' words."""

from __future__ import annotations

import ast
import html
import inspect
import json
import operator
import pathlib
import pickle
import re
import types

import numpy as np
import pytest

import autograd_core as ag
import nn

FILES = sorted(pathlib.Path(nn.__file__).parent.rglob("*.py"))


def test_there_is_no_gradient_rule_in_nn():
    """No op and no rule is made in it, and no gradient is written by hand: nothing there sets a `.grad`."""
    for file in FILES:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Attribute):
                assert node.attr not in {"vjp", "rules", "REGISTRY"}, f"{file}:{node.lineno}"
            if isinstance(node, ast.Name):
                assert node.id not in {"vjp", "ufunc", "Op", "REGISTRY"}, f"{file}:{node.lineno}"
            if isinstance(node, ast.ImportFrom):
                assert node.module != "autograd_core.op", f"{file}:{node.lineno}"
                assert not {"op", "ufunc", "Op", "composed"} & {a.name for a in node.names}, f"{file}:{node.lineno}"
            if isinstance(node, ast.Assign | ast.AugAssign):
                for target in ast.walk(node):
                    if (
                        isinstance(target, ast.Attribute)
                        and isinstance(target.ctx, ast.Store)
                        and target.attr == "grad"
                    ):
                        assert isinstance(node.value, ast.Constant), f"{file}:{node.lineno}"
                        assert node.value.value is None, f"{file}:{node.lineno}"
    assert len(FILES) > 50
    for op in ag.REGISTRY.values():
        assert not op.__module__.startswith("nn"), op


# Files of the machinery that layers stand on.
MACHINERY = {"__init__.py", "layer.py", "images.py", "operation.py", "symbolic.py"}


def test_layers_are_short_and_one_kind_a_file():
    """One class, or what is derived from it: over one axis, over two. None is long."""
    for file in FILES:
        if file.parent.name != "layers" or file.name in MACHINERY:
            continue
        public = [n for n in ast.parse(file.read_text()).body if isinstance(n, ast.ClassDef | ast.FunctionDef)]
        classes = {n.name: {ast.unparse(b) for b in n.bases} for n in public if isinstance(n, ast.ClassDef)}
        assert sum(not bases & classes.keys() for bases in classes.values()) == 1, file
        for thing in public:
            parts = [n for n in ast.walk(thing) if isinstance(n, ast.ClassDef | ast.FunctionDef)]
            described = sum(len((ast.get_docstring(n) or "").splitlines()) for n in parts)
            assert thing.end_lineno - thing.lineno - described <= 150, (file, thing.name)


def test_everything_public_says_what_it_is():
    for module in (nn.layers, nn.optimizers, nn.callbacks, nn.losses, nn.metrics, nn.initializers, nn.activations):
        for name in getattr(module, "__all__", None) or [n for n in vars(module) if not n.startswith("_")]:
            thing = getattr(module, name)
            if callable(thing) and getattr(thing, "__module__", "").startswith("nn."):
                assert thing.__doc__, (module.__name__, name)


NAMES = {
    "layers": "Dense Flatten Reshape Dropout Activation Conv1D Conv2D MaxPooling1D MaxPooling2D AveragePooling1D "
    "AveragePooling2D GlobalAveragePooling1D GlobalAveragePooling2D GlobalMaxPooling1D GlobalMaxPooling2D "
    "ZeroPadding2D BatchNormalization LayerNormalization Embedding Rescaling Lambda LeakyReLU Softmax Input "
    "ReLU ELU Identity Permute RepeatVector GaussianNoise SpatialDropout1D SpatialDropout2D UpSampling1D UpSampling2D "
    "Cropping1D Cropping2D ZeroPadding1D Conv1DTranspose Conv2DTranspose DepthwiseConv1D DepthwiseConv2D "
    "SeparableConv1D SeparableConv2D GroupNormalization Normalization Masking SimpleRNN GRU LSTM RNN SimpleRNNCell "
    "GRUCell LSTMCell Bidirectional TimeDistributed MultiHeadAttention Attention "
    "AvgPool1D AvgPool2D MaxPool1D MaxPool2D GlobalAvgPool1D GlobalAvgPool2D GlobalMaxPool1D GlobalMaxPool2D "
    "serialize deserialize",
    "activations": "linear relu leaky_relu elu selu gelu silu swish softplus softsign sigmoid hard_sigmoid tanh "
    "exponential softmax log_softmax get serialize deserialize",
    "losses": "CategoricalCrossentropy SparseCategoricalCrossentropy BinaryCrossentropy MeanSquaredError "
    "MeanAbsoluteError Huber KLDivergence MeanAbsolutePercentageError MeanSquaredLogarithmicError LogCosh Poisson "
    "Hinge SquaredHinge CategoricalHinge CosineSimilarity mean_absolute_percentage_error log_cosh poisson "
    "mean_squared_logarithmic_error hinge squared_hinge categorical_hinge cosine_similarity get serialize deserialize",
    "optimizers": "SGD RMSprop Adagrad Adadelta Adam AdamW schedules get serialize deserialize",
    "metrics": "Accuracy BinaryAccuracy CategoricalAccuracy SparseCategoricalAccuracy TopKCategoricalAccuracy "
    "SparseTopKCategoricalAccuracy MeanAbsoluteError MeanSquaredError Precision Recall AUC "
    "TruePositives FalsePositives TrueNegatives FalseNegatives R2Score CosineSimilarity BinaryCrossentropy Hinge "
    "CategoricalCrossentropy SparseCategoricalCrossentropy MeanAbsolutePercentageError RootMeanSquaredError Sum "
    "mean_squared_error mean_absolute_error binary_crossentropy categorical_crossentropy kl_divergence huber "
    "sparse_categorical_crossentropy get serialize deserialize",
    "callbacks": "History EarlyStopping ModelCheckpoint ReduceLROnPlateau LearningRateScheduler CSVLogger "
    "TerminateOnNaN LambdaCallback BackupAndRestore TensorBoard Callback",
    "utils": "to_categorical set_random_seed plot_model",
    "backend": "image_data_format clear_session",
    "models": "Sequential Model load_model",
    "initializers": "zeros ones constant random_normal random_uniform truncated_normal variance_scaling "
    "glorot_normal glorot_uniform he_normal he_uniform lecun_normal lecun_uniform get serialize deserialize",
    "regularizers": "L1 L2 get serialize deserialize",
    "constraints": "MaxNorm MinMaxNorm NonNeg UnitNorm max_norm min_max_norm non_neg unit_norm get serialize "
    "deserialize",
}


def test_keras_names_are_here_and_are_keras_names(keras):
    for module, names in NAMES.items():
        for name in names.split():
            assert hasattr(getattr(nn, module), name), (module, name)
            if name != "swish":
                assert hasattr(getattr(keras, module), name), (module, name)


# Where a parameter of ours is not where Keras has it, or has no counterpart there, and why.
INTENDED = {
    "layers.InputSpec": "a check of ours, with axes and lengths only",
    "callbacks.CallbackList": "made by the trainer, not by scripts",
}


def shared():
    for module in ("layers", "losses", "metrics", "optimizers", "optimizers.schedules", "callbacks", "initializers",
                   "constraints", "regularizers", "activations", "utils", "models"):  # fmt: skip
        ours = operator.attrgetter(module)(nn)
        for name in ours.__all__ if hasattr(ours, "__all__") else dir(ours):
            if not name.startswith("_") and callable(getattr(ours, name)) and f"{module}.{name}" not in INTENDED:
                yield f"{module}.{name}"


def by_place(thing):
    """The names of the parameters that may be given by place; None for a constructor that takes whatever comes."""
    parameters = inspect.signature(thing).parameters.values()
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return None
    return [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]


@pytest.mark.parametrize("name", list(shared()))
def test_arguments_given_by_place_mean_what_they_mean_in_keras(keras, name):
    try:
        theirs = by_place(operator.attrgetter(name)(keras))
    except AttributeError:
        return  # a name of our own
    ours = by_place(operator.attrgetter(name)(nn))
    if ours is not None and theirs is not None:
        assert ours == theirs[: len(ours)]


def test_the_base_classes_take_their_arguments_in_keras_order(keras):
    for name in ("metrics.Metric", "losses.Loss"):
        get = operator.attrgetter(name)
        ours = [p for p in by_place(get(nn)) if p in by_place(get(keras))]
        assert ours == by_place(get(keras))[: len(ours)]
    base = next(cls for cls in keras.optimizers.SGD.__mro__ if cls.__name__ == "BaseOptimizer")
    theirs = by_place(base.__init__)
    ours = by_place(nn.optimizers.Optimizer.__init__)
    assert ours == theirs[: len(ours)]


def test_what_keras_takes_by_place_arrives():
    assert nn.layers.MaxPooling2D(2, None, "valid", None, "pool").name == "pool"
    assert nn.metrics.Metric("float32", "mine").name == "mine"
    assert nn.optimizers.SGD(0.1, 0.9, True, 0.01, None, 0.5).clipvalue == 0.5
    assert nn.optimizers.AdamW(0.1, 0.01, 0.9, 0.99, 1e-7, False, 2.0).clipnorm == 2.0
    assert nn.callbacks.BackupAndRestore("folder", "epoch", False, False).delete_checkpoint is False
    assert nn.callbacks.TensorBoard("folder", 1, False, False, False, 5).update_freq == 5
    with pytest.raises(ValueError, match=r"embeddings_freq: expected none.*got 1"):
        nn.callbacks.TensorBoard(embeddings_freq=1)


def test_the_functions_among_the_metrics_give_one_number_for_each_example_as_keras_do(keras):
    rng = np.random.default_rng(0)
    rows = rng.dirichlet(np.ones(3), (2, 5)).astype("float32")
    hits = rng.integers(0, 2, (5, 3)).astype("float32")
    targets = {
        "sparse_categorical_crossentropy": np.array([0, 1, 2, 1, 0]),
        "binary_crossentropy": hits, "categorical_crossentropy": np.eye(3, dtype="float32")[[0, 1, 2, 1, 0]],
    }  # fmt: skip
    for name in (*targets, "mean_squared_error", "mean_absolute_error", "kl_divergence", "huber"):
        y_true = targets.get(name, rows[0])
        ours = np.asarray(getattr(nn.metrics, name)(y_true, rows[1]).numpy())
        theirs = np.asarray(getattr(keras.metrics, name)(y_true, rows[1]))
        assert ours.shape == theirs.shape
        np.testing.assert_allclose(ours, theirs, rtol=1e-5)


def test_custom_objects_are_looked_up_first():
    """Also where they have the name of one of ours."""

    def relu(x):
        return -x

    class L2(nn.regularizers.Regularizer):
        pass

    class Doubled(nn.layers.Layer):
        def call(self, x):
            return 2 * x

    class SGD(nn.optimizers.Optimizer):
        pass

    class Slow(nn.optimizers.schedules.LearningRateSchedule):
        pass

    for module in (nn.activations, nn.losses, nn.metrics):
        assert module.deserialize("relu", {"relu": relu}) is relu
    assert type(nn.regularizers.deserialize({"class_name": "L2", "config": {}}, {"L2": L2})) is L2
    assert type(nn.initializers.deserialize("zeros", {"zeros": nn.initializers.Ones})) is nn.initializers.Ones
    assert type(nn.optimizers.deserialize({"class_name": "SGD", "config": {}}, {"SGD": SGD})) is SGD
    slow = {"class_name": "Slow", "config": {}}
    assert type(nn.optimizers.schedules.deserialize(slow, custom_objects={"Slow": Slow})) is Slow
    known = {"Doubled": Doubled}
    assert type(nn.layers.deserialize(config=nn.layers.serialize(Doubled()), custom_objects=known)) is Doubled
    model = nn.Sequential([nn.Input(shape=(1,)), Doubled(), nn.Sequential([Doubled()])])
    again = nn.Sequential.from_config(model.get_config(), known)
    assert again(np.ones((1, 1))).item() == 4
    with pytest.raises(ValueError, match="unknown layer 'Doubled'"):
        nn.Sequential.from_config(model.get_config())


REGISTRIES = ("activations", "constraints", "initializers", "layers", "losses", "metrics", "optimizers",
              "optimizers.schedules", "regularizers")  # fmt: skip


@pytest.mark.parametrize("name", REGISTRIES)
def test_get_serialize_and_deserialize_are_called_as_those_of_keras(keras, name):
    ours, theirs = operator.attrgetter(name)(nn), operator.attrgetter(name)(keras)
    called = {f for f in ("get", "serialize", "deserialize") if f in ours.__all__}
    assert called == {f for f in ("get", "serialize", "deserialize") if hasattr(theirs, f)}
    for f in called:
        mine = getattr(ours, f)
        parameters = [inspect.signature(function).parameters for function in (mine, getattr(theirs, f))]
        assert [(p.name, p.default) for p in parameters[0].values()] == [
            (p.name, p.default) for p in parameters[1].values()
        ]
        assert pickle.loads(pickle.dumps(mine)) is mine
        with pytest.raises(TypeError, match="argument"):
            mine()


@pytest.mark.parametrize("name", REGISTRIES)
def test_all_that_a_registry_knows_comes_back_from_plain_data(name):
    module = operator.attrgetter(name)(nn)
    decaying = {"initial_learning_rate": 0.1, "decay_steps": 3}
    window = {"filters": 1, "kernel_size": 1}
    given = {
        "Conv1DTranspose": window, "Conv2DTranspose": window, "SeparableConv1D": window, "SeparableConv2D": window,
        "DepthwiseConv1D": {"kernel_size": 1}, "DepthwiseConv2D": {"kernel_size": 1}, "Permute": {"dims": (1,)},
        "RepeatVector": {"n": 2}, "GaussianNoise": {"stddev": 0.1}, "SpatialDropout1D": {"rate": 0.5},
        "SpatialDropout2D": {"rate": 0.5}, "MultiHeadAttention": {"num_heads": 2, "key_dim": 3},
        **{name: {"units": 2} for name in ("SimpleRNN", "GRU", "LSTM", "SimpleRNNCell", "GRUCell", "LSTMCell")},
        **{name: {"layer": nn.layers.LSTM(2)} for name in ("Bidirectional", "TimeDistributed")},
        "RNN": {"cell": nn.layers.LSTMCell(2)}, "StackedRNNCells": {"cells": [nn.layers.GRUCell(2)]},
        "Activation": {"activation": "relu"}, "Conv1D": window,
        "Conv2D": window, "CosineDecay": decaying,
        "Dense": {"units": 1}, "Dropout": {"rate": 0.5},
        "Embedding": {"input_dim": 2, "output_dim": 1},
        "ExponentialDecay": {**decaying, "decay_rate": 0.5},
        "Dot": {"axes": 1}, "InputLayer": {"shape": (1,)}, "Lambda": {"function": abs},
        "Operation": {"function": np.exp}, "Rescaling": {"scale": 2.0}, "PolynomialDecay": decaying,
        "InverseTimeDecay": {**decaying, "decay_rate": 0.5},
        "CosineDecayRestarts": {"initial_learning_rate": 0.1, "first_decay_steps": 3},
        "PiecewiseConstantDecay": {"boundaries": [1], "values": [0.1, 0.2]}, "Reshape": {"target_shape": (2,)},
    }  # fmt: skip
    for known in module.registry.known.values():
        thing = known(**given.get(known.__name__, {})) if isinstance(known, type) else known
        plain = json.loads(json.dumps(module.serialize(thing)))
        again = module.deserialize(plain, {"abs": abs})
        assert type(again) is type(thing)
        assert module.serialize(again) == plain


def test_initializers_have_keras_lower_case_names(keras):
    for name in NAMES["initializers"].split()[:-3]:
        ours, theirs = getattr(nn.initializers, name), getattr(keras.initializers, name)
        assert ours.__name__ == theirs.__name__


SCRIPT = """
import tensorflow as tf
from tensorflow.keras.datasets import mnist
model = tf.keras.models.Sequential([
    tf.keras.layers.Flatten(input_shape=(8, 8)),
    tf.keras.layers.Dense(16, activation=tf.nn.relu),
    tf.keras.layers.Dropout(0.2),
    tf.keras.layers.Dense(10, activation=tf.nn.softmax),
])
model.compile(optimizer=tf.keras.optimizers.RMSprop(learning_rate=0.01), loss="sparse_categorical_crossentropy",
              metrics=["acc"])
history = model.fit(x_train, y_train, epochs=3, batch_size=32, validation_split=0.2, verbose=0)
score = model.evaluate(x_test, y_test, verbose=0)
"""


def test_a_script_written_for_keras_runs_with_its_import_lines_changed():
    from datasets import digits

    (x_train, y_train), (x_test, y_test) = digits.load_data()
    script = SCRIPT.replace("import tensorflow as tf", "import nn as keras")
    script = script.replace("from tensorflow.keras.datasets import mnist", "from datasets import mnist")
    script = script.replace("tf.keras.", "keras.").replace("tf.nn.", "keras.activations.")
    names = {"x_train": x_train / 16, "y_train": y_train, "x_test": x_test / 16, "y_test": y_test}
    nn.utils.set_random_seed(0)
    exec(script, names)
    assert names["score"][1] > 0.8
    assert list(names["history"].history) == ["acc", "loss", "val_acc", "val_loss"]


def test_datasets_is_found_through_nn():
    import datasets

    assert nn.datasets is datasets


def test_another_package_called_datasets_is_reported_with_its_place(tmp_path, monkeypatch):
    import sys
    import types

    other = types.ModuleType("datasets")
    other.__file__ = str(tmp_path / "datasets" / "__init__.py")
    monkeypatch.delattr(nn, "datasets")
    monkeypatch.delitem(sys.modules, "nn.datasets")
    monkeypatch.setitem(sys.modules, "datasets", other)
    with pytest.raises(ImportError, match=r"hidden by another package of that name.*environment of its own"):
        nn.datasets


def printed(model):
    lines = []
    model.summary(print_fn=lines.append)
    return lines


def test_the_summary_is_keras_table(keras):
    tables = []
    for library in (nn, keras):
        library.backend.clear_session()
        model = library.Sequential([
            library.Input(shape=(28, 28, 1)), library.layers.Conv2D(32, 3),
            library.layers.BatchNormalization(name="bn"), library.layers.Flatten(), library.layers.Dense(128),
        ])  # fmt: skip
        lines = []
        model.summary(print_fn=lambda line, *a, lines=lines, **k: lines.append(line))
        text = "\n".join(lines)
        cells = [re.split(r"\s*[│┃]\s*", row.strip("│┃ ")) for row in text.splitlines() if "│" in row or "┃" in row]
        tables.append((cells, re.findall(r"params: ([\d,]+) \((.*?)\)", text)))
    assert tables[0] == tables[1]
    assert ["conv2d (Conv2D)", "(None, 26, 26, 32)", "320"] in tables[0][0]
    assert tables[0][1][0] == ("2,769,472", "10.56 MB")


def test_the_summary_counts_the_optimizer_s_parameters_as_keras_does(keras):
    tables = []
    for library in (nn, keras):
        model = library.Sequential([library.Input(shape=(3,)), library.layers.Dense(5), library.layers.Dense(1)])
        model.compile("adam", "mse")
        text = []
        for _ in range(2):
            lines = []
            model.summary(print_fn=lambda line, *a, lines=lines, **k: lines.append(line))
            text.append(re.findall(r"(\S+) params: ([\d,]+) \((.*?)\)", "\n".join(lines)))
            model.fit(np.ones((4, 3)), np.ones((4, 1)), verbose=0)
        tables.append(text)
    assert tables[0] == tables[1]
    assert [name for name, _, _ in tables[0][1]] == ["Total", "Trainable", "Non-trainable", "Optimizer"]


def nested(library):
    """A model in a model, part of which does not train."""
    library.backend.clear_session()
    inner = library.Sequential([library.Input(shape=(4,)), library.layers.Dense(3, name="a")], name="inner")
    inner.trainable = False
    return library.Sequential([
        library.Input(shape=(4,)), inner, library.layers.Flatten(name="b"), library.layers.Dense(1, name="c"),
    ])  # fmt: skip


@pytest.mark.parametrize(
    "options",
    [{"expand_nested": True}, {"show_trainable": True}, {"expand_nested": True, "show_trainable": True},
     {"layer_range": ("b", "c")}, {"layer_range": ["inner", "b"]}, {"positions": [0.5, 0.7, 1.0]}],
)  # fmt: skip
def test_the_summary_shows_what_keras_shows(keras, options, monkeypatch):
    monkeypatch.setenv("COLUMNS", "130")  # room for all columns
    tables = []
    for library in (nn, keras):
        lines = []
        nested(library).summary(120, print_fn=lambda line, *a, lines=lines, **k: lines.append(line), **options)
        rows = [row.strip("│┃ ") for row in "\n".join(lines).splitlines() if "│" in row or "┃" in row]
        tables.append([re.split(r"\s*[│┃]\s*", row) for row in rows])
    assert tables[0] == tables[1]


def branching(library):
    """A model with ways around, a shared layer, a model in it, and one that is a chain."""
    library.backend.clear_session()
    L = library.layers
    x, z = library.Input(shape=(4,), name="x"), library.Input(shape=(4,), name="z")
    inner = library.Sequential([library.Input(shape=(4,)), L.Dense(4, name="a")], name="inner")
    shared = L.Dense(4, name="shared")
    both = L.Concatenate(name="both")([shared(x), shared(z), inner(x)])
    pair = library.Model([x, z], [L.Add(name="sum")([shared(z), x]), L.Dense(2, name="out")(both)], name="pair")
    u = library.Input(shape=(4,), name="u")
    again = library.Input(shape=(4,), name="again")
    return [
        pair,
        library.Model(u, L.Dense(2, name="d")(L.Flatten(name="f")(u)), name="chain"),
        library.Model(again, shared(shared(again)), name="twice"),
    ]


def test_the_summary_says_what_is_connected_to_what_as_keras_does(keras, monkeypatch):
    monkeypatch.setenv("COLUMNS", "260")
    tables = []
    for library in (nn, keras):
        tables.append([])
        for model in branching(library):
            for options in ({}, {"show_trainable": True, "expand_nested": True}):
                lines = []
                model.summary(250, print_fn=lambda line, *a, lines=lines, **k: lines.append(line), **options)
                rows = [row.strip("│┃ ") for row in "\n".join(lines).splitlines() if "│" in row or "┃" in row]
                cells = [re.split(r"\s*[│┃]\s*", row) for row in rows]
                tables[-1].append([[cell for cell in row if cell] for row in cells])
    assert tables[0] == tables[1]
    heads = [table[0][-1] for table in tables[0][::2]]
    assert heads == ["Connected to", "Param #", "Connected to"]


def test_the_columns_of_a_summary_end_where_they_are_told_to():
    lines = []
    nested(nn).summary(100, [0.5, 0.8, 1.0], lines.append)
    ends = [i for i, character in enumerate(lines[1]) if character in "┳┓"]
    assert ends == pytest.approx([50, 80, 100], abs=2)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"layer_range": ("b", "d")}, "no layer is called 'd'"),
        ({"layer_range": "b"}, "pair of names"),
        ({"positions": [0.5, 0.4, 1.0]}, "ends of 3 columns"),
    ],
)
def test_a_summary_that_cannot_be_is_refused(options, words):
    with pytest.raises(ValueError, match=words):
        nested(nn).summary(**options)


def test_a_summary_of_what_is_not_built_says_so():
    text = "\n".join(printed(nn.Sequential([nn.layers.Dense(3)])))
    assert "not built: pass Input(" in text


def test_what_never_has_weights_has_none_before_it_is_built_as_in_keras(keras):
    counts = []
    for library in (nn, keras):
        layers, lines = library.layers, []
        model = library.Sequential(
            [layers.Dense(3), layers.Dropout(0.1), layers.Activation("relu"), layers.LeakyReLU()]
        )
        model.summary(print_fn=lambda line, *a, lines=lines, **k: lines.append(line))
        rows = [row.split("│")[-2] for row in "\n".join(lines).splitlines() if "(" in row and row.count("│") > 2]
        counts.append([row.strip() for row in rows])
    assert counts[0] == ["0 (not built)", "0", "0", "0"]
    assert counts[1] == ["0 (unbuilt)", "0", "0", "0"]


@pytest.mark.parametrize(
    ("name", "inside"),
    [
        ("input", lambda layers, shape: [shape((4,)), layers.Dense(3), layers.Dense(2)]),
        ("sequences", lambda layers, shape: [shape((None, 4)), layers.Conv1D(2, 3)]),
        ("late", lambda layers, shape: [layers.Dense(3)]),
    ],
)
def test_a_sequential_knows_its_shapes_as_in_keras(keras, name, inside):
    shapes = []
    for library in (nn, keras):
        model = library.Sequential(inside(library.layers, lambda shape, of=library: of.Input(shape=shape)))
        if name == "late":
            model.build((None, 4))
        outer = library.Sequential([model, library.layers.Dense(1)])
        found = [model.input_shape, model.output_shape, outer.input_shape, outer.output_shape]
        if name == "input":
            model.pop()
            found += [model.input_shape, model.output_shape]
        shapes.append(found)
    assert shapes[0] == shapes[1]


def test_a_sequential_finds_its_shapes_when_it_is_called():
    model = nn.Sequential([nn.layers.Dense(3)])
    assert model.input_shape is model.output_shape is None
    model(np.ones((5, 4)))
    assert (model.input_shape, model.output_shape) == ((None, 4), (None, 3))
    again = nn.Sequential.from_config(model.get_config())
    assert (again.input_shape, again.output_shape) == ((None, 4), (None, 3))


def test_input_shape_on_the_first_layer_builds_the_model():
    model = nn.Sequential()
    model.add(nn.layers.Dense(3, input_shape=(4,)))
    model.add(nn.layers.Dense(2))
    assert model.count_params() == 15 + 8
    assert model.pop().units == 2
    assert model.count_params() == 15
    assert model.get_layer(index=0).units == 3


def test_unknown_lengths_stay_unknown():
    model = nn.Sequential([nn.Input(shape=(None, 4)), nn.layers.Conv1D(3, 3), nn.layers.GlobalMaxPooling1D()])
    assert model.layers[0].output_shape == (None, None, 3)
    assert model.output_shape == (None, 3)
    assert model.predict(np.ones((2, 9, 4)), verbose=0).shape == (2, 3)


def test_to_categorical_is_keras(keras):
    for labels, classes in ([[0, 2, 1], None], [[[1], [0]], 3], [np.array([[0, 1], [2, 2]]), 4]):
        np.testing.assert_array_equal(
            nn.utils.to_categorical(labels, classes), keras.utils.to_categorical(labels, classes)
        )


def test_layers_called_on_arrays_give_tensors_of_their_dtype():
    for dtype in ("float32", "float64"):
        y = nn.layers.Dense(2, "relu", dtype=dtype)(np.ones((2, 3)))
        assert isinstance(y, ag.Tensor)
        assert y.dtype == dtype


def test_gradients_reach_the_input_of_a_model():
    """Which pixel matters: what saliency maps are made of."""
    model = nn.Sequential([nn.layers.Dense(4, "tanh"), nn.layers.Dense(1)])
    x = ag.Tensor(np.ones((2, 3), "float32"))
    model(x).sum().backward()
    assert x.grad.shape == (2, 3)
    gradient = ag.grad(lambda a: np.sum(model(a)))(np.ones((2, 3), "float32"))
    np.testing.assert_allclose(gradient.numpy(), x.grad, rtol=1e-6)


def test_nothing_is_left_for_the_garbage_collector_after_a_training():
    import gc

    model = nn.Sequential([nn.layers.Dense(4, "relu"), nn.layers.Dense(2, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(np.ones((64, 3)), np.zeros(64), verbose=0)
    gc.collect()
    model.fit(np.ones((640, 3)), np.zeros(640), verbose=0)
    alive = [o for o in gc.get_objects() if type(o) is ag.Node]
    parameters = {id(w.node) for w in model.weights}
    assert [o for o in alive if o.op is not None and any(id(p) in parameters for p in o.parents)] == []


@pytest.mark.parametrize("size", [1, 7, 33])
def test_the_batch_size_does_not_change_a_prediction(size):
    model = nn.Sequential([nn.layers.Dense(4, "relu"), nn.layers.Dense(2, "softmax")])
    x = np.random.default_rng(0).normal(size=(33, 3))
    np.testing.assert_allclose(
        model.predict(x, batch_size=size, verbose=0), model.predict(x, verbose=0), rtol=1e-6, atol=1e-7
    )


class Dot:
    """Stands for pydot, and remembers what Keras writes: nodes with their texts, frames, and edges."""

    def __init__(self, *names, label=None, graph_name=None, **settings):
        self.names, self.label, self.frame, self.parts = names, label, graph_name, []

    def add(self, part):
        self.parts.append(part)

    add_node = add_edge = add_subgraph = add

    def get_edge(self, *names):
        return [part for part in self.parts if part.names == names]

    def set(self, *setting, **settings):
        pass

    set_node_defaults = set

    def told(self, path=()):
        """Texts and frame of each node, and the edges, by the texts of their ends."""
        texts, found, edges = {}, [], []
        for part in self.parts:
            if part.frame is not None:
                inside = part.told((*path, part.frame))
                texts |= inside[0]
                found += inside[1]
                edges += inside[2]
            elif len(part.names) == 2:
                edges.append(part.names)
            else:
                rows = re.findall(r"<font[^>]*>(.*?)</font>", part.label)
                texts[part.names[0]] = tuple(html.unescape(re.sub("<.*?>", "", row)) for row in rows)
                found.append((texts[part.names[0]], path))
        return texts, found, edges


def pictured(library, options, monkeypatch):
    """What Keras' picture says of some models, or ours: boxes with their frames, and arrows."""
    found = []
    library.backend.clear_session()
    L = library.layers
    inner = library.Sequential(
        [library.Input(shape=(4,)), L.Dense(4, "relu", name="a"), L.Dense(4, name="b")], name="inner"
    )
    inner.layers[0].trainable = False
    x = library.Input(shape=(4,), name="x")
    y = L.Add(name="add")([inner(x), x])
    z = library.Input(shape=(4,), name="z")
    shared = L.Dense(2, "tanh", name="shared")
    deep = library.Model([x, z], [shared(y), L.Concatenate(name="both")([shared(z), shared(y)])], name="deep")
    u, v = library.Input(shape=(4,), name="u"), library.Input(shape=(4,), name="v")
    whole = library.Model([u, v], deep([u, v])[1], name="whole")
    chain = library.Sequential(
        [library.Input(shape=(6, 6, 1)), L.Conv2D(2, 3, name="c"), L.Flatten(name="f"), L.Dropout(0.5, name="d"),
         library.Sequential([library.Input(shape=(32,)), L.Dense(3, "softmax", name="e")], name="last")]
    )  # fmt: skip
    for model in (chain, deep, whole):
        if library is nn:
            drawing = nn.utils.plot_model(model, None, **options)
            texts = {box.key: (box.title, *box.lines) for box in drawing.boxes}
            boxes = [(texts[box.key], box.layers) for box in drawing.boxes]
            edges = [(arrow.start, arrow.end) for arrow in drawing.arrows]
        else:
            from keras.src.utils import model_visualization

            pydot = types.SimpleNamespace(Dot=Dot, Cluster=Dot, Node=Dot, Edge=Dot)
            monkeypatch.setattr(model_visualization, "pydot", pydot)
            texts, boxes, edges = model_visualization.model_to_dot(model, **options).told()
        found.append((sorted(boxes), sorted((texts[a], texts[b]) for a, b in edges)))
    return found


def test_a_model_s_picture_says_what_keras_says(keras, monkeypatch):
    """Keras decides which boxes there are, what stands in them, in which frames, and which arrows lead where."""
    for n in range(8):
        asked = ("show_shapes", "show_dtype", "show_layer_activations", "show_trainable")
        options = {name: bool(n >> i & 1) for i, name in enumerate(asked[:3])} | {"show_trainable": n % 3 == 1}
        options |= {"show_layer_names": True, "expand_nested": n % 2 == 0}
        ours, theirs = (pictured(library, options, monkeypatch) for library in (nn, keras))
        assert ours == theirs, options
    bare = [pictured(library, {"show_layer_names": False}, monkeypatch) for library in (nn, keras)]
    assert bare[0] == bare[1]
    assert (("Sequential",), ()) in bare[0][0][0]


def test_a_model_is_drawn_into_a_file(tmp_path):
    model = nn.Sequential([nn.Input(shape=(3,)), nn.layers.Dense(4, "relu", name="hidden"), nn.layers.Dense(1)])
    drawing = nn.utils.plot_model(model, tmp_path / "model.dot", False, False, True)
    assert "hidden (Dense)" in (tmp_path / "model.dot").read_text()
    assert "rankdir=TB" in drawing.source
    assert "rankdir=LR" in nn.utils.plot_model(model, None, rankdir="LR").source
    with pytest.raises(ValueError, match="is not built"):
        nn.utils.plot_model(nn.Sequential([nn.layers.Dense(1)]))
    with pytest.raises(ValueError, match="direction LR, RL, TB or BT, got 'up'"):
        nn.utils.plot_model(model, None, rankdir="up")


def test_a_picture_has_as_many_dots_as_it_was_told(tmp_path):
    pytest.importorskip("pygraphviz")
    model = nn.Sequential([nn.Input(shape=(3,)), nn.layers.Dense(1)])
    widths = []
    for dpi in (50, 100):
        nn.utils.plot_model(model, tmp_path / "model.png", show_shapes=True, dpi=dpi)
        widths.append(int.from_bytes((tmp_path / "model.png").read_bytes()[16:20], "big"))
    assert widths[1] == pytest.approx(2 * widths[0], rel=0.02)
    with pytest.raises(ValueError, match="dpi: expected a whole number from 1 on"):
        nn.utils.plot_model(model, None, dpi=0)
