"""Published experiments, written once with Keras' names and run with either library.

Each function takes the library (``nn`` or ``keras``), the data and the number of epochs, and gives the curves
of a training and the figure that was published. What the data are is decided by who calls: the full ones, or
small ones for the tests.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Result = tuple[float, dict[str, list[float]]]


@dataclass(frozen=True)
class Experiment:
    """What to run, for how many epochs, on which data, and what others found."""

    run: Callable[..., Result]
    data: str
    epochs: int
    published: str
    seeds: int = 3


def stack(keras: Any, *layers: Any) -> Any:
    return keras.Sequential(list(layers))


def score(model: Any, history: Any, test: Any) -> Result:
    """The last of the metrics on the test data, and the curves."""
    return float(model.evaluate(*test, verbose=0)[-1]), dict(history.history)


# -- MNIST -------------------------------------------------------------------------------------------------


def flat(images: Any) -> Any:
    return images.reshape(len(images), -1).astype("float32") / 255


def mnist_dense(
    keras: Any, data: Any, epochs: int, *, units: Any, activation: str, dropout: float = 0.0, optimizer: str = "rmsprop"
) -> Result:
    (x, y), (x_test, y_test) = data
    layers: list[Any] = [keras.Input(shape=(x[0].size,))]
    for n in units:
        layers.append(keras.layers.Dense(n, activation=activation))
        if dropout:
            layers.append(keras.layers.Dropout(dropout))
    model = stack(keras, *layers, keras.layers.Dense(10, activation="softmax"))
    model.compile(optimizer=optimizer, loss="categorical_crossentropy", metrics=["accuracy"])
    test = flat(x_test), keras.utils.to_categorical(y_test, 10)
    history = model.fit(
        flat(x), keras.utils.to_categorical(y, 10), batch_size=128, epochs=epochs, verbose=0, validation_data=test
    )
    return score(model, history, test)


def mnist_conv(keras: Any, data: Any, epochs: int) -> Result:
    (x, y), (x_test, y_test) = data
    layers = keras.layers
    model = stack(
        keras,
        keras.Input(shape=(28, 28, 1)),
        layers.Conv2D(32, kernel_size=(3, 3), activation="relu"),
        layers.Conv2D(64, (3, 3), activation="relu"),
        layers.MaxPooling2D(pool_size=(2, 2)),
        layers.Dropout(0.25),
        layers.Flatten(),
        layers.Dense(128, activation="relu"),
        layers.Dropout(0.5),
        layers.Dense(10, activation="softmax"),
    )
    optimizer = keras.optimizers.Adadelta(learning_rate=1.0)
    model.compile(loss="sparse_categorical_crossentropy", optimizer=optimizer, metrics=["accuracy"])
    x, x_test = (a[..., None].astype("float32") / 255 for a in (x, x_test))
    history = model.fit(x, y, batch_size=128, epochs=epochs, verbose=0, validation_data=(x_test, y_test))
    return score(model, history, (x_test, y_test))


def mnist_sgd(keras: Any, data: Any, epochs: int) -> Result:
    (x, y), (x_test, y_test) = data
    normal = keras.initializers.RandomNormal(stddev=0.01)
    model = stack(
        keras,
        keras.Input(shape=(x[0].size,)),
        keras.layers.Dense(50, activation="sigmoid", kernel_initializer=normal),
        keras.layers.Dense(10, activation="softmax", kernel_initializer=keras.initializers.RandomNormal(stddev=0.01)),
    )
    model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy", metrics=["accuracy"])
    test = flat(x_test), y_test
    history = model.fit(flat(x), y, batch_size=100, epochs=epochs, verbose=0, validation_data=test)
    return score(model, history, test)


# -- texts -------------------------------------------------------------------------------------------------


def texts(
    keras: Any,
    data: Any,
    epochs: int,
    *,
    units: Any,
    activation: str = "relu",
    loss: str = "binary_crossentropy",
    classes: int = 1,
    batch_size: int = 512,
    validation: float = 0.0,
) -> Result:
    """Dense layers on multi-hot words; the figure is the test's, or the best on what was held out."""
    (x, y), (x_test, y_test) = data
    layers: list[Any] = [keras.Input(shape=(x.shape[1],))]
    layers += [keras.layers.Dense(n, activation=activation) for n in units]
    layers.append(keras.layers.Dense(classes, activation="sigmoid" if classes == 1 else "softmax"))
    if loss == "categorical_crossentropy":
        y, y_test = keras.utils.to_categorical(y, classes), keras.utils.to_categorical(y_test, classes)
    model = stack(keras, *layers)
    model.compile(optimizer="rmsprop", loss=loss, metrics=["accuracy"])
    held = int(len(x) * validation)
    more = {"validation_data": (x[:held], y[:held])} if held else {}
    history = model.fit(x[held:], y[held:], epochs=epochs, batch_size=batch_size, verbose=0, **more)
    if held:
        return float(max(history.history["val_accuracy"])), dict(history.history)
    return score(model, history, (x_test, y_test))


# -- Boston ------------------------------------------------------------------------------------------------


def boston_model(keras: Any, features: int) -> Any:
    dense = keras.layers.Dense
    model = stack(keras, keras.Input(shape=(features,)), dense(64, "relu"), dense(64, "relu"), dense(1))
    # Several batches of one in each call of TensorFlow: Keras gets the same numbers five times as fast.
    model.compile(optimizer="rmsprop", loss="mse", metrics=["mae"], steps_per_execution=32)
    return model


def standardized(x: Any, like: Any) -> Any:
    return (x - like.mean(0)) / like.std(0)


def boston_folds(keras: Any, data: Any, epochs: int, *, folds: int = 4, curve: bool = False) -> Result:
    """The mean absolute error over the folds; with ``curve`` the least of its smoothed average over the epochs."""
    (x, y), _ = data
    x = standardized(x, x)
    size = len(x) // folds
    ends, curves = [], []
    for i in range(folds):
        held = np.zeros(len(x), bool)
        held[i * size : (i + 1) * size] = True
        model = boston_model(keras, x.shape[1])
        history = model.fit(
            x[~held], y[~held], epochs=epochs, batch_size=1, verbose=0, validation_data=(x[held], y[held])
        )
        curves.append(history.history["val_mae"])
        ends.append(float(model.evaluate(x[held], y[held], verbose=0)[1]))
    average = [float(v) for v in np.mean(curves, 0)]
    if not curve:
        return float(np.mean(ends)), {"val_mae": average}
    smooth = [average[10]] if len(average) > 10 else [average[0]]
    for value in average[11:]:
        smooth.append(0.9 * smooth[-1] + 0.1 * value)
    return float(min(smooth)), {"val_mae": average, "smoothed": smooth}


def boston_final(keras: Any, data: Any, epochs: int) -> Result:
    (x, y), (x_test, y_test) = data
    model = boston_model(keras, x.shape[1])
    history = model.fit(standardized(x, x), y, epochs=epochs, batch_size=16, verbose=0)
    return score(model, history, (standardized(x_test, x), y_test))


# -- the camera of four pixels -----------------------------------------------------------------------------


def camera_model(keras: Any) -> Any:
    dense = keras.layers.Dense
    layers = [dense(4, "tanh"), dense(4, "tanh"), dense(8, "relu"), dense(4, "softmax")]
    model = stack(keras, keras.Input(shape=(4,)), *layers)
    model.compile(optimizer="rmsprop", loss="categorical_crossentropy", metrics=["accuracy"])
    return model


def camera_weights() -> list[Any]:
    """Weights that recognise the pictures: sums and differences of pixels, then of those, and their sizes."""
    rows = np.array([[1, 1, 0, 0], [1, -1, 0, 0], [0, 0, 1, 1], [0, 0, 1, -1]], "float32").T
    # solid, vertical, diagonal, horizontal from: sum and difference of the upper row, then of the lower one
    pictures = np.array([[1, 0, 1, 0], [0, 1, 0, 1], [0, 1, 0, -1], [1, 0, -1, 0]], "float32").T
    either_sign = np.concatenate([np.eye(4), -np.eye(4)], 1).astype("float32")
    kernels = [rows, pictures, either_sign, np.abs(either_sign.T)]
    return [w for k in kernels for w in (k, np.zeros(k.shape[1], "float32"))]


def camera(keras: Any, data: Any, epochs: int) -> Result:
    (x, y), (x_test, y_test) = data
    x, x_test = x.reshape(len(x), 4), x_test.reshape(len(x_test), 4)
    y, y_test = keras.utils.to_categorical(y, 4), keras.utils.to_categorical(y_test, 4)
    model = camera_model(keras)
    history = model.fit(x, y, epochs=epochs, batch_size=32, verbose=0, validation_data=(x_test, y_test))
    return score(model, history, (x_test, y_test))


# -- the table ---------------------------------------------------------------------------------------------


def using(run: Callable[..., Result], **options: Any) -> Callable[..., Result]:
    return lambda keras, data, epochs: run(keras, data, epochs, **options)


def imdb(published: str, *, epochs: int = 4, **options: Any) -> Experiment:
    return Experiment(using(texts, **{"units": (16, 16), **options}), "imdb", epochs, published)


def reuters(published: str, *, epochs: int = 9, **options: Any) -> Experiment:
    settings = {"units": (64, 64), "loss": "categorical_crossentropy", "classes": 46, **options}
    return Experiment(using(texts, **settings), "reuters", epochs, published)


def reuters_held(published: str, units: tuple[int, ...]) -> Experiment:
    return reuters(published, epochs=20, units=units, batch_size=128, validation=1000 / 8982)


DEEP = (2500, 2000, 1500, 1000, 500)
EXPERIMENTS: dict[str, Experiment] = {
    "mnist 512-512 dropout": Experiment(
        using(mnist_dense, units=(512, 512), activation="relu", dropout=0.2), "mnist", 5, "0.9785"
    ),
    "mnist 512-512": Experiment(using(mnist_dense, units=(512, 512), activation="relu"), "mnist", 5, "0.9825"),
    "mnist deep tanh": Experiment(using(mnist_dense, units=DEEP, activation="tanh"), "mnist", 10, "0.9736"),
    "mnist conv": Experiment(mnist_conv, "mnist", 12, "0.9910"),
    **{
        f"mnist 128 dropout {rate}": Experiment(
            using(mnist_dense, units=(128,), activation="relu", dropout=rate, optimizer="adam"), "mnist", 100, "curves"
        )
        for rate in (0.0, 0.2, 0.4, 0.6, 0.8)
    },
    "mnist 50 sgd": Experiment(mnist_sgd, "mnist", 17, "> 0.94"),  # 10,000 updates are 16 2/3 epochs
    "camera": Experiment(camera, "camera", 8, "1.0"),
    "imdb 16-16": imdb("0.8836"),
    "imdb 16": imdb("0.8732", units=(16,)),
    "imdb 16-16-16-16": imdb("0.8806", units=(16,) * 4),
    "imdb 16-1024": imdb("0.8812", units=(16, 1024)),
    "imdb mse": imdb("0.8828", loss="mse"),
    "imdb tanh": imdb("0.8772", activation="tanh"),
    "imdb 20 epochs": imdb("val 0.8675", epochs=20, validation=0.4),
    "reuters one-hot": reuters("0.7912"),
    "reuters sparse": reuters("0.7912", loss="sparse_categorical_crossentropy"),
    "reuters 64-4": reuters_held("val 0.680", (64, 4)),
    "reuters 64-4096": reuters_held("val 0.785", (64, 4096)),
    "reuters 512-512": reuters_held("val 0.803", (512, 512)),
    "reuters none": reuters_held("val 0.796", ()),
    "reuters 64-64-64-64": reuters_held("val 0.790", (64,) * 4),
    "boston folds": Experiment(boston_folds, "boston", 100, "2.40"),
    "boston curve": Experiment(using(boston_folds, curve=True), "boston", 500, "best near epoch 80"),
    "boston final": Experiment(boston_final, "boston", 80, "2.61", seeds=5),
}


def load(name: str) -> Any:
    """The full data of an experiment."""
    import datasets
    from datasets.helpers import multi_hot

    if name == "camera":
        return datasets.camera.load_data(n=20_000)  # with 5,000 some seeds of either library stop at 0.75
    if name == "boston":
        return datasets.boston_housing.load_data()
    if name == "mnist":
        return datasets.mnist.load_data()
    (x, y), (x_test, y_test) = getattr(datasets, name).load_data(num_words=10_000)
    return (multi_hot(x, 10_000), y), (multi_hot(x_test, 10_000), y_test)
