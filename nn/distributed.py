"""Training on several processes: each computes its share of every batch, and their gradients are summed.

``mpiexec -n 4 python train.py`` starts four of them. They all run the whole program; one added line, a call of
`init`, makes `fit`, `train_on_batch`, `evaluate` and `predict` share the work and give in all of them what one process
gives. The processes talk through MPI (the package mpi4py).
"""

from __future__ import annotations

import atexit
import math
import os
import random as python_random
import sys
import time
import zlib
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from autograd_core import tree
from autograd_core.mode import no_grad
from autograd_core.ops.processes import all_reduce

from . import random
from .tensors import assign, plain

__all__ = ["init", "mean", "rank", "size"]


class Whole:
    """What a process that is alone has of a batch: all of it."""

    alone = True

    def examples(self, x: Any) -> int:
        """How many examples the batch has, of which ``x`` are this process's inputs."""
        return int((x if type(x) is np.ndarray else tree.leaves(x)[0]).shape[0])

    def gathered(self, values: Any) -> Any:
        """The arrays in a structure with the rows of all processes."""
        return values


class Share(NamedTuple):
    """The examples of a batch that are this process's: rows ``begin`` to ``end`` of ``total``.

    Where there are fewer examples than processes, some take one that belongs to another, so that nothing they compute
    is empty, and it counts for nothing: ``weight`` is 0 and not 1. Inside a ``with`` block it is computed with.
    """

    begin: int
    end: int
    total: int
    weight: int

    @property
    def alone(self) -> bool:
        """Whether it is all of the batch."""
        return False

    @property
    def fraction(self) -> float:
        """How much of the mean over the batch is the mean over this share."""
        return self.weight * (self.end - self.begin) / self.total

    def examples(self, x: Any) -> int:
        """How many examples the whole batch has."""
        return self.total

    def gathered(self, values: Any) -> Any:
        """The arrays in a structure, of which each process has its share of the rows, with the rows of all."""
        return tree.map(lambda value: _gathered(plain(value), self), values)

    def __enter__(self) -> Share:
        global _share
        _share = self
        return self

    def __exit__(self, *exc: object) -> None:
        global _share
        _share = None


WHOLE = Whole()

# The communicator of all processes; None where there is one process only, and then nothing here does anything.
_world: Any = None
# The share that is being computed with, and how many sums over the processes there were on the way.
_share: Share | None = None
_sums = 0


def init() -> None:
    """Share the training with the other processes that ``mpiexec -n … python …`` has started.

    Call it once, at the start of the program; a second call changes nothing. Every process then has the random
    numbers of the first one (rank 0), which alone prints and writes files: ``print`` shows nothing in the others. A
    process that fails ends them all. Started without ``mpiexec`` the program runs as one process.

    Raises ImportError when mpi4py or an MPI is missing, RuntimeError when the processes do not find each other.

    >>> import nn
    >>> nn.distributed.init()  # doctest: +SKIP
    """
    global _world
    if _world is not None:
        return
    try:
        from mpi4py import MPI
    except (ImportError, RuntimeError) as error:  # without the package, and without a library of MPI
        raise ImportError(
            'nn.distributed.init() needs mpi4py and an MPI: pip install "autograd-core[distributed]", and pip install '
            f"mpich where the machine has no MPI of its own ({error})"
        ) from error
    started = max(int(os.environ.get(name, 1)) for name in ("PMI_SIZE", "OMPI_COMM_WORLD_SIZE"))
    if started != MPI.COMM_WORLD.size:
        raise RuntimeError(
            f"{started} processes were started, and mpi4py sees {MPI.COMM_WORLD.size}: this mpiexec belongs to another "
            f"MPI than mpi4py's, {MPI.get_vendor()[0]}; start the program with the mpiexec of that one, or install "
            "mpi4py for this one"
        )
    if started == 1:
        return
    _world = MPI.COMM_WORLD.Dup()  # so that nothing else that uses MPI gets in between
    if _world.allreduce(_crowded(_world.Split_type(MPI.COMM_TYPE_SHARED)), MPI.MAX):
        _world = PollingComm(_world)
    state = _world.bcast((python_random.getstate(), np.random.get_state(), random.get_state(random.generator)))  # noqa: NPY002
    python_random.setstate(state[0])
    np.random.set_state(state[1])  # noqa: NPY002
    random.generator.bit_generator.state = state[2]
    sys.excepthook = _ending(sys.excepthook)
    atexit.register(_finish)
    if _world.rank:
        sys.stdout.flush()
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)  # standard output
        os.close(nowhere)


def rank() -> int:
    """Which of the processes this is, from 0 on; 0 where there is one only.

    >>> import nn
    >>> nn.distributed.rank()
    0
    """
    return 0 if _world is None else _world.rank


def size() -> int:
    """How many processes share the work.

    >>> import nn
    >>> nn.distributed.size()
    1
    """
    return 1 if _world is None else _world.size


def mean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """`numpy.mean` over the whole batch, for a layer of your own that looks at several examples at once.

    In training each process has a share of the batch, which is the first axis of ``x``, and this sums over all of
    them; gradients flow through it to all. Anywhere else, and over other axes alone, it is `numpy.mean`.

    Parameters
    ----------
    x : array_like
        An array whose first axis is that of the examples.
    axis : int or sequence of int, optional
        Along which to take the mean, one axis or a tuple of them; None takes all.
    keepdims : bool
        Whether these axes stay, with length 1.

    Returns
    -------
    array
        In the shape of ``x`` without ``axis``.

    Raises
    ------
    ValueError
        For an axis that is not there, and for a first axis that is not of the examples.

    Examples
    --------
    >>> import nn
    >>> print(nn.distributed.mean(np.array([[1.0, 2.0], [3.0, 4.0]]), axis=0))
    [2. 3.]
    """
    ndim = np.ndim(x)
    if _share is None or 0 not in (range(ndim) if axis is None else normalize_axis_tuple(axis, ndim)):
        return np.mean(x, axis=axis, keepdims=keepdims)
    part = np.sum(x, axis=axis, keepdims=keepdims)
    return sum_of(part) / (math.prod(whole(np.shape(x))) // np.size(part))


def sum_of(part: Any) -> Any:
    """The sum of what the processes have computed from their shares; ``part`` itself outside of a step."""
    global _sums
    if _share is None:
        return part
    _sums += 1
    return all_reduce(part * _share.weight, communicator=_world)


# -- shares ------------------------------------------------------------------------------------------------


def rows(start: int, stop: int) -> tuple[slice, Whole | Share]:
    """Which of the examples from ``start`` to ``stop`` are this process's: as rows, and as a share of the batch."""
    if _world is None:
        return slice(start, stop), WHOLE
    share = _share_of(stop - start)
    return slice(start + share.begin, start + share.end), share


def _bounds(total: int) -> list[int]:
    """Where the shares of a batch begin and end; their lengths differ by one at most."""
    return [total * r // _world.size for r in range(_world.size + 1)]


def _share_of(total: int) -> Share:
    begin, end = _bounds(total)[_world.rank : _world.rank + 2]
    return Share(begin, end, total, 1) if begin < end else Share(0, 1, total, 0)


def fraction() -> float:
    """How much of the mean over the batch at hand is the mean over what this process has of it: 1 without sharing."""
    return 1.0 if _share is None else _share.fraction


def whole(shape: Sequence[int]) -> tuple[int, ...]:
    """The shape that an array of this process's share, of this ``shape``, has for the whole batch."""
    if _share is None:
        return tuple(shape)
    examples = _share.end - _share.begin
    if not shape or shape[0] % examples:
        raise ValueError(
            f"Dropout and nn.distributed.mean: expected an array with the {examples} of the {_share.total} examples of "
            f"a batch that this process has along its first axis, got shape {tuple(shape)}; transpose after them, not "
            "before"
        )
    return (shape[0] * _share.total // (_share.end - _share.begin), *shape[1:])


def own(drawn: Any) -> Any:
    """This process's rows of something that each process has drawn for the whole batch; all of a single row."""
    if _share is None or len(drawn) == 1:
        return drawn
    each = len(drawn) // _share.total
    return drawn[_share.begin * each : _share.end * each]


# -- talking -----------------------------------------------------------------------------------------------


def total_of(values: Sequence[Any]) -> list[Any]:
    """Arrays summed over all processes, as one flat buffer; None stays None."""
    present = [v for v in values if v is not None]
    flat = all_reduce(np.concatenate([np.ravel(v) for v in present]), communicator=_world)
    parts = iter(np.split(flat, np.cumsum([np.size(v) for v in present])[:-1]))
    return [None if v is None else next(parts).reshape(np.shape(v)).astype(v.dtype, copy=False) for v in values]


def _gathered(part: Any, share: Share) -> Any:
    lengths = np.diff(_bounds(share.total))
    each, left = divmod(len(part), share.end - share.begin)
    if left:
        raise ValueError(f"expected a row for each of {share.end - share.begin} examples, got an array of {len(part)}")
    array = np.empty((share.total * each, *part.shape[1:]), part.dtype)
    row = array[:1].nbytes * each
    mine = np.ascontiguousarray(part[: len(part) * share.weight])
    _world.Allgatherv(mine.reshape(-1).view(np.uint8), [array.reshape(-1).view(np.uint8), lengths * row])
    return array


def from_first(make: Callable[[], Any], doing: str) -> Any:
    """What ``make`` gives in the first process, in all of them."""
    if _world is None:
        return make()
    agree(doing)
    return _world.bcast(None if _world.rank else make())


def agree(doing: str) -> None:
    """Raise in every process, and say who does what, unless all of them are about to do the same.

    A sum that one of them does not join would wait for it forever.
    """
    code = zlib.crc32(doing.encode())
    from mpi4py import MPI

    found = np.empty(2, np.int64)
    _world.Allreduce(np.array([code, -code]), found, MPI.MAX)
    if found[0] == -found[1]:
        return
    told: dict[str, list[str]] = {}
    for r, text in enumerate(_world.allgather(doing)):
        told.setdefault(text, []).append(str(r))
    who = "; ".join(f"{'ranks' if len(r) > 1 else 'rank'} {', '.join(r)}: {text}" for text, r in told.items())
    raise RuntimeError(
        f"the processes do not do the same ({who}). Each must build the same model and make the same calls of fit, "
        "train_on_batch, evaluate and predict, with the same data"
    )


def synchronise(model: Any) -> None:
    """Give every process the model's weights, its optimizer's state and its random numbers of the first one."""
    shapes = ", ".join(str(w.shape) for w in model.weights)
    agree(f"a {type(model).__name__} with weights of shapes {shapes or '(none yet)'}, made of {_made_of(model)}")
    generators = [random.generator, *random.generators_of(model)]
    states = model.optimizer.variables if model.compiled else []
    weights, values, drawn = _world.bcast(
        ([plain(w) for w in model.weights], list(map(np.array, states)), list(map(random.get_state, generators)))
    )
    if _world.rank:
        for variable, value in zip(model.weights, weights, strict=True):
            assign(variable, value)
        for array, value in zip(states, values, strict=True):
            array[...] = value
        for generator, state in zip(generators, drawn, strict=True):
            generator.bit_generator.state = state


def _made_of(model: Any) -> str:
    """The layers of a model, and with what it was compiled, each with a checksum of its configuration."""
    parts = [(type(layer).__name__, layer.get_config()) for layer in model.walk_layers()]
    compiled = model.get_compile_config() if model.compiled else {}
    parts += [(name, value) for name, value in compiled.items() if value is not None]
    return ", ".join(f"{name} {zlib.crc32(_as_text(value).encode()):08x}" for name, value in parts)


def _as_text(value: Any) -> str:
    """A configuration without names, which count how many layers a process has made before."""
    if isinstance(value, dict):
        value = {k: v for k, v in value.items() if k != "name"}
        return "{" + ", ".join(f"{k}: {_as_text(v)}" for k, v in sorted(value.items())) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_as_text, value)) + "]"
    return repr(value) if isinstance(value, str | int | float | None) else type(value).__name__


def build(model: Any, x: Any) -> None:
    """Make the weights of a model that makes them from its first input."""
    if not model.built:
        with no_grad():
            model(x, training=False)


def communicates(step: Callable[[], Any]) -> tuple[Any, bool]:
    """What a step gives, and whether it needed the other processes on its way."""
    before = _sums
    return step(), _sums > before


def checked_loss(compute: Callable[[], Any]) -> Any:
    """What a loss gives. Anything but one number per example stands for a share, and there is no telling how.

    A sum, a mean, its square root: each would have to be put together in another way. It is right only if it was
    computed from sums over all processes.
    """
    losses, communicated = communicates(compute)
    shape = np.shape(losses)
    if _share is not None and not communicated and (not shape or shape[0] % (_share.end - _share.begin)):
        came = f"an array of shape {shape}" if shape else "a single number"
        raise ValueError(
            f"the loss: expected one number per example, got {came}, of which several processes cannot know what it is "
            "for the whole batch; return one number per example, or use nn.distributed.mean in place of np.mean over "
            "the examples"
        )
    return losses


class PollingComm:
    """A communicator for more processes than there are cores.

    MPI's own processes ask without pause whether the others are ready, which keeps these from getting ready.
    """

    def __init__(self, communicator: Any):
        self._of = communicator

    def __getattr__(self, name: str) -> Any:
        return getattr(self._of, name)

    def Allreduce(self, *args: Any) -> None:
        _sleep_until_done(self._of.Iallreduce(*args))

    def Allgatherv(self, *args: Any) -> None:
        _sleep_until_done(self._of.Iallgatherv(*args))


def _sleep_until_done(request: Any) -> None:
    while not request.Test():
        time.sleep(2e-5)


def _crowded(node: Any) -> bool:
    """Whether the processes on this machine are more than the cores that they may use."""
    mine = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)
    return bool(node.size > len(set().union(*node.allgather(set(mine)))))


# -- the end -----------------------------------------------------------------------------------------------


def _ending(show: Callable[..., None]) -> Callable[..., None]:
    """What is done about an exception that nobody caught: it is shown, and the other processes end as well."""

    def end(kind: Any, error: Any, trace: Any) -> None:
        if _world.rank:  # the same fault in all of them is told once
            time.sleep(1)
        show(kind, error, trace)
        _stop(kind.__name__)

    return end


def _stop(what: str) -> None:
    sys.stdout.flush()
    print(f"nn.distributed: rank {_world.rank} of {_world.size} failed ({what}), so all end.", file=sys.stderr)
    sys.stderr.flush()
    _world.Abort(1)


def _finish() -> None:
    """At the end of the program: one that ends earlier than the others would leave them waiting."""
    try:
        agree("the end of the program")
    except RuntimeError as error:
        if _world.rank:
            time.sleep(1)
        print(f"RuntimeError: {error}", file=sys.stderr)
        _stop("RuntimeError")
