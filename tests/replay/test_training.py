"""A model that is replayed and one that runs eagerly: the same numbers, from the same seed."""

from __future__ import annotations

import copy
import gc
import importlib
import os
import signal
import subprocess
import sys
import threading
import tracemalloc
import warnings
import weakref

import numpy as np
import pytest

import autograd_core as ag
import nn
from nn import layers, optimizers

spread, parallel = (importlib.import_module(f"autograd_core.replay.threads.{name}") for name in ("spread", "parallel"))

rng = np.random.default_rng(0)
X = rng.normal(size=(22, 6)).astype(np.float32)
Y = rng.integers(0, 3, 22)
IMAGES = rng.normal(size=(22, 8, 8, 2)).astype(np.float32)


def dense(*middle, inputs=6, outputs=3, activation="softmax"):
    return [layers.Input(shape=(inputs,)), layers.Dense(5, "tanh"), *middle, layers.Dense(outputs, activation)]


def trained(make, x=X, y=Y, loss="sparse_categorical_crossentropy", optimizer="rmsprop", epochs=5, **options):
    """The model, its history, predictions and weights, replayed and eager, from one seed."""
    found = []
    for eagerly in (False, True):
        nn.utils.set_random_seed(1)
        model = nn.Sequential(make())
        opt = optimizer() if callable(optimizer) else optimizer
        model.compile(opt, loss, metrics=["accuracy"], run_eagerly=eagerly)
        history = model.fit(x, y, batch_size=8, epochs=epochs, verbose=0, **options)
        measured = [model.evaluate(x, y, batch_size=8, verbose=0) for _ in range(2)][-1]
        found.append((model, history.history, [model.predict(x, batch_size=8, verbose=0) for _ in range(2)], measured))
    return found


def assert_same(found, exact=True):
    (replayed, history, predictions, measured), (eager, *other) = found
    compare = np.testing.assert_array_equal if exact else close
    for a, b in zip(replayed.get_weights(), eager.get_weights(), strict=True):
        compare(a, b)
    for a, b in zip(replayed.optimizer.get_weights(), eager.optimizer.get_weights(), strict=True):
        compare(a, b)
    for name in history:
        compare(history[name], other[0][name])
    compare(predictions, other[1])
    compare(measured, other[2])


def close(a, b):
    np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-6)


def assert_replayed(model):
    steps = model._steps.plans.plan
    assert len(steps.training.programs) == 2, steps.training.show()  # the last batch is smaller
    assert steps.testing.programs, steps.testing.show()
    assert steps.predicting.programs, steps.predicting.show()


def test_the_check_of_an_embedding_still_speaks():
    model = nn.Sequential(
        [layers.Input(shape=(4,)), layers.Embedding(9, 5), layers.Flatten(), layers.Dense(3, "softmax")]
    )
    model.compile("rmsprop", "sparse_categorical_crossentropy")
    for _ in range(5):
        model.train_on_batch(rng.integers(0, 9, (22, 4)), Y)
    assert model.schedule.programs
    before = model.get_weights()
    with pytest.raises(ValueError, match="rows, from 0 to 8"):
        model.train_on_batch(np.full((8, 4), 9), Y[:8])
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_rate_that_is_changed_in_mid_training_counts_from_the_next_step_on():
    class Slower(nn.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.optimizer.learning_rate = self.model.optimizer.learning_rate / 2

    found = trained(dense, callbacks=[Slower()])
    assert_same(found)
    assert found[0][0].optimizer.learning_rate == pytest.approx(0.001 / 32)


# -- what a recording must not freeze ----------------------------------------------------------------------


def pair(make=dense, **options):
    """Two equal models, one replayed and one eager."""
    models = []
    for eagerly in (False, True):
        nn.utils.set_random_seed(1)
        model = nn.Sequential(make())
        model.compile("rmsprop", "sparse_categorical_crossentropy", run_eagerly=eagerly, **options)
        models.append(model)
    return models


def step(models, n=1, x=X[:8], y=Y[:8]):
    for _ in range(n):
        state = nn.random.generator.bit_generator.state
        found = []
        for model in models:
            nn.random.generator.bit_generator.state = state
            found.append((model.train_on_batch(x, y), *model.get_weights()))
            model.reset_metrics()
        for a, b in zip(*found, strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    "change",
    [
        lambda m: m.set_weights([w * 2 for w in m.get_weights()]),
        lambda m: m.layers[0].kernel.data.__setitem__(0, 3.0),
        lambda m: setattr(m.layers[0].kernel, "data", m.layers[0].kernel.data * 0.5),
        lambda m: setattr(m.layers[0], "trainable", False),
        lambda m: setattr(m.layers[0], "activation", nn.activations.relu),
        lambda m: setattr(m.layers[1], "rate", 0.0),
        lambda m: setattr(m.optimizer, "rho", 0.5),
        lambda m: m.optimizer.set_weights([w * 0.5 if w.ndim else w for w in m.optimizer.get_weights()]),
        lambda m: m.compile("sgd", "sparse_categorical_crossentropy", run_eagerly=m._steps.plans.eagerly),
        lambda m: m.add(layers.Dense(3, "softmax", kernel_initializer="ones")),
    ],
)
def test_what_is_changed_between_two_steps_is_seen(change):
    models = pair(lambda: dense(layers.Dropout(0.5)))
    step(models, 6)
    for model in models:
        change(model)
        if len(model.optimizer._memory.states) != len(model.trainable_variables):
            model.optimizer.build(model.trainable_variables)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="softmax is applied twice")
        step(models, 6)
    assert models[0].schedule.programs


def test_recording_and_replaying_need_no_more_memory_than_an_eager_step():
    peaks = {}
    for eagerly in (True, False):
        model = nn.Sequential(dense(layers.Dense(1000, "relu"), layers.Dense(1000, "relu"), layers.Dense(500, "relu")))
        model.compile("rmsprop", "sparse_categorical_crossentropy", run_eagerly=eagerly)
        tracemalloc.start()
        try:
            for _ in range(5):
                model.train_on_batch(X, Y)
            peaks[eagerly] = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert model.schedule.programs
    assert peaks[False] < 1.15 * peaks[True]


def test_two_models_may_take_turns():
    first, second = pair(), pair(lambda: dense(layers.Dense(7, "relu")))
    for _ in range(6):
        step(first)
        step(second)
    assert first[0].schedule.programs
    assert second[0].schedule.programs


def test_batches_of_different_sizes_each_have_a_program():
    models = pair()
    for _ in range(5):
        for n in (8, 5, 1):
            step(models, x=X[:n], y=Y[:n])
    assert len(models[0].schedule.programs) == 3


def test_an_error_in_a_step_leaves_the_next_step_right():
    models = pair()
    step(models, 5)
    for model in models:
        with pytest.raises(ValueError, match="3 classes, got 7"):
            model.train_on_batch(X[:8], np.full(8, 7))
        with pytest.raises(ValueError, match="expected"):
            model.train_on_batch(X[:8, :5], Y[:8])
        model.reset_metrics()
    step(models, 3)


def test_an_error_in_the_backward_pass_has_changed_no_weight(the_registry_as_it_was):
    @ag.op("x")
    def fragile(x):
        """x itself; its gradient cannot be computed where the first element is -1."""
        return x * 1

    fragile.vjp("1")(lambda g, z, x: g + 0 * np.linalg.inv(np.eye(1, dtype=x.dtype) + x[:1, :1]))

    models = pair(lambda: dense(layers.Dense(3), layers.Lambda(fragile), layers.Dense(100), layers.Dense(100)))
    step(models, 5)
    assert models[0].schedule.programs
    for model in models:
        kernel, bias = model.layers[1].weights
        kernel.data[...], bias.data[...] = 0.0, -1.0
        before = model.get_weights()
        with pytest.raises(np.linalg.LinAlgError):
            model.train_on_batch(X[:8], Y[:8])
        for a, b in zip(before, model.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
        bias.data[...] = 1.0
        model.reset_metrics()
    step(models, 3)


def test_where_numpy_raises_on_overflow_no_weight_has_changed_either():
    models = pair(lambda: dense(layers.Lambda(np.exp)))
    step(models, 5)
    for model in models:
        before = model.get_weights()
        with np.errstate(over="raise"), pytest.raises(FloatingPointError):
            model.train_on_batch(X[:8] * 1e38, Y[:8])
        for a, b in zip(before, model.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
        model.reset_metrics()
    step(models, 3)


def test_arrays_that_were_handed_out_do_not_change():
    model, _ = pair()
    kept = []
    for n in range(8):
        y = model.predict_on_batch(X[n : n + 8])
        kept.append((y, y.copy(), model.predict(X[n : n + 8], verbose=0)))
        model.train_on_batch(X[:8], Y[:8])
    for y, then, whole in kept:
        np.testing.assert_array_equal(y, then)
        np.testing.assert_array_equal(whole, then)


def test_gradients_are_left_by_an_eager_step_only():
    replayed, eager = pair()
    for model in (replayed, eager):
        for _ in range(5):
            model.train_on_batch(X, Y)
    assert all(w.grad is None for w in replayed.weights)
    assert all(w.grad.shape == w.shape for w in eager.weights)


def test_a_graph_from_before_a_step_cannot_be_walked_after_it():
    model, _ = pair()
    for _ in range(5):
        model.train_on_batch(X, Y)
    loss = np.sum(model(X))
    model.train_on_batch(X, Y)
    with pytest.raises(ag.GraphError, match="changed in place"):
        loss.backward()


def test_a_layer_of_one_s_own_runs_op_by_op_and_the_schedule_says_which_it_is():
    class Peeking(layers.Layer):
        def call(self, x):
            return x * 2 if float(x.data[0, 0]) > 0 else x

    models = pair(lambda: dense(Peeking()))
    step(models, 6)
    assert "layers[1] is a Peeking, a class of your own; " in models[0].schedule.show()


BETA = 1.0
TABLE = {"beta": 1.0}


class Holder:
    beta = 1.0


def scale():
    return Holder.beta


class Scaled(layers.Layer):
    """A layer that reads numbers from everywhere."""

    shared = 1.0

    def __init__(self):
        super().__init__()
        self.options = {"beta": [1.0]}

    def call(self, x):
        return x * BETA * TABLE["beta"] * scale() * self.shared * self.options["beta"][0]


def enclosed():
    beta = 1.0

    def change():
        nonlocal beta
        beta = 3.0

    return layers.Lambda(lambda x: x * beta), change


OUTSIDE = {
    "a global": lambda model, patch: patch.setitem(globals(), "BETA", 3.0),
    "a dict": lambda model, patch: patch.setitem(TABLE, "beta", 3.0),
    "a class": lambda model, patch: patch.setattr(Scaled, "shared", 3.0),
    "a function's global": lambda model, patch: patch.setattr(Holder, "beta", 3.0),
    "an attribute's contents": lambda model, patch: model.layers[1].options["beta"].__setitem__(0, 3.0),
}


@pytest.mark.parametrize("name", OUTSIDE)
def test_a_number_from_outside_that_changes_is_noticed(name, monkeypatch):
    models = pair(lambda: dense(Scaled()))
    step(models, 5)
    assert models[0].schedule.programs
    for model in models:
        OUTSIDE[name](model, monkeypatch)
    step(models, 5)
    assert models[0].schedule.programs


def test_a_variable_of_an_enclosing_function_that_changes_is_noticed():
    changes = []

    def make():
        layer, change = enclosed()
        changes.append(change)
        return dense(layer)

    models = pair(make)
    step(models, 5)
    for change in changes:
        change()
    step(models, 5)
    assert models[0].schedule.programs


def test_a_layer_of_one_s_own_may_count():
    class Counting(layers.Layer):
        def __init__(self):
            super().__init__()
            self.calls = 0

        def call(self, x):
            self.calls += 1
            return x / self.calls

    models = pair(lambda: dense(Counting()))
    step(models, 12)


def test_a_layer_that_is_frozen_and_thawed_in_turns_is_recorded_once_each():
    models = pair()
    for n in range(16):
        for model in models:
            model.layers[0].trainable = n % 2 == 0
        step(models)
    plans = models[0]._steps.plans.kept
    assert [bool(recorded.training.programs) for recorded in plans[-2:]] == [True, True]


def test_what_a_layer_keeps_is_there_after_each_step():
    class Keeping(layers.Layer):
        def call(self, x):
            self.last = x * 1
            return x

    models = pair(lambda: dense(Keeping()))
    for n in range(6):
        step(models, x=X[n : n + 8])
        a, b = (model.layers[1].last.numpy() for model in models)
        np.testing.assert_array_equal(a, b)


def test_an_optimizer_with_an_apply_of_its_own_is_left_to_it():
    class Half(optimizers.SGD):
        def apply(self, grads, trainable_variables=None):
            super().apply([g * 0.5 for g in grads], trainable_variables)

    weights = []
    for optimizer in (Half(0.1), optimizers.SGD(0.05)):
        nn.utils.set_random_seed(1)
        model = nn.Sequential(dense())
        model.compile(optimizer, "sparse_categorical_crossentropy")
        for _ in range(4):
            model.train_on_batch(X, Y)
        assert optimizer.iterations == 4
        weights.append(model.get_weights())
    for a, b in zip(*weights, strict=True):
        close(a, b)


def test_debugging_runs_the_layers_own_code():
    model, _ = pair()
    for _ in range(5):
        model.train_on_batch(X, Y)
    model.layers[0].kernel.data[0, 0] = np.nan
    with ag.debug(), pytest.raises(ag.NonFiniteError):
        model.train_on_batch(X, Y)


def test_a_model_that_is_gone_takes_its_programs_with_it():
    model, _ = pair()
    for _ in range(5):
        model.train_on_batch(X, Y)
    program, gone = weakref.ref(model.schedule.programs[0]), weakref.ref(model)
    gc.disable()
    try:
        del model, _
        assert gone() is None
        assert program() is None
    finally:
        gc.enable()


def test_a_copy_of_a_model_has_programs_of_its_own():
    model, _ = pair()
    for _ in range(5):
        model.train_on_batch(X, Y)
    other = copy.deepcopy(model)
    before = model.get_weights()
    for _ in range(5):
        other.train_on_batch(X, Y)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert not np.array_equal(other.get_weights()[0], before[0])


# -- threads, processes, Ctrl-C ----------------------------------------------------------------------------


def test_threads_may_predict_with_one_model_at_once():
    model, _ = pair()
    want = [model(X[i : i + 8]).numpy() for i in range(8)]
    found, errors = {}, []

    def work(i):
        try:
            found[i] = [model.predict_on_batch(X[i : i + 8]) for _ in range(30)]
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not errors
    for i, predictions in found.items():
        for y in predictions:
            np.testing.assert_array_equal(y, want[i])


FORKING = """
import os
import numpy as np
import nn

x, y = np.ones((8, 4), np.float32), np.zeros(8, int)
model = nn.Sequential([nn.layers.Dense(3, activation="softmax")])
model.compile("adam", "sparse_categorical_crossentropy")
for _ in range(5):
    model.train_on_batch(x, y)
assert model.schedule.programs
before = model.get_weights()
child = os.fork()
for _ in range(5):
    if child == 0:
        model.train_on_batch(x, y)
after = model.get_weights()
assert all(np.array_equal(a, b) == (child != 0) for a, b in zip(before, after))
assert child == 0 or os.waitpid(child, 0)[1] == 0
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_process_goes_on_by_itself(patience):
    """In a process of its own, because other libraries' threads would not survive the fork."""
    subprocess.run([sys.executable, "-W", "ignore", "-c", FORKING], check=True, timeout=patience)


@pytest.mark.usefixtures("python_s_own_ctrl_c")
def test_ctrl_c_in_training_leaves_a_model_that_trains_on():
    class Interrupt(nn.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            if self.model.optimizer.iterations == 7:
                signal.raise_signal(signal.SIGINT)

    models = pair()
    for model in models:
        nn.utils.set_random_seed(5)
        model.fit(X, Y, batch_size=8, epochs=9, verbose=0, callbacks=[Interrupt()])
        model.reset_metrics()
    assert models[0].optimizer.iterations == models[1].optimizer.iterations == 8
    step(models, 3)


def interrupted(program, position):
    """Let one step of a program be Ctrl-C, once."""
    itself = program.steps[position]

    def pressed():
        program.steps[position] = itself
        raise KeyboardInterrupt

    program.steps[position] = pressed


def assert_goes_on(models, arrays):
    """After Ctrl-C a model has the arrays that it had, and trains like an eager one that has what is in them."""
    model, eager = models
    assert all(w.data is array for w, array in zip(model.weights, arrays, strict=True))
    assert all(np.isfinite(w).all() for w in model.get_weights())
    eager.set_weights(model.get_weights())
    eager.optimizer.set_weights(model.optimizer.get_weights())
    for mine, other in zip(model.layers, eager.layers, strict=True):
        if isinstance(mine, layers.Dropout):  # it may have drawn already
            other.generator.bit_generator.state = mine.generator.bit_generator.state
    assert model.optimizer.iterations == eager.optimizer.iterations
    step(models, 4)
    assert model.schedule.programs


@pytest.mark.parametrize("forgetting", [False, True])
def test_ctrl_c_anywhere_in_a_replayed_step_leaves_a_model_that_trains_on(forgetting):
    models = pair(lambda: dense(layers.Dropout(0.5)))
    model, _ = models
    step(models, 5)
    arrays = [w.data for w in model.weights]
    changed = []
    for position in range(len(model.schedule.programs[0].steps)):
        before = model.get_weights()
        interrupted(model.schedule.programs[0], position)
        with pytest.raises(KeyboardInterrupt):
            model.train_on_batch(X[:8], Y[:8])
        changed.append(any(not np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True)))
        if forgetting:
            model.schedule.forget()
        assert_goes_on(models, arrays)
    assert changed == sorted(changed)  # the weights stay as they were until the update begins
    assert not changed[0]


@pytest.mark.parametrize("before", [1, 2])
def test_ctrl_c_in_a_step_that_is_being_recorded_leaves_a_model_that_trains_on(before):
    pressed = []

    def press(x):
        if pressed:
            pressed.clear()
            raise KeyboardInterrupt
        return x * 1

    models = pair(lambda: dense(layers.Lambda(press)), jit_compile=True)
    step(models, before)
    arrays = [w.data for w in models[0].weights]
    pressed.append(True)
    with pytest.raises(KeyboardInterrupt):
        models[0].train_on_batch(X[:8], Y[:8])
    assert_goes_on(models, arrays)


def test_the_schedule_of_a_model_names_the_lines_of_its_layers_rules_and_optimizer():
    model = nn.Sequential(dense())
    model.compile("adam", "sparse_categorical_crossentropy")
    for _ in range(5):
        model.train_on_batch(X[:8], Y[:8])
    shown = model.schedule.show()
    for line in ("dense.py:", "linalg.py:", "classification.py:", "adam.py:"):
        assert line in shown
    assert "train_on_batch" not in shown


def counted(function):
    """How many instructions of Python's machine a call takes, and the functions of Python that it calls, in order."""
    instructions, called, before = 0, [], sys.gettrace()

    def see(frame, event, argument):
        nonlocal instructions
        frame.f_trace_opcodes = True
        instructions += event == "opcode"
        if event == "call":
            called.append(frame.f_code.co_name)
        return see

    sys.settrace(see)
    try:
        function()
    finally:
        sys.settrace(before)
    return instructions, called


def test_a_small_step_is_few_instructions_of_python_beside_the_calls_of_numpy():
    x, y = X[:1], np.ones((1, 1), np.float32)
    models = []
    for hidden in (2, 12):
        model = nn.Sequential([layers.Input(shape=(6,)), *(layers.Dense(4, "relu") for _ in range(hidden))])
        model.add(layers.Dense(1))
        model.compile("rmsprop", "mse")
        models.append(model)
    for _ in range(6):  # now that all are made, which are settings that may matter to any
        for model in models:
            model.train_on_batch(x, y)
    (few, called), (many, called_by_many) = (counted(lambda m=m: m.train_on_batch(x, y)) for m in models)
    assert called == called_by_many  # no function of Python is called for each of NumPy's calls, nor for each weight
    if sys.version_info[:2] != (3, 11):
        return  # each version of Python has instructions of its own
    programs = [model.schedule.programs[0] for model in models]
    calls = [len(program.steps) for program in programs]
    assert few - 8 * calls[0] < 2150  # a call in a loop is eight of them
    # For each weight it is looked whether it is in its place, and noted that it was changed.
    assert (many - few) - 8 * (calls[1] - calls[0]) <= 12 * 2 * (12 - 2)
