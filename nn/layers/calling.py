"""How a layer is called: what it is given, what it adds to the loss, and which masks go on."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from autograd_core import tree
from autograd_core.caller import level_of_caller
from autograd_core.graph import add_scope, failed_call, keep_call, tick
from autograd_core.replay import freeze
from autograd_core.tensor import Tensor

from ..masks import MASKS, hand_in, set_mask
from ..names import SCOPE
from ..tensors import constant, is_sparse
from ..variables import TRAINING, UNSAID, readable
from .input_spec import InputSpec
from .symbolic import COMPUTED, shape_of, symbols


class Called(metaclass=freeze.Watched):
    """What happens around the ``call`` of a layer."""

    name: str
    dtype: Any
    built: bool
    input_spec: InputSpec | None
    activity_regularizer: Any
    output_shape: Any
    autocast: bool
    converts: bool
    takes_sparse: bool
    _call_takes: tuple[str, ...]
    _call_needs: tuple[str, ...]
    _trains_untold: Any
    call: Any
    build: Any
    _build: Any
    _call_later: Any
    _shapes: Any
    walk_layers: Any

    def __call__(self, *inputs: Any, training: bool | None = None, **kwargs: Any) -> Any:
        for needed in self._call_needs[len(inputs) :] if kwargs else ():
            if needed not in kwargs or needed.endswith("mask"):  # which is no input, and keeps its dtype
                break
            inputs = (*inputs, kwargs.pop(needed))  # told by name
        for x in (*inputs, *kwargs.values()) if kwargs else inputs:
            if type(x) not in COMPUTED and symbols(x):
                return self._call_later(inputs, kwargs if training is None else {**kwargs, "training": training})
        outer = TRAINING.get()
        told = outer if training is None else bool(training)
        if told is None or told is UNSAID:
            told = self._trains_untold
        dtype = self.dtype if self.autocast else None
        tensors = [_convert(x, dtype) for x in inputs] if type(self).converts else list(inputs)
        first = tensors[0] if tensors else None
        shape = shape_of(first)
        if not type(self).takes_sparse and isinstance(first, Tensor) and is_sparse(first.data):
            raise TypeError(
                f"layer {self.name!r} ({type(self).__name__}): expected a dense array, got a sparse one, which goes "
                "into a Dense layer only: put one before it, or pass x.toarray()"
            )
        if self.input_spec is not None:
            try:
                self.input_spec.check(self.name, shape)
                if self.input_spec.dtype is not None:
                    self.input_spec.check_dtype(self.name, inputs[0], dtype)
            except ValueError as error:
                if isinstance(first, Tensor):
                    keep_call(error, None, [first.data], [first.node]).name = self.name
                raise
        before, scope = TRAINING.set(told), SCOPE.set((self, SCOPE.get()))
        if outer is None:
            _adding.set([])
        self.__dict__["_added"] = _adding.get()
        start = tick()
        try:
            if not self.built:
                others = self._shapes(self.build, tensors, kwargs)
                freeze.promised(functools.partial(self._build, **others), shape, kept=False)
            if "training" in self._call_takes and (told is not UNSAID or "training" in self._call_needs):
                kwargs["training"] = bool(told)
            takes = "mask" in kwargs or "mask" in self._call_takes  # if only a list of None
            masked = takes or bool(MASKS) or type(self).compute_mask is not Called.compute_mask
            mask = hand_in(self._call_takes, inputs, kwargs) if masked else None
            start = tick()
            outputs = self.call(*tensors, **kwargs)
            if masked:
                self._pass_on(mask, inputs, outputs)
            if isinstance(outputs, Tensor):
                add_scope(outputs.node, self.name, start, type(self).__name__)
            elif outputs is None:
                raise TypeError(
                    f"call of layer {self.name!r}: expected a result, got None; does it end without a return?"
                )
            if self.activity_regularizer is not None:
                self._regularize(outputs)
        except Exception as error:
            error.add_note(f"in layer {self.name!r} ({type(self).__name__}), called with shape {shape}")
            failed = failed_call(error)
            if failed is not None:
                add_scope(failed, self.name, start, type(self).__name__)
            raise
        finally:
            TRAINING.reset(before)
            SCOPE.reset(scope)
        self.output_shape = shape_of(outputs)
        return readable(outputs) if outer is None else outputs

    def add_loss(self, loss: Any) -> None:
        """Add a number, or several, to the loss of whatever is computed now; in ``call``.

        It counts for this call: the next one of the model begins with none.

        Parameters
        ----------
        loss : Tensor, or list of Tensor
            Single numbers that were computed from inputs or weights.

        Raises
        ------
        ValueError
            For what is no Tensor of one element.

        Examples
        --------
        >>> import nn
        >>> class Small(nn.layers.Layer):
        ...     def call(self, x):
        ...         self.add_loss(0.1 * np.mean(x**2))
        ...         return x
        >>> model = nn.Sequential([Small(), nn.layers.Dense(1)])
        >>> y = model(np.ones((2, 3), "float32"))
        >>> [round(loss.item(), 4) for loss in model.losses]
        [0.1]
        """
        for one in tree.leaves(loss):
            if not isinstance(one, Tensor) or one.size != 1:
                raise ValueError(f"add_loss: expected a single number that was computed, a Tensor, got {one!r}")
            self.__dict__.setdefault("_added", []).append((id(self), one))

    @property
    def losses(self) -> list[Tensor]:
        """What this layer and all in it added to the loss in the last call, and the penalties on their weights."""
        layers = list(self.walk_layers())
        added = [loss for layer in layers for owner, loss in layer._added if owner == id(layer)]
        return added + [penalty(w) for layer in layers for w, penalty in layer._regularizers if w.requires_grad]

    # What was added to the loss in the last call from outside that reached this layer: with the ids of the layers.
    _added: Sequence[tuple[int, Any]] = ()

    def _regularize(self, outputs: Any) -> None:
        """Add the penalty on what the layer gives, for each example."""
        for output in tree.leaves(outputs):
            penalty = self.activity_regularizer(output) if isinstance(output, Tensor) else None
            if isinstance(penalty, Tensor):  # one whose factors are 0 is the number 0
                self.add_loss(penalty / max(len(output) if output.ndim else 1, 1))

    # Whether what the layer gives has a mask where what it takes has one: then `compute_mask` says which.
    supports_masking = False

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """The mask of the result, for inputs and theirs: True where a step counts, None where all do."""
        return previous_mask

    def _pass_on(self, mask: Any, inputs: Any, outputs: Any) -> None:
        if self.supports_masking:
            set_mask(outputs, self.compute_mask(inputs[0] if inputs else None, mask))
        elif tree.leaves(mask):
            warnings.warn(
                f"layer {self.name!r} ({type(self).__name__}) was given values with a mask, which ends here: what is "
                "behind it does not know which steps are padding",
                stacklevel=level_of_caller(),
            )


# What is added to the loss in the call from outside that is running.
_adding: ContextVar[list[Any] | None] = ContextVar("adding", default=None)


@contextmanager
def a_step(training: bool) -> Iterator[None]:
    """What runs inside a ``with`` block is a step of training or evaluation; what it added to the loss is forgotten."""
    before, added = TRAINING.set(training), _adding.set([])
    try:
        yield
    finally:
        (_adding.get() or []).clear()
        _adding.reset(added)
        TRAINING.reset(before)


def _convert(value: Any, dtype: Any) -> Any:
    return tree.map(lambda leaf: constant(leaf, dtype), value)
