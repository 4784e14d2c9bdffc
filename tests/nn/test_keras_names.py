"""Names that scripts of Keras ask for: `ops`, `config`, `utils` have Keras' results, and what is not here says so."""

from __future__ import annotations

import functools
import hashlib
import http.server
import inspect
import io
import operator
import re
import tarfile
import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest

import autograd_core
import datasets
import nn
from autograd_core import Tensor
from nn import absent, ops

X = np.random.default_rng(0).uniform(0.1, 0.9, (3, 4)).astype("float32")
Y = np.random.default_rng(1).uniform(0.1, 0.9, (3, 4)).astype("float32")
WHOLE = np.array([[3, 1, 2, 2], [0, 5, 4, 1]])
SQUARE = X[:, :3] @ X[:, :3].T + np.eye(3, dtype="float32")

# The arguments of each op, by place and by name; of all others of one or two arguments they are X and Y.
GIVEN = {
    **dict.fromkeys(["bitwise_and", "bitwise_or", "bitwise_xor", "left_shift", "right_shift"],
                    ((WHOLE, WHOLE % 3), {})),
    **dict.fromkeys(["all", "amax", "amin", "any", "argmax", "argmin", "max", "mean", "min", "prod", "ptp", "std",
                     "sum", "var"], ((X, 1, True), {})),
    **dict.fromkeys(["cumprod", "cumsum", "argsort", "sort", "flip"], ((X,), {"axis": 0})),
    **dict.fromkeys(["dot", "matmul", "vdot", "inner", "outer", "kron"], ((X[:, 0], Y[:, 0]), {})),
    **dict.fromkeys(["det", "inv", "cholesky", "slogdet"], ((SQUARE,), {})),
    **dict.fromkeys(["diagonal", "trace", "tril", "triu"], ((X,), {})),
    **dict.fromkeys(["softmax", "log_softmax"], ((X,), {"axis": 0})),
    **dict.fromkeys(["hstack", "vstack", "dstack"], (([X, Y],), {})),
    **dict.fromkeys(["allclose", "isclose"], ((X, Y), {"rtol": 0.5})),
    **dict.fromkeys(["split", "array_split"], ((X, 2), {"axis": 1})),
    "abs": ((-X,), {}), "arccosh": ((1 + X,), {}), "append": ((X, Y), {"axis": 0}),
    "average": ((X,), {"axis": 1, "weights": Y}), "bincount": ((WHOLE[0],), {"minlength": 5}),
    "broadcast_to": ((X[0],), {"shape": (2, 4)}), "cast": ((X, "int32"), {}),
    "clip": ((X,), {"x_min": 0.3, "x_max": 0.6}), "concatenate": (([X, Y],), {"axis": 1}),
    "count_nonzero": ((WHOLE,), {"axis": 1}), "cross": ((X[:, :3], Y[:, :3]), {}), "diag": ((X[0],), {"k": 1}),
    "diagflat": ((X[0],), {}), "diff": ((X,), {"n": 2, "axis": 1}), "digitize": ((X, np.array([0.2, 0.5])), {}),
    "divide_no_nan": ((X, np.array([[0.0, 1, 2, 0]], "float32")), {}), "expand_dims": ((X,), {"axis": 1}),
    "elu": ((-X,), {"alpha": 0.5}), "eye": ((3,), {"k": 1}), "full": (((3,), 2.5), {}), "full_like": ((X, 2.0), {}),
    "get_item": ((X, 1), {}), "gelu": ((X - 0.5,), {}), "identity": ((3,), {}), "isin": ((WHOLE, WHOLE[1]), {}),
    "leaky_relu": ((X - 0.5,), {"negative_slope": 0.3}), "linspace": ((0, 1), {"num": 4}),
    "logsumexp": ((X,), {"axis": 1, "keepdims": True}), "moments": ((X,), {"axes": [1]}),
    "moveaxis": ((X, 0, 1), {}), "nan_to_num": ((np.array([np.nan, np.inf], "float32"),), {"nan": 1.0, "posinf": 2.0}),
    "norm": ((X,), {"axis": 1, "ord": 2, "keepdims": True}), "normalize": ((X,), {"axis": 0}),
    "one_hot": ((WHOLE, 6), {"axis": 1}), "pad": ((X, ((1, 0), (0, 2))), {"constant_values": 3.0}),
    "qr": ((X[:, :3],), {}), "repeat": ((X, 2), {"axis": 1}), "reshape": ((X,), {"newshape": (2, 6)}),
    "roll": ((X, 1), {"axis": 1}), "round": ((X,), {"decimals": 1}),
    "searchsorted": ((np.arange(4, dtype="float32"), Y[0]), {}),
    "select": (([X > 0.5, X > 0.2], [X, Y], 0.0), {}), "solve": ((SQUARE, X[:, :3]), {}),
    "squeeze": ((X[:, :1],), {"axis": 1}), "stack": (([X, Y],), {"axis": 1}), "svd": ((X,), {"compute_uv": False}),
    "swapaxes": ((X, 0, 1), {}), "take": ((X, WHOLE % 3), {"axis": 0}),
    "take_along_axis": ((X, WHOLE % 3), {"axis": 0}),
    "tensordot": ((X, Y), {"axes": 2}), "tile": ((X, (2, 1)), {}), "top_k": ((X,), {"k": 2}),
    "transpose": ((X[None],), {"axes": (1, 0, 2)}), "unstack": ((X,), {"axis": 1}), "zeros": (((2, 3),), {}),
    "ones": (((2, 3),), {}), "where": ((X > 0.5, X, Y), {}), "arange": ((1, 7, 2), {}), "array": (([1.0, 2.0],), {}),
    "convert_to_tensor": (([1.0, 2.0],), {}), "relu6": ((10 * X,), {}),
}  # fmt: skip


def named():
    """All ops of ours."""
    return [n for n, f in vars(ops).items() if inspect.isfunction(f) and f.__module__ == "nn.ops" and n[0] != "_"]


def leaves(value):
    return [leaf for v in value for leaf in leaves(v)] if isinstance(value, list | tuple) else [value]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_each_op_has_keras_name_arguments_and_values(keras):
    names = named()
    assert len(names) > 150
    for name in names:
        mine, theirs = getattr(ops, name), getattr(keras.ops, name)
        known = inspect.signature(theirs).parameters
        needed = sum(p.default is p.empty for p in known.values())
        own = [*inspect.signature(mine).parameters]
        assert own == [n for n in known if n in own], name  # in the same order, too
        args, kwargs = GIVEN.get(name, ((X, Y)[:needed], {}))
        ours, judged = leaves(mine(*args, **kwargs)), leaves(theirs(*args, **kwargs))
        assert len(ours) == len(judged), name
        for a, b in zip(ours, judged, strict=True):
            a, b = np.asarray(a.data if isinstance(a, Tensor) else a), np.asarray(b)
            np.testing.assert_allclose(a, b, rtol=2e-5, atol=1e-6, err_msg=name)
            if b.dtype == np.float32 and name not in ("average",):
                assert a.dtype == np.float32, name
        by_name = dict(zip(known, args, strict=False)) | kwargs
        if by_name.keys() <= inspect.signature(mine).parameters.keys():
            for a, b in zip(ours, leaves(mine(**by_name)), strict=True):
                np.testing.assert_array_equal(np.asarray(getattr(a, "data", a)), np.asarray(getattr(b, "data", b)))


def test_ops_at_their_corners(keras, tmp_path):
    table = np.array([[3.0, 1.0, 2.0], [0.0, 5.0, 4.0]], "float32")
    for o in (ops, keras.ops):
        np.testing.assert_array_equal(np.asarray(o.argsort(table, axis=None)), [3, 1, 2, 0, 5, 4])
        np.testing.assert_array_equal(np.asarray(o.take_along_axis(table, np.array([4]))), [5])
        np.testing.assert_allclose(np.asarray(o.softmax(table * 0, axis=None)), np.full((2, 3), 1 / 6), rtol=1e-6)
        x, y = np.eye(3, dtype="float32")[:, :2], np.eye(3, dtype="float32")[:, 1:]
        np.testing.assert_array_equal(np.asarray(o.cross(x.T, y, -1, 0)), np.cross(x.T, y, -1, 0))
    # Numbers that have no negative one, equal ones, and none.
    for x in (np.array([0, 200, 200, 3], "uint8"), np.array([-128, 127, 127, 3], "int8"), np.array([0, 1, 1, 0], bool)):
        values, places = ops.top_k(x, 2)
        np.testing.assert_array_equal(places, [1, 2])
        np.testing.assert_array_equal(values, x[1:3])
    np.testing.assert_array_equal(ops.top_k(np.array([1.0, np.nan, np.inf, -np.inf]), 4)[1], [1, 2, 0, 3])  # as JAX
    # An axis that is none stays none in a file.
    x = nn.Input((3,))
    model = nn.Model(x, [ops.argsort(x * 1.0, axis=None), np.clip(x, a_min=None, a_max=2)])
    model.save(tmp_path / "none.keras")
    for of in (model, nn.models.load_model(tmp_path / "none.keras")):
        order, clipped = of.predict_on_batch(table)
        np.testing.assert_array_equal(order, [3, 1, 2, 0, 5, 4])
        np.testing.assert_array_equal(clipped, np.minimum(table, 2))


def test_ops_flow_gradients_and_take_values_that_are_not_computed_yet(keras, tf, tmp_path):
    names = [
        "abs", "add", "cast", "clip", "concatenate", "exp", "expand_dims", "gelu", "log_softmax", "logsumexp", "matmul",
        "maximum", "mean", "norm", "normalize", "relu", "reshape", "rsqrt", "sigmoid", "softmax", "softplus", "split",
        "square", "std", "sum", "tanh", "transpose", "where", "one_hot",
    ]  # fmt: skip
    given = {
        "cast": ("float32",), "clip": (0.3, 0.6), "expand_dims": (1,), "mean": (1,), "reshape": ((-1, 2),),
        "split": (2, 1), "norm": (None, 1), "std": (1,), "sum": (1,), "logsumexp": (1,), "transpose": ((1, 0),),
        "one_hot": (3,),
    }  # fmt: skip
    for name in names:
        values = []
        for library in (nn, keras):
            op = getattr(library.ops, name)
            x = library.Input((4,), batch_size=3, dtype="int32" if name == "one_hot" else "float32")
            args = ([x, x],) if name == "concatenate" else (x, *given.get(name, ()))
            if name in ("add", "maximum"):
                args = (x, x * 2)
            elif name == "matmul":
                args = (x, library.ops.transpose(x))
            elif name == "where":
                args = (x > 0.5, x, x * 2)
            model = library.Model(x, op(*args))
            found = model(WHOLE[[0, 1, 1]] % 3 if name == "one_hot" else X)
            values.append([np.asarray(v.data if isinstance(v, Tensor) else v) for v in leaves(found)])
        for a, b in zip(*values, strict=True):
            np.testing.assert_allclose(a, b, rtol=2e-5, atol=1e-6, err_msg=name)
    x = Tensor(X)
    ops.sum(ops.square(ops.softmax(ops.matmul(x, ops.transpose(x)), axis=-1))).backward()
    with tf.GradientTape() as tape:
        t = tf.constant(X)
        tape.watch(t)
        o = keras.ops
        loss = o.sum(o.square(o.softmax(o.matmul(t, o.transpose(t)), axis=-1)))
    np.testing.assert_allclose(x.grad, tape.gradient(loss, t).numpy(), rtol=1e-4, atol=1e-6)


def test_settings_have_keras_names(keras):
    for name in ("floatx", "epsilon", "image_data_format"):
        assert getattr(nn.config, name)() == getattr(keras.config, name)() == getattr(nn.backend, name)()
    assert nn.config.backend() == nn.backend.backend() == "numpy"
    assert nn.__version__ == autograd_core.__version__
    nn.config.set_image_data_format("channels_first")
    assert nn.backend.image_data_format() == "channels_first"
    nn.backend.set_image_data_format("channels_last")
    try:
        nn.config.set_floatx("float64")
        model = nn.Sequential([nn.Input((4,)), nn.layers.Dense(2)])
        model.compile("sgd", "mse")
        x = np.full((2, 4), 1 / 3)
        assert model.predict(x, verbose=0).dtype == nn.ops.zeros(3).dtype == np.float64
        np.testing.assert_allclose(model.predict(x, verbose=0), x @ model.get_weights()[0], rtol=1e-12)
    finally:
        nn.config.set_floatx("float32")
    with pytest.raises(ValueError, match="floatx: expected 'float16', 'float32' or 'float64', got 'int8'"):
        nn.config.set_floatx("int8")


# -- what is not here ----------------------------------------------------------------------------------------


def test_what_is_not_here_says_what_to_use_instead(keras):
    sentences = [*absent.ARGUMENTS.values()]
    for room, rows in absent.ABSENT.items():
        module = operator.attrgetter(room)(nn) if room else nn
        for names, sentence in rows.items():
            sentences.append(sentence)
            for name in names.split():
                with pytest.raises(AttributeError, match=re.escape(f"has no attribute {name!r}: {sentence}")):
                    getattr(module, name)
    for text in sentences:  # and what a sentence names is here
        for path in re.findall(r"\b((?:nn|autograd_core)\.[\w.]*\w)", text):
            value = functools.reduce(getattr, path.split(".")[1:], nn if path.startswith("nn.") else autograd_core)
            assert value is not None, path
    with pytest.raises(
        ImportError, match=r"cannot import 'RandomFlip' from 'nn\.layers': pictures are changed before fit"
    ):
        from nn.layers import RandomFlip  # noqa: F401
    with pytest.raises(ImportError, match="it is TensorFlow's"):
        from nn import GradientTape  # noqa: F401
    with pytest.raises(AttributeError, match=r"module 'nn' has no attribute 'nothing'$"):
        nn.nothing
    assert not hasattr(nn.layers, "RandomFlip")
    with pytest.raises(TypeError, match="RMSprop has no argument 'decay'; Keras 3 has none either"):
        nn.optimizers.RMSprop(decay=1e-6)


ROOMS = [
    "", "activations", "backend", "callbacks", "config", "constraints", "initializers", "layers", "losses", "metrics",
    "models", "ops", "optimizers", "optimizers.schedules", "preprocessing", "random", "regularizers", "saving", "utils",
]  # fmt: skip


def test_every_name_of_keras_is_here_or_says_what_to_use(keras):
    silent = []
    for room in ROOMS:
        theirs, ours = (operator.attrgetter(room)(lib) if room else lib for lib in (keras, nn))
        said = {name for names in absent.ABSENT.get(room, {}) for name in names.split()}
        silent += [f"{room}.{n}" for n in dir(theirs) if n[0] != "_" and n not in vars(ours) and n not in said]
        both = [n for n in said if n in vars(ours)]
        assert not both, f"{room}: these are here, and the table says that they are not"
    assert {*silent} - {".datasets"} == {".src"}  # the first is another package, imported when it is asked for


# -- utils ---------------------------------------------------------------------------------------------------


def test_sequences_are_padded_as_keras_pads_them(keras):
    ragged = [[1], [2, 3], [], [4, 5, 6, 7]]
    for args in (
        {}, {"maxlen": 3}, {"maxlen": 2, "padding": "post", "truncating": "post", "value": 9},
        {"maxlen": 5, "dtype": "float32", "value": 0.5, "truncating": "post"}, {"dtype": object, "value": "-"},
    ):  # fmt: skip
        mine = nn.utils.pad_sequences(ragged, **args)
        theirs = keras.utils.pad_sequences(ragged, **args)
        np.testing.assert_array_equal(mine, theirs)
        assert mine.dtype == theirs.dtype
    vectors = [[[1, 2]], [[3, 4], [5, 6]]]
    np.testing.assert_array_equal(nn.utils.pad_sequences(vectors, 3), keras.utils.pad_sequences(vectors, 3))
    assert nn.preprocessing.sequence.pad_sequences is nn.utils.pad_sequences
    assert nn.utils.pad_sequences([]).shape == (0, 0)
    assert nn.utils.pad_sequences([[1, 2]], maxlen=0).shape == (1, 0)
    for wrong, words in (
        (lambda: nn.utils.pad_sequences([1, 2]), "sequences: expected a sequence of sequences"),
        (lambda: nn.utils.pad_sequences(3), "sequences: expected a sequence of sequences"),
        (lambda: nn.utils.pad_sequences(ragged, padding="both"), "padding: expected 'pre' or 'post', got 'both'"),
        (
            lambda: nn.utils.pad_sequences([[[1]], [[1, 2]]]),
            r"elements of shape \(1,\) in number 1, got \(2,\)",
        ),
        (lambda: nn.utils.pad_sequences(ragged, value="-"), "value: expected a number"),
    ):
        with pytest.raises(ValueError, match=words):
            wrong()


def test_rows_are_normalized_as_keras_normalizes_them(keras):
    x = np.vstack([X, 0 * X])
    for axis in (-1, 1):
        for order in (1, 2, np.inf):
            mine, theirs = nn.utils.normalize(x, axis, order), keras.utils.normalize(x, axis, order)
            np.testing.assert_allclose(mine, theirs, rtol=1e-6)
            rows = nn.utils.normalize(np.ascontiguousarray(x.T), 0, order).T  # where Keras divides by rows too
            np.testing.assert_allclose(rows, mine, rtol=1e-6)
    np.testing.assert_allclose(nn.utils.normalize([3.0, 4.0]), keras.utils.normalize(np.array([3.0, 4.0])))


def test_a_bar_of_ones_own_shows_means_as_keras_does(keras, capsys):
    ends = []
    for library in (nn, keras):
        bar = library.utils.Progbar(3, verbose=2, stateful_metrics=["last"], unit_name="game")
        for step in (1, 2):
            bar.update(step, [("loss", float(step)), ("last", float(step))])
        bar.add(1, [("loss", np.array([3.0, 5.0])), ("last", 7.0)])
        ends.append(re.sub(r" \d+(\.\d+)?(s|ms|us)(/game)?", "", capsys.readouterr().out).strip())
    assert ends[0] == ends[1]
    assert "loss: 4.0000" in ends[0]
    # Losses as they come, which are Tensors that record.
    losses = nn.losses.MeanSquaredError(reduction=None)(np.zeros((2, 1)), nn.layers.Dense(1)(np.ones((2, 2))))
    nn.utils.Progbar(1, verbose=2).update(1, [("loss", losses)])
    assert f"loss: {losses.data.mean():.4f}" in capsys.readouterr().out


@pytest.fixture
def server():
    """A web server with some files, which counts what it was asked for."""
    tar, zipped = io.BytesIO(), io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w:gz") as archive:
        for name in ("inside/a.txt", "../outside.txt"):
            info = tarfile.TarInfo(name)
            info.size = 5
            archive.addfile(info, io.BytesIO(b"hello"))
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("inside/a.txt", "hello")
        archive.writestr("../outside.txt", "hello")
    files, asked = {"/a.txt": b"hello", "/a.tar.gz": tar.getvalue(), "/a.zip": zipped.getvalue()}, []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            data = files.get(self.path)
            self.send_response(200 if data else 404)
            self.send_header("Content-Length", str(len(data or b"")))
            self.end_headers()
            self.wfile.write(data or b"")

        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as served:
        threading.Thread(target=served.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{served.server_port}", asked, files
        served.shutdown()


def test_a_file_is_downloaded_once_and_checked(server, tmp_path, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "*")
    address, asked, _ = server
    right = hashlib.sha256(b"hello").hexdigest()
    get = functools.partial(nn.utils.get_file, cache_dir=tmp_path)
    for _ in range(2):
        path = get("b.txt", f"{address}/a.txt", file_hash=right)
    assert Path(path).read_text() == "hello"
    assert path == str(tmp_path / "datasets" / "b.txt")
    assert asked == ["/a.txt"]
    with pytest.raises(ValueError, match="hash"):
        get("c.txt", f"{address}/a.txt", file_hash="0" * 64)
    assert not (tmp_path / "datasets" / "c.txt").exists()
    with pytest.warns(UserWarning, match=f"nobody checked what .*; if it is right, write file_hash='{right}'"):
        assert get(origin=f"{address}/a.txt").endswith("a.txt")
    Path(path).write_text("other")
    md5 = hashlib.md5(b"hello").hexdigest()
    assert Path(get("b.txt", f"{address}/a.txt", md5_hash=md5)).read_text() == "hello"
    get("b.txt", f"{address}/a.txt", file_hash=right, force_download=True)
    assert len(asked) == 5
    for origin, known, error in ((f"{address}/nothing", right, OSError), (f"{address}/a.txt", "0" * 64, ValueError)):
        with pytest.raises(error):  # and the file that is there stays
            get("b.txt", origin, file_hash=known, force_download=True)
        assert Path(path).read_text() == "hello"
        assert not list(Path(path).parent.glob("b.txt.new*"))
    for wrong in ("folder/b.txt", "../b.txt", ".."):
        with pytest.raises(ValueError, match="fname: expected the name of a file, without a folder"):
            get(wrong, f"{address}/a.txt")
    with pytest.raises(OSError, match="404"):
        get("d.txt", f"{address}/nothing", file_hash=right)


def test_a_file_of_this_machine_is_fetched_by_its_address(tmp_path):
    there = tmp_path / "a b.txt"
    there.write_text("hello")
    known = hashlib.sha256(b"hello").hexdigest()
    path = nn.utils.get_file("b.txt", there.as_uri(), file_hash=known, cache_dir=tmp_path / "cache")
    assert Path(path).read_text() == "hello"
    with pytest.raises(OSError, match="nothing"):
        nn.utils.get_file("c.txt", (tmp_path / "nothing").as_uri(), file_hash=known, cache_dir=tmp_path / "cache")


def test_nothing_in_an_archive_gets_outside_of_its_folder(server, tmp_path, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "*")
    address, _, files = server
    known = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    get = functools.partial(nn.utils.get_file, cache_dir=tmp_path / "cache", extract=True)
    with pytest.raises(tarfile.OutsideDestinationError):
        get("a.tar.gz", f"{address}/a.tar.gz", file_hash=known["/a.tar.gz"])
    folder = get("z.zip", f"{address}/a.zip", file_hash=known["/a.zip"])
    assert folder.endswith("z_extracted")
    assert (Path(folder) / "inside" / "a.txt").read_text() == "hello"
    assert [p.name for p in tmp_path.rglob("outside.txt")] == ["outside.txt"]  # of the zip, inside
    assert (tmp_path / "cache" / "datasets" / "z_extracted" / "outside.txt").exists()
    with pytest.warns(UserWarning, match="was not unpacked, because it is none of"):
        get("b.txt", f"{address}/a.txt", file_hash=known["/a.txt"])


def test_datasets_are_imported_from_keras_address():
    from nn.datasets.mnist import load_data

    from nn.datasets import imdb

    assert imdb is nn.datasets.imdb
    assert nn.datasets.__name__ == "datasets"
    assert load_data.__name__ == "load_data"


def test_datasets_of_keras_that_are_here_are_found(keras):
    here = {n for n in dir(keras.datasets) if hasattr(getattr(keras.datasets, n), "load_data")}
    assert here - set(datasets.__all__) == {"cifar100"}


def test_what_does_nothing_in_keras_3_either_is_told():
    with pytest.warns(UserWarning, match="input_length does nothing"):
        layer = nn.layers.Embedding(5, 2, input_length=4)
    assert "input_length" not in layer.get_config()


SIZES = [(0.3, None), (None, 0.2), (0.25, 0.5), (4, 3), (9, None), (0.5, 3), (10, None), (0, None), (0.0, 0.5),
         (0.7, 0.7), (8, 4), (None, None), (0.01, None), (1.0, None), (-1, None), ("a", None)]  # fmt: skip


def test_data_are_split_as_in_keras(keras):
    x, y = np.arange(30, dtype="float32").reshape(10, 3), np.arange(10)
    for data in (x, (x, y)):
        for left, right in SIZES:
            found = []
            for library in (nn, keras):
                try:
                    parts = library.utils.split_dataset(data, left, right)
                except (TypeError, ValueError) as error:
                    found.append(type(error))
                    continue
                if library is keras:  # which gives tf.data, example by example
                    parts = [[np.stack(c) for c in zip(*p, strict=True)] if data is not x else np.stack(p)
                             for p in map(list, parts)]  # fmt: skip
                found.append([np.asarray(a).tolist() for part in parts for a in (part if data is not x else [part])])
            assert found[0] == found[1], (left, right)
    one, two = nn.utils.split_dataset({"a": x, "b": [y, y]}, 0.5, shuffle=True, seed=3)
    assert sorted([*one["b"][1], *two["b"][0]]) == list(y) != [*one["b"][1], *two["b"][0]]
    np.testing.assert_equal(one["a"][:, 0], 3 * one["b"][0])
    np.testing.assert_equal(nn.utils.split_dataset({"a": x, "b": [y, y]}, 0.5, shuffle=True, seed=3), (one, two))
    nn.utils.set_random_seed(0)
    drawn = nn.utils.split_dataset(y, 3, shuffle=True)
    nn.utils.set_random_seed(0)
    np.testing.assert_equal(nn.utils.split_dataset(y, 3, shuffle=True), drawn)
    for wrong, kind in ((iter([1]), TypeError), ((x, y[:3]), ValueError), (3.0, TypeError)):
        with pytest.raises(kind):
            nn.utils.split_dataset(wrong, 0.5)
    with pytest.raises(ValueError, match="preferred_backend: expected None, got 'torch'"):
        nn.utils.split_dataset(x, 0.5, preferred_backend="torch")


def test_a_dataset_of_another_library_is_split_as_in_keras(keras, judge):
    """Of such data the kind stays, an empty and an endless one are errors."""
    tf, torch = judge("tensorflow"), judge("torch")
    x, y = np.arange(30, dtype="float32").reshape(10, 3), np.arange(10)

    class Rows(torch.utils.data.Dataset):
        def __len__(self):
            return len(x)

        def __getitem__(self, index):
            return {"x": torch.from_numpy(x[index]), "y": int(y[index])}

    flat = tf.data.Dataset.from_tensor_slices({"x": x, "y": y})
    rows = Rows()
    for left, right in [*SIZES[:3], SIZES[9], SIZES[11], SIZES[13]]:
        found = []
        for library in (nn, keras):
            for data in (flat, rows):
                try:
                    parts = library.utils.split_dataset(data, left, right)
                except (TypeError, ValueError) as error:
                    found.append(type(error))
                    continue
                found.append([[(np.asarray(e["x"]).tolist(), int(e["y"])) for e in part] for part in parts])
        assert found[0] == found[1] == found[2], (left, right)
        assert found[3] == found[2] or isinstance(found[2], list), (left, right)  # PyTorch's parts are drawn by Keras
    for data in (flat, rows):
        one, two = nn.utils.split_dataset(data, 6, shuffle=True, seed=3)
        numbers = [[int(e["y"]) for e in part] for part in (one, two)]
        assert list(map(len, numbers)) == [6, 4]
        assert sorted(numbers[0] + numbers[1]) == list(y) != numbers[0] + numbers[1]
        again = nn.utils.split_dataset(data, 6, shuffle=True, seed=3)
        for parts in (again, (one, two)):
            assert [[int(e["y"]) for e in part] for part in parts] == numbers
    with pytest.raises(TypeError):
        nn.utils.split_dataset(flat.repeat(), 0.5)
