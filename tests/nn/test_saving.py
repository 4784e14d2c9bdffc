"""A saved model comes back the same; a file that is none of ours is refused, and nothing in a file is executed."""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import subprocess
import sys
import zipfile

import numpy as np
import pytest

import nn
from nn.saving import ModelFileError


def double(x):
    return x * 2


def build():
    layers = nn.layers
    model = nn.Sequential([
        nn.Input(shape=(8, 8, 2)), layers.Rescaling(0.5, offset=1.0), layers.ZeroPadding2D(((1, 0), (0, 1))),
        layers.Conv2D(4, (3, 2), strides=2, padding="same", activation="relu", kernel_regularizer="l2"),
        layers.BatchNormalization(momentum=0.9), layers.MaxPooling2D(2), layers.LeakyReLU(0.1), layers.Flatten(),
        nn.Sequential([layers.Dense(6, layers.LeakyReLU(0.2)), layers.LayerNormalization()], name="inner"),
        layers.Reshape((3, 2)), layers.Conv1D(3, 2, kernel_initializer=nn.initializers.HeNormal(seed=3)),
        layers.GlobalAveragePooling1D(), layers.Dropout(0.25, seed=4), layers.Dense(3, name="last"),
        layers.Activation("softmax"),
    ])  # fmt: skip
    rate = nn.optimizers.schedules.CosineDecay(0.01, 100)
    model.compile(nn.optimizers.Adam(rate, amsgrad=True, clipnorm=1.0), nn.losses.SparseCategoricalCrossentropy(),
                  metrics=["acc", nn.metrics.SparseTopKCategoricalAccuracy(k=2)])  # fmt: skip
    return model


X = np.random.default_rng(0).normal(size=(40, 8, 8, 2))
Y = np.arange(40) % 3


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    model = build()
    model.fit(X, Y, epochs=1, verbose=0)
    path = tmp_path_factory.mktemp("saved") / "m.autograd"
    model.save(path)
    return model, path


def test_a_model_comes_back_with_its_weights_its_compilation_and_its_optimizer(trained, tmp_path):
    model, path = trained
    again = nn.models.load_model(path)
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))
    assert again.get_config() == model.get_config()
    assert again.evaluate(X, Y, verbose=0, return_dict=True) == model.evaluate(X, Y, verbose=0, return_dict=True)
    for a, b in zip(again.optimizer.variables, model.optimizer.variables, strict=True):
        np.testing.assert_array_equal(a, b)
    for m in (model, again):  # and they go on alike
        m.layers[-3].seed = 4
        m.layers[-3].generator = np.random.default_rng(4)
        nn.utils.set_random_seed(1)
        m.fit(X, Y, epochs=1, verbose=0)
    for a, b in zip(again.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    model.save(path)


def test_every_layer_comes_back_from_its_configuration():
    model = build()
    for layer in model.layers:
        again = nn.layers.deserialize(json.loads(json.dumps(nn.layers.serialize(layer))))
        assert type(again) is type(layer)
        assert again.get_config() == layer.get_config()


def test_a_class_and_a_function_of_ones_own_are_handed_in_by_name(tmp_path):
    class Scale(nn.Layer):
        def __init__(self, factor, **kwargs):
            super().__init__(**kwargs)
            self.factor = factor

        def call(self, x):
            return x * self.factor

    model = nn.Sequential([nn.Input(shape=(2,)), Scale(3.0), nn.layers.Lambda(double), nn.layers.Dense(1)])
    model.save(tmp_path / "m")
    with pytest.raises(ModelFileError, match="unknown layer 'Scale'"):
        nn.models.load_model(tmp_path / "m")
    with pytest.raises(ModelFileError, match="calls the function 'double', and code is never loaded"):
        nn.models.load_model(tmp_path / "m", custom_objects={"Scale": Scale})
    again = nn.models.load_model(tmp_path / "m", custom_objects={"Scale": Scale, "double": double})
    np.testing.assert_array_equal(again.predict(X[:, 0, 0], verbose=0), model.predict(X[:, 0, 0], verbose=0))


class Own(nn.Model):
    def __init__(self, units=3, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.dense = nn.layers.Dense(units)

    def call(self, x):
        return x + self.dense(x)


def test_a_subclassed_model_is_saved_with_the_shape_it_was_built_for(tmp_path):
    model = Own(units=2)
    with pytest.raises(ValueError, match="not built"):
        model.save(tmp_path / "m")
    model.compile("sgd", "mse")
    model.fit(X[:, 0, 0], X[:, 0, 0], verbose=0)
    model.save(tmp_path / "m")
    again = nn.models.load_model(tmp_path / "m", custom_objects={"Own": Own})
    np.testing.assert_array_equal(again.predict(X[:, 0, 0], verbose=0), model.predict(X[:, 0, 0], verbose=0))


def test_weights_alone_are_saved_and_loaded(tmp_path):
    a, b = build(), build()
    a.save_weights(tmp_path / "w")
    b.load_weights(tmp_path / "w")
    for v, w in zip(a.get_weights(), b.get_weights(), strict=True):
        np.testing.assert_array_equal(v, w)
    with pytest.raises(ModelFileError, match="weights without a model"):
        nn.models.load_model(tmp_path / "w")
    small = nn.Sequential([nn.Input(shape=(2,)), nn.layers.Dense(1)])
    with pytest.raises(ModelFileError, match="has 2 weights"):
        small.load_weights(tmp_path / "w")
    with pytest.raises(FileExistsError):
        a.save_weights(tmp_path / "w", overwrite=False)


def test_a_file_cut_off_at_any_byte_is_refused(trained, tmp_path):
    whole = trained[1].read_bytes()
    path = tmp_path / "cut"
    for length in {0, 1, 3, 4, 50, *range(100, len(whole), max(len(whole) // 60, 1)), len(whole) - 1}:
        path.write_bytes(whole[:length])
        with pytest.raises(ModelFileError):
            nn.models.load_model(path)


def test_a_file_with_a_byte_changed_is_refused_or_loads_without_harm(trained, tmp_path):
    whole = bytearray(trained[1].read_bytes())
    path = tmp_path / "changed"
    rng = np.random.default_rng(0)
    for _ in range(60):
        changed = bytearray(whole)
        changed[rng.integers(len(whole))] ^= int(rng.integers(1, 256))
        path.write_bytes(changed)
        with contextlib.suppress(ModelFileError, FileNotFoundError):
            nn.models.load_model(path)


def rewritten(source, target, change):
    """The file with its configuration changed."""
    with zipfile.ZipFile(source) as archive:
        content = json.loads(archive.read("config.json"))
        weights = archive.read("weights.safetensors")
    content = change(content) or content
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("config.json", content if isinstance(content, str) else json.dumps(content))
        archive.writestr("weights.safetensors", weights)


def units(content, n):
    content["config"]["layers"][-2]["config"]["units"] = n


HOSTILE = {
    "a layer of another name": lambda c: c["config"]["layers"][0].update(class_name="os.system"),
    "a layer that is no dict": lambda c: c["config"].update(layers=["__import__('os')"]),
    "more weights than memory": lambda c: units(c, 10**15),
    "more weights than the file holds": lambda c: units(c, 10**6),
    "units that are no number": lambda c: units(c, "3; import os"),
    "an argument that is none": lambda c: c["config"]["layers"][0]["config"].update(__class__="x"),
    "an input without end": lambda c: c["config"].update(input_shape=[10**9, 10**9, 2]),
    "nesting without end": lambda c: '{"format": ' + "[" * 200_000,
    "no configuration": lambda c: c.pop("config") and None,
    "another format": lambda c: c.update(format="pickle"),
    "a later version": lambda c: c.update(version=99),
    "an optimizer of another name": lambda c: c["compile"]["optimizer"].update(class_name="eval"),
    "a loss of another name": lambda c: c["compile"].update(loss="exec"),
    "a list at the top": lambda c: "[1, 2]",
    "no JSON": lambda c: "import os",
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_configuration_is_refused(trained, tmp_path, what):
    rewritten(trained[1], tmp_path / "hostile", HOSTILE[what])
    with pytest.raises(ModelFileError):
        nn.models.load_model(tmp_path / "hostile")


def test_a_pickle_is_not_opened(tmp_path):
    class Bomb:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "executed"),)

    (tmp_path / "m").write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(ModelFileError, match="pickle"):
        nn.models.load_model(tmp_path / "m")
    assert not (tmp_path / "executed").exists()


def test_a_zip_bomb_and_a_foreign_zip_are_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "bomb", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", "{}")
        archive.writestr("weights.safetensors", b"\0" * 10**7)
    with pytest.raises(ModelFileError, match="compressed"):
        nn.models.load_model(tmp_path / "bomb")
    with zipfile.ZipFile(tmp_path / "other", "w") as archive:
        archive.writestr("../../evil", "x")
    with pytest.raises(ModelFileError, match="not a model of ours"):
        nn.models.load_model(tmp_path / "other")
    with pytest.raises(FileNotFoundError):
        nn.models.load_model(tmp_path / "missing")


WRITER = """
import sys, numpy as np, nn
model = nn.Sequential([nn.Input(shape=(300,)), nn.layers.Dense(300)])
value = 0
print("ready", flush=True)
while True:
    value += 1
    model.set_weights([np.full((300, 300), value), np.full(300, value)])
    model.save(sys.argv[1])
"""


def test_a_process_killed_while_saving_leaves_the_old_file_or_the_new_one(tmp_path):
    path = tmp_path / "m"
    rng = np.random.default_rng(0)
    for _ in range(4):
        process = subprocess.Popen([sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE)
        process.stdout.readline()
        try:
            process.wait(timeout=0.05 + rng.uniform(0, 0.2))
        except subprocess.TimeoutExpired:
            process.kill()
        process.wait()
        process.stdout.close()
        if path.exists():
            kernel, bias = nn.models.load_model(path).get_weights()
            assert len({*kernel.ravel(), *bias}) == 1  # one moment's weights, not a mixture
    assert path.exists()


def test_the_package_reads_no_pickle_and_runs_no_code():
    import ast
    import pathlib

    for file in pathlib.Path(nn.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = [a.name for a in node.names] + [getattr(node, "module", None)]
                assert not {"pickle", "marshal", "shelve", "dill", "joblib"} & {str(n) for n in names}, file
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in {"eval", "exec", "compile", "__import__"}, file
