"""What tests/nn/test_distributed.py runs in one process and in several: trainings whose results must be the same.

``python parallel_program.py FOLDER NAMES…`` runs some of the functions below. Their results go to FOLDER, in a file for
each process.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np

import nn
from autograd_core import grad
from autograd_core.ops.processes import all_reduce

L = nn.layers
RESULTS = {}

# 50 examples in batches of 12: the last batch has two, so that of three processes one has nothing to do.
data = np.random.default_rng(0)
X = data.normal(size=(50, 6)).astype("float32")
Y = data.integers(0, 3, 50)
WEIGHTS = data.uniform(0.5, 2.0, 50).astype("float32")


def keep(name, model, **more):
    """Note the weights of a model, and what else is to be compared."""
    for i, weight in enumerate(model.get_weights()):
        RESULTS[f"{name}: weight {i}"] = weight
    for what, value in more.items():
        RESULTS[f"{name}: {what}"] = np.asarray(value)


def made(layers, optimizer="sgd", loss="sparse_categorical_crossentropy", **options):
    """A compiled model, always of the same first weights."""
    nn.utils.set_random_seed(1)
    model = nn.Sequential(layers())
    model.compile(optimizer, loss, **options)
    return model


def two_hundred_steps(dtype):
    """Dropout, a penalty, momentum, clipping by the norm of all gradients; then normalization by batches."""
    model = made(
        lambda: [
            L.Dense(8, "tanh", kernel_regularizer="l2", dtype=dtype),
            L.Dropout(0.3, dtype=dtype),
            L.Dense(3, "softmax", dtype=dtype),
        ],
        nn.optimizers.SGD(0.1, momentum=0.9, global_clipnorm=0.5),
    )
    history = model.fit(X, Y, batch_size=12, epochs=40, verbose=0, sample_weight=WEIGHTS, class_weight={1: 2.0})
    keep(f"dropout {dtype}", model, losses=history.history["loss"])
    assert model._steps.plans.plan.gradient.programs or not nn.distributed.size() > 1, "it was not replayed"
    model = made(
        lambda: [
            L.Reshape((3, 2)),
            L.Conv1D(4, 2, activation="tanh", dtype=dtype),
            L.BatchNormalization(dtype=dtype),
            L.Flatten(),
            L.Dense(3, "softmax", dtype=dtype),
        ],
        nn.optimizers.SGD(0.05),
    )
    history = model.fit(X, Y, batch_size=12, epochs=40, verbose=0)
    keep(f"normalization {dtype}", model, losses=history.history["loss"])


class Largest(nn.metrics.Metric):
    """A metric that is no mean."""

    def reset_state(self):
        self.largest = 0.0

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.largest = max(self.largest, float(np.max(y_pred)))

    def result(self):
        return self.largest


class Loader:
    """Gives batches and does not say how many."""

    def __iter__(self):
        return ((X[i : i + 11], Y[i : i + 11]) for i in range(0, 50, 11))


class TwoInputs(nn.Model):
    """A model of two inputs, which are given as a list."""

    def __init__(self):
        super().__init__()
        self.a, self.b = L.Dense(3), L.Dense(3)

    def call(self, inputs):
        left, right = inputs
        return self.a(left) + self.b(right)


def all_that_fit_and_its_kin_give():
    """Metrics of every kind, validation, evaluation, prediction, single batches, batches that someone else makes."""
    metrics = ["accuracy", Largest(), nn.metrics.SparseTopKCategoricalAccuracy(2)]
    layers = lambda: [L.Dense(8, "relu"), L.Dropout(0.5, noise_shape=(None, 1)), L.Dense(3, "softmax")]  # noqa: E731
    model = made(layers, "adam", metrics=metrics, weighted_metrics=["accuracy"])
    history = model.fit(
        X, Y, batch_size=7, epochs=3, verbose=2, validation_data=(X[:9], Y[:9], WEIGHTS[:9]), sample_weight=WEIGHTS
    )
    keep("measured", model, **history.history)
    evaluated = model.evaluate(X, Y, batch_size=16, sample_weight=WEIGHTS, verbose=0)
    one = model.train_on_batch(X[:5], Y[:5], class_weight={0: 3.0})
    keep("single", model, evaluated=evaluated, train=one, test=model.test_on_batch(X[:2], Y[:2]))
    keep("predicted", model, all=model.predict(X, batch_size=13, verbose=0), one=model.predict_on_batch(X[:1]))

    model = made(layers, nn.optimizers.Adam(nn.optimizers.schedules.ExponentialDecay(0.01, 5, 0.9)), run_eagerly=True)
    model.fit(Loader(), epochs=2, verbose=0)
    keep("batches, eagerly", model, gradient=model.trainable_weights[0].grad)

    nn.utils.set_random_seed(1)
    model = TwoInputs()
    model.compile("rmsprop", nn.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit([X, X[:, :2]], Y, batch_size=12, epochs=2, verbose=0, validation_split=0.2)
    keep("two inputs", model, predicted=model.predict([X, X[:, :2]], verbose=0))


def losses_that_are_no_mean():
    """A sum, a mean by weight, a function that gives a single number, a model that penalizes itself."""
    for reduction in ("sum", "mean_with_sample_weight"):
        loss = nn.losses.MeanSquaredError(reduction=reduction)
        model = made(lambda: [L.Dense(1, kernel_regularizer="l1")], nn.optimizers.SGD(0.001), loss)
        history = model.fit(X, X[:, 0], batch_size=12, epochs=2, verbose=0, sample_weight=WEIGHTS)
        keep(reduction, model, losses=history.history["loss"], evaluated=model.evaluate(X, X[:, 0], verbose=0))
    model = made(lambda: [L.Dense(1), L.Lambda(lambda x: x[:, 0])], "sgd", "mse")  # the mean of all, in one number
    model.fit(X, X[:, 0], batch_size=12, epochs=2, verbose=0)
    keep("without columns", model)
    functions = {
        "a function": lambda y, p: np.sum((y - p) ** 2, axis=-1),
        "a root": lambda y, p: np.sqrt(nn.distributed.mean((y - p) ** 2)),
    }
    for name, function in functions.items():
        centred = L.Lambda(lambda x: x - nn.distributed.mean(x, axis=-1, keepdims=True))
        model = made(lambda: [centred, L.Dense(1)], "sgd", function)  # noqa: B023
        history = model.fit(X, X[:, 0], batch_size=12, epochs=2, verbose=0)
        keep(name, model, losses=history.history["loss"])


def the_sum_over_processes_has_a_derivative():
    """Each of n processes has a factor a of its own, and computes s² from s = Σ a·x: together they have n·s²."""
    from mpi4py import MPI

    n, a = nn.distributed.size(), 1.0 + nn.distributed.rank()
    assert MPI.COMM_WORLD.size == n
    x, all_a = np.array([a, -2.0]), np.arange(1.0, n + 1)
    s = np.array([np.sum(all_a * all_a), np.sum(all_a) * -2.0])

    def square(x):
        return np.sum(all_reduce(a * x, communicator=MPI.COMM_WORLD) ** 2)

    np.testing.assert_allclose(grad(square)(x), 2 * n * s * a)
    second = grad(lambda x: np.sum(grad(square)(x)))(x)
    np.testing.assert_allclose(second, [2 * n * a * np.sum(all_a)] * 2)


def predictions_after_weights_set_in_one():
    """Those of the first process count."""
    model = made(lambda: [L.Input(shape=(6,)), L.Dense(3)], metrics=["accuracy"])
    before = model.predict(X, verbose=0)
    if nn.distributed.rank():
        model.set_weights([0 * w for w in model.get_weights()])
    keep("set in one", model, before=before, after=model.predict(X, verbose=0))
    if nn.distributed.rank():
        model.set_weights([0 * w for w in model.get_weights()])
    keep("set in one", model, evaluated=model.evaluate(X, Y, verbose=0))


def refusals():
    """What the second process has otherwise, and what none can share: each is refused in all, which go on."""
    second = nn.distributed.rank() == 1
    middle, targets = X.copy(), Y.copy()
    if second:
        middle[20:30] *= 3
        targets[25] += 1

    def dense(activation="relu", rate=0.5, **options):
        return made(lambda: [L.Dense(4, activation), L.Dropout(rate), L.Dense(3, "softmax")], **options)

    def fit(model, x=X, **options):
        model.fit(x, Y[: len(x)], verbose=0, **{"batch_size": 50, **options})

    def of_loss(function):
        fit(made(lambda: [L.Dense(1)], loss=function), X)

    def transposed():
        turned = [L.Lambda(lambda x: np.transpose(x, (1, 0, 2))), L.Dropout(0.5)]
        fit(made(lambda: [L.Dense(8), L.Reshape((4, 2)), *turned], loss="mse"), X[:6])

    schedule = nn.callbacks.LearningRateScheduler(lambda epoch, rate: 0.2 if second else 0.1)
    metric = nn.losses.categorical_crossentropy if second else "sparse_categorical_crossentropy"
    cases = {
        "another activation": lambda: fit(dense("tanh" if second else "relu")),
        "another rate of Dropout": lambda: fit(dense(rate=0.2 if second else 0.5)),
        "another loss": lambda: fit(dense(loss=metric)),
        "other metrics": lambda: fit(dense(metrics=["accuracy"] if second else None)),
        "other data in the middle": lambda: fit(dense(), middle),
        "other targets": lambda: dense().evaluate(X, targets, verbose=0),
        "other data to predict": lambda: dense().predict(middle, verbose=0),
        "another order": lambda: fit(dense(), shuffle=not second),
        "other weights of classes": lambda: fit(dense(), class_weight={1: 3.0 if second else 2.0}),
        "another learning rate": lambda: fit(dense(), callbacks=[schedule]),
        "a loss that is a sum": lambda: of_loss(lambda y, p: np.sum((y - p) ** 2)),
        "a loss by columns": lambda: of_loss(lambda y, p: np.sum((y - p) ** 2, axis=0)),
        "a loss that is a root": lambda: of_loss(lambda y, p: np.sqrt(np.mean((y - p) ** 2))),
        "dropout of something else": transposed,
    }
    for name, attempt in cases.items():
        try:
            attempt()
        except (RuntimeError, ValueError) as error:
            RESULTS[f"refused: {name}"] = np.asarray(str(error))


def made_before_init():
    """A model whose first weights differ from process to process, made before they know each other."""
    nn.utils.set_random_seed(int(os.environ["PMI_RANK"]))
    model = nn.Sequential([L.Input(shape=(6,)), L.Dense(3, "softmax"), L.Dropout(0.5)])
    model.compile("sgd", "sparse_categorical_crossentropy")
    nn.distributed.init()
    nn.distributed.init()
    print("only the first one prints")
    model.fit(X, Y, epochs=1, verbose=0, callbacks=[nn.callbacks.CSVLogger(folder / "log.csv")])
    model.save(folder / "model.autograd", overwrite=False)
    keep("made before init()", model)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    if "made_before_init" not in sys.argv and "PMI_RANK" in os.environ:
        nn.distributed.init()
    for step in sys.argv[2:]:
        name, *arguments = step.split(":")
        globals()[name](*arguments)
    np.savez(folder / f"{nn.distributed.rank()}.npz", **RESULTS)
