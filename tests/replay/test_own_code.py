"""Code of one's own in `fit`, which may read any state there is: eager and by default the same numbers, every time.

Nothing looks for state. So each cell of the table says too whether a half of the step was replayed or ran op by op.
"""

from __future__ import annotations

import array
import collections
import contextvars
import ctypes
import dataclasses
import decimal
import functools
import io
import itertools
import logging
import operator
import os
import random
import sqlite3
import struct
import sys
import tempfile
import threading
import types
import weakref
from pathlib import Path

import numpy as np
import pytest

import autograd_core as ag
import nn
from autograd_core.replay.freeze import version
from nn import layers, optimizers

rng = np.random.default_rng(0)
X = rng.normal(size=(12, 4)).astype(np.float32)
Y = rng.normal(size=(12, 1)).astype(np.float32)


# -- places of state: a function that reads a number there, and one that puts another there ---------------------------

NUMBER = 1.0


def in_a_global():
    def change(value):
        global NUMBER
        NUMBER = value

    change(1.0)
    return lambda: NUMBER, change


def in_a_closure():
    number = 1.0

    def change(value):
        nonlocal number
        number = value

    return lambda: number, change


def in_a_dict():
    table = {"k": 1.0}
    return lambda: table["k"], functools.partial(operator.setitem, table, "k")


def in_a_list_of_lists():
    table = [[0.0, [1.0]]]
    return lambda: table[0][1][0], lambda value: operator.setitem(table[0][1], 0, value)


class Holder:
    k = 1.0


def by_getattr():
    holder = Holder()
    return lambda: getattr(holder, "".join("k")), functools.partial(setattr, holder, "k")


def in_a_default():
    table = [1.0]

    def read(of=table):
        return of[0]

    return read, functools.partial(operator.setitem, table, 0)


def in_an_attribute_of_the_function():
    def read():
        return read.k

    read.k = 1.0
    return read, functools.partial(setattr, read, "k")


def in_a_deque():
    table = collections.deque([1.0])
    return lambda: table[0], functools.partial(operator.setitem, table, 0)


def in_an_iterator():
    source = itertools.cycle([1.0, 1.5, 2.0])

    def change(value):
        next(source)

    return lambda: next(source), change


def in_an_object_of_a_local_variable():
    holders = [[Holder()]]

    def read():
        held = holders[0][0]
        return held.k

    return read, lambda value: setattr(holders[0][0], "k", value)


def in_a_class():
    class Own:
        k = 1.0

    return lambda: Own.k, functools.partial(setattr, Own, "k")


def in_a_module():
    module = types.ModuleType("a_module_of_one_s_own")
    module.k = 1.0
    return lambda: module.k, functools.partial(setattr, module, "k")


def in_an_array():
    numbers = np.ones(5000)
    return lambda: float(numbers[4321]), functools.partial(operator.setitem, numbers, 4321)


def behind_a_property():
    class Own:
        hidden = 1.0

        @property
        def k(self):
            return self.hidden

    own = Own()
    return lambda: own.k, functools.partial(setattr, own, "hidden")


def behind_a_descriptor():
    class Numbers:
        held = 1.0

        def __get__(self, instance, owner):
            return self.held

    descriptor = Numbers()
    own = type("Own", (), {"k": descriptor})()
    return lambda: own.k, functools.partial(setattr, descriptor, "held")


def behind_a_weak_reference():
    holder = Holder()
    reference = weakref.ref(holder)
    return lambda: reference().k, functools.partial(setattr, holder, "k")


def in_the_environment():
    def change(value):
        os.environ["A_NUMBER_OF_ONE_S_OWN"] = str(value)

    change(1.0)
    return lambda: float(os.environ["A_NUMBER_OF_ONE_S_OWN"]), change


def in_random_numbers():
    random.seed(3)
    return lambda: 1.0 + random.random(), lambda value: random.random()


def in_numpys_random_numbers():
    generator = np.random.default_rng(3)
    return lambda: 1.0 + float(generator.random()), lambda value: generator.random()


def in_a_user_dict():
    table = collections.UserDict(k=1.0)
    return lambda: table["k"], functools.partial(operator.setitem, table, "k")


def in_an_array_of_pythons():
    table = array.array("d", [1.0])
    return lambda: table[0], functools.partial(operator.setitem, table, 0)


def in_a_context_variable():
    variable = contextvars.ContextVar("k", default=1.0)
    return variable.get, variable.set


def in_a_data_class():
    made = dataclasses.make_dataclass("Made", [("k", float)])(1.0)
    return lambda: operator.attrgetter("k")(made), functools.partial(setattr, made, "k")


def in_a_long_list():
    table = [1.0] * 5000
    return lambda: table[4000], functools.partial(operator.setitem, table, 4000)


def in_an_object_that_is_called():
    class Own:
        k = 1.0

        def __call__(self):
            return self.k

    own = Own()
    return own, functools.partial(setattr, own, "k")


def in_what_python_knows_of_itself():
    before = sys.getrecursionlimit()
    return lambda: sys.getrecursionlimit() / before, lambda value: sys.setrecursionlimit(before + int(10 * value))


# Twenty and more that nobody had thought of when replay was written.


def in_a_thread_s_own():
    kept = threading.local()
    kept.k = 1.0
    return lambda: kept.k, functools.partial(setattr, kept, "k")


def in_a_file():
    number, name = tempfile.mkstemp()
    file = Path(name)

    def change(value):
        file.write_text(str(value), "utf-8")

    os.close(number)
    change(1.0)
    weakref.finalize(change, file.unlink)
    return lambda: float(file.read_text("utf-8")), change


def in_a_file_s_position():
    file = io.StringIO("1.0\n2.0\n1.5\n")
    return lambda: float(file.readline() or file.seek(0) or 1.0), lambda value: file.seek(0)


def in_a_database():
    base = sqlite3.connect(":memory:")

    def change(value):
        base.execute("update t set k = ?", (value,))

    base.execute("create table t (k real)")
    base.execute("insert into t values (1.0)")
    weakref.finalize(change, base.close)
    return lambda: base.execute("select k from t").fetchone()[0], change


def in_a_number_of_c_s():
    number = ctypes.c_double(1.0)
    return lambda: number.value, functools.partial(setattr, number, "value")


def in_bytes_seen_as_numbers():
    memory = bytearray(struct.pack("d", 1.0))
    return lambda: struct.unpack("d", memory)[0], lambda k: struct.pack_into("d", memory, 0, k)


def in_a_chain_of_dicts():
    first, table = {}, {"k": 1.0}
    return lambda of=collections.ChainMap(first, table): of["k"], functools.partial(operator.setitem, first, "k")


def behind_a_read_only_view():
    table = {"k": 1.0}
    return lambda of=types.MappingProxyType(table): of["k"], functools.partial(operator.setitem, table, "k")


def in_a_dict_with_weak_keys():
    holder = Holder()
    table = weakref.WeakKeyDictionary({holder: 1.0})
    return lambda: table[holder], functools.partial(operator.setitem, table, holder)


def in_the_order_of_a_dict():
    table = {1.0: 0, 2.0: 0}
    return lambda: next(iter(table)), lambda k: table.update({1.0: table.pop(1.0)})


def in_the_length_of_a_list():
    table = [0]
    return lambda: float(len(table)), lambda k: table.append(0) if len(table) < 3 else table.clear()


def in_a_cache():
    table = [1.0]
    cached = functools.lru_cache(lambda: table[0])

    def change(value):
        table[0] = value
        cached.cache_clear()

    return cached, change


def in_the_keywords_of_a_partial_function():
    read = functools.partial(lambda *, k: k, k=1.0)
    return read, functools.partial(operator.setitem, read.keywords, "k")


def in_a_generator_that_is_sent_to():
    def running():
        k = 1.0
        while True:
            sent = yield k
            k = k if sent is None else sent

    generator = running()
    next(generator)
    return lambda: generator.send(None), generator.send


def in_slots():
    class Own:
        __slots__ = ("k",)

    own = Own()
    own.k = 1.0
    return lambda: own.k, functools.partial(setattr, own, "k")


def in_the_class_of_a_class():
    class Meta(type):
        k = 1.0

    class Own(metaclass=Meta):
        pass

    return lambda: Own.k, functools.partial(setattr, Meta, "k")


def in_another_class_of_an_object():
    class One:
        k = 1.0

    class Two:
        k = 2.0

    own = One()
    return lambda: own.k, lambda k: setattr(own, "__class__", Two if k != 1.0 else One)


def in_other_bases_of_a_class():
    one, two = (type("Base", (), {"k": k}) for k in (1.0, 2.0))
    own = type("Own", (one,), {})
    return lambda: own.k, lambda k: setattr(own, "__bases__", (two if k != 1.0 else one,))


def in_other_code_of_a_function():
    def read():
        return 1.0

    return lambda: read(), lambda k: setattr(read, "__code__", (lambda: 2.0).__code__)


def in_a_default_that_is_replaced():
    def read(*, k=1.0):
        return k

    return lambda: read(), lambda k: setattr(read, "__kwdefaults__", {"k": k})


def behind_the_getattr_of_a_module():
    module, table = types.ModuleType("a_module_that_answers"), {"k": 1.0}
    module.__getattr__ = table.__getitem__
    return lambda: module.k, functools.partial(operator.setitem, table, "k")


def in_the_modules_of_python():
    def change(value):
        sys.modules["a_number_of_one_s_own"] = value

    change(1.0)
    return lambda: sys.modules["a_number_of_one_s_own"], change


def in_the_context_of_decimal():
    def change(value):
        decimal.getcontext().prec = 10 + int(10 * value)

    change(1.0)
    return lambda: decimal.getcontext().prec / 20, change


def in_the_level_of_a_log():
    log = logging.getLogger("a_log_of_one_s_own")

    def change(value):
        log.setLevel(int(10 * value))

    change(1.0)
    return lambda: log.level / 10, change


def in_how_numpy_prints():
    def change(value):
        np.set_printoptions(precision=int(8 * value))

    change(1.0)
    return lambda: np.get_printoptions()["precision"] / 8, change


def in_numpys_common_random_numbers():
    np.random.seed(3)  # noqa: NPY002
    return lambda: 1.0 + np.random.rand(), lambda value: np.random.rand()  # noqa: NPY002


def in_whether_an_array_may_be_written_to():
    numbers = np.ones(3)
    return lambda: 1.0 + numbers.flags.writeable, lambda k: setattr(numbers.flags, "writeable", k == 1.0)


def in_a_queue():
    queue = collections.deque([1.0, 2.0, 1.5])
    return lambda: queue[0], lambda k: queue.rotate()


def in_a_number_of_numpys_without_axes():
    number = np.array(1.0)
    return lambda: number[()], lambda k: number.fill(k)


def in_a_weight_of_nobody_s():
    weight = ag.Tensor(np.array(1.0))
    return lambda: float(weight.data), lambda k: setattr(weight, "data", np.array(k))


def in_a_variable_of_nobody_s():
    variable = nn.Variable(1.0, trainable=False)
    return lambda: float(variable), variable.assign


PLACES = {name: made for name, made in globals().items() if name.startswith(("in_", "by_", "behind_"))}


# -- kinds of code: what a model is made and compiled with, where it reads a number ------------------------------------


def one_hidden(*between, **options):
    return [layers.Input((4,)), layers.Dense(3, "tanh"), *between, layers.Dense(1, **options)]


def a_layer(read):
    class Own(layers.Layer):
        def call(self, x):
            return x * read()

    return {"layers": one_hidden(Own())}


def a_gate(read):
    class Gate(layers.Layer):
        def call(self, x):
            return x if read() == 1.0 else x * 3

    return {"layers": one_hidden(Gate())}


def a_subclass_of_ours(read):
    class Own(layers.Dense):
        def call(self, x):
            return super().call(x) * read()

    return {"layers": one_hidden(Own(3))}


def a_patched_instance(read):
    layer = layers.Dense(3)
    call = layer.call
    layer.call = lambda x: call(x) * read()
    return {"layers": one_hidden(layer)}


def a_lambda(read):
    return {"layers": one_hidden(layers.Lambda(lambda x: x * read()))}


def an_activation(read):
    return {"layers": one_hidden(activation=lambda x: x * read())}


def a_loss(read):
    return {"layers": one_hidden(), "loss": lambda y, p: np.mean((y - p) ** 2, -1) * read()}


def a_loss_class(read):
    class Own(nn.losses.MeanSquaredError):
        def call(self, y_true, y_pred):
            return super().call(y_true, y_pred) * read()

    return {"layers": one_hidden(), "loss": Own()}


def a_regularizer(read):
    return {"layers": one_hidden(kernel_regularizer=lambda w: 0.1 * read() * np.sum(w * w))}


def an_activity_regularizer(read):
    return {"layers": one_hidden(activity_regularizer=lambda x: 0.1 * read() * np.sum(x * x))}


def an_added_loss(read):
    class Own(layers.Layer):
        def call(self, x):
            self.add_loss(0.1 * read() * np.mean(x * x))
            return x

    return {"layers": one_hidden(Own())}


def a_metric_of_a_layer(read):
    class Own(layers.Layer):
        def __init__(self):
            super().__init__()
            self.seen = nn.metrics.Mean("seen")

        def call(self, x):
            self.seen.update_state(x.data * read())
            return x

    return {"layers": one_hidden(Own())}


def an_initializer(read):
    return {"layers": one_hidden(kernel_initializer=lambda shape, dtype=None: np.full(shape, 0.3 * read(), dtype))}


def a_metric(read):
    class Own(nn.metrics.Metric):
        def update_state(self, y_true, y_pred, sample_weight=None):
            self.add(np.mean(y_pred) * read())

    return {"layers": one_hidden(), "metrics": [Own()]}


def an_optimizer(read):
    class Own(optimizers.SGD):
        def update(self, parameter, gradient, state, learning_rate, step):
            return parameter - learning_rate * read() * gradient, state

    return {"layers": one_hidden(), "optimizer": Own(0.05)}


def a_schedule(read):
    return {"layers": one_hidden(), "optimizer": optimizers.Adam(lambda step: 0.01 * read())}


def a_callback(read):
    class Own(nn.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.set_weights([w * (1 + 0.01 * read()) for w in self.model.get_weights()])

    return {"layers": one_hidden(), "callbacks": [Own()]}


# Whether the gradient and the update are replayed.
KINDS = {
    a_layer: (False, True),
    a_gate: (False, True),
    a_subclass_of_ours: (False, True),
    a_patched_instance: (False, True),
    a_lambda: (False, True),
    an_activation: (False, True),
    a_loss: (False, True),
    a_loss_class: (False, True),
    a_regularizer: (False, True),
    an_activity_regularizer: (False, True),
    an_added_loss: (False, True),
    a_metric_of_a_layer: (False, True),
    an_initializer: (True, True),
    a_metric: (True, True),
    an_optimizer: (True, False),
    a_schedule: (True, True),
    a_callback: (True, True),
}


def changed_by_a_callback(read, change):
    class Changing(nn.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if self.model.optimizer.iterations == 5:
                change(2.0)

    return read, [Changing()]


def changed_by_itself(read, change):
    count = itertools.count(1)

    def reading():
        n = next(count)
        if n % 5 == 0:
            change(1.0 + n % 3)
        return read()

    return reading, []


def train(kind, place, changed, **compiling):
    """The trained model and all that was measured."""
    nn.utils.set_random_seed(1)
    read, change = place()
    read, callbacks = changed(read, change)
    parts = kind(read)
    model = nn.Sequential(parts["layers"])
    model.compile(
        parts.get("optimizer", "adam"), parts.get("loss", "mse"), metrics=parts.get("metrics", []), **compiling
    )
    fitting = {"batch_size": 4, "verbose": 0, "callbacks": [*callbacks, *parts.get("callbacks", [])]}
    history = model.fit(X, Y, epochs=3, **fitting)
    return model, history.history, model.predict(X, verbose=0)


@pytest.mark.parametrize("changed", [changed_by_a_callback, changed_by_itself])
@pytest.mark.parametrize("kind", KINDS)
def test_what_own_code_reads_counts_wherever_it_stands(kind, changed):
    # Each kind at every seventh place in turn, so that each place is tried in several of these; with this variable
    # in all of them.
    turn = 1 if "THOROUGH" in os.environ else 7
    first = (2 * list(KINDS).index(kind) + (changed is changed_by_itself)) % turn
    limit = sys.getrecursionlimit()
    try:
        for place in [*PLACES.values()][first::turn]:
            found = []
            for eagerly in (False, True):
                sys.setrecursionlimit(limit)
                found.append(contextvars.copy_context().run(train, kind, place, changed, run_eagerly=eagerly))
            (model, history, predicted), (eager, other_history, other_predicted) = found
            for a, b in zip(model.get_weights(), eager.get_weights(), strict=True):
                np.testing.assert_array_equal(a, b, err_msg=place.__name__)
            assert history == other_history, place.__name__
            np.testing.assert_array_equal(predicted, other_predicted, err_msg=place.__name__)
            replayed = tuple(model.schedule.replayed.values())
            assert replayed == KINDS[kind], place.__name__
    finally:
        sys.setrecursionlimit(limit)


def test_what_a_step_measures_is_no_setting():
    """Settings are walked through when one has changed, which takes longer than a small step."""
    model = nn.Sequential([layers.Input(shape=(4,)), layers.Dense(3, "relu"), layers.Dropout(0.5), layers.Dense(1)])
    model.compile("adam", "mse", metrics=["mae", nn.metrics.MeanSquaredError()])
    model.fit(X, Y, batch_size=4, epochs=3, verbose=0)
    before = version()
    for _ in range(3):
        model.train_on_batch(X[:4], Y[:4])
    assert version() == before
