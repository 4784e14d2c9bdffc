"""What all layers share: a name, weights, building on first use, and the check of what comes in."""

from __future__ import annotations

import functools
import inspect
import math
import warnings
import weakref
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from autograd_core import tree
from autograd_core.arrays import to_numpy
from autograd_core.caller import level_of_caller
from autograd_core.graph import add_scope, failed_call, keep_call, tick
from autograd_core.replay import freeze
from autograd_core.tensor import Tensor

from .. import checks, config, constraints, initializers, regularizers, settings
from ..masks import MASKS, hand_in, set_mask
from ..metrics import Metric
from ..tensors import assign, constant, is_sparse, plain
from ..variables import TRAINING, UNSAID, Variable, readable
from .symbolic import COMPUTED, Call, KerasTensor, Shape, output_spec, shape_of, symbols

_NO_LAYERS = frozenset(
    (
        "_weights", "_kept", "_regularizers", "_constraints", "_carried", "_holders", "input_shape", "output_shape",
        "called_with", "built_for", "_calls", "_input", "_added",
    )
)  # fmt: skip

# The layers that may hold metrics, if there are any: most models have none, and are not searched for them at each step.
_with_metrics: weakref.WeakSet[Any] | None = None

# An argument that may be given by its place and by its name.
_BY_EITHER = inspect.Parameter.POSITIONAL_OR_KEYWORD

_names: Counter[str] = Counter()


def unique_name(name: str) -> str:
    """``dense``, then ``dense_1``, ``dense_2``, …"""
    count = _names[name]
    _names[name] += 1
    return f"{name}_{count}" if count else name


def forget_names() -> None:
    """Count names from the start again."""
    _names.clear()


@dataclass(frozen=True)
class InputSpec(metaclass=freeze.Watched):
    """What a layer takes: how many axes, and how long some of them are.

    Parameters
    ----------
    dtype : dtype, optional
        What is expected; it is written down only, for a layer brings what it is given to its own dtype.
    shape : tuple of int, optional
        The whole shape with the axis of the batch, in place of ``ndim`` and ``axes``; None for a length: any.
    ndim, max_ndim, min_ndim : int, optional
        How many axes there are, how many at most, and how many at least; None: any.
    axes : dict of int to int
        From some of them to their lengths.

    Raises
    ------
    ValueError
        In `check`, for another input.

    Examples
    --------
    >>> import nn
    >>> spec = nn.layers.InputSpec(ndim=2, axes={-1: 4})
    >>> spec.check("dense", (None, 3))
    Traceback (most recent call last):
    ValueError: layer 'dense' expected an input with 4 on axis -1, and got one of shape (None, 3)
    """

    dtype: Any = None
    shape: Shape | None = None
    ndim: int | None = None
    max_ndim: int | None = None
    min_ndim: int | None = None
    axes: dict[int, int] = field(default_factory=dict)
    untracked: ClassVar[frozenset[str]] = frozenset()

    def __post_init__(self) -> None:
        if self.shape is not None:
            object.__setattr__(self, "shape", tuple(self.shape))
            object.__setattr__(self, "ndim", len(self.shape))
            object.__setattr__(self, "axes", {i: n for i, n in enumerate(self.shape) if n is not None})
        object.__setattr__(self, "axes", freeze.Settings(self.axes or {}))

    def check(self, name: str, shape: Shape) -> None:
        """Raise if an input of this shape does not fit, naming the layer, what it expects and what came."""
        wanted = None
        if self.ndim is not None and len(shape) != self.ndim:
            wanted = f"{self.ndim} axes"
        elif self.min_ndim is not None and len(shape) < self.min_ndim:
            wanted = f"at least {self.min_ndim} axes"
        elif self.max_ndim is not None and len(shape) > self.max_ndim:
            wanted = f"at most {self.max_ndim} axes"
        else:
            for axis, length in self.axes.items():
                if shape[axis] not in (length, None):
                    wanted = f"{length} on axis {axis}"
                    break
        if wanted is None:
            return
        hint = ""
        if -1 in self.axes and self.axes[-1] == math.prod(n for n in shape[1:] if n) and len(shape) > 2:
            hint = "; a Flatten() before it would make it fit"
        elif len(shape) == (self.ndim or self.min_ndim or 0) - 1:
            hint = "; a single example needs a batch axis, x[None], and an image a channel axis, x[..., None]"
        raise ValueError(f"layer {name!r} expected an input with {wanted}, got one of shape {show(shape)}{hint}")


def show(shape: Shape) -> str:
    """A shape as it is printed: ``(None, 28, 28)``."""
    return str(tuple(shape))


def _shape_first(add_weight: Any) -> Any:
    """``add_weight`` for scripts that are older than Keras 3, in which the name came first."""

    @functools.wraps(add_weight)
    def checked(self: Layer, *args: Any, **kwargs: Any) -> Variable:
        if args and isinstance(args[0], str):
            raise ValueError(
                f"add_weight: expected a tuple of lengths as the shape, got {args[0]!r}; write add_weight(shape, "
                f"name={args[0]!r})"
            )
        if args and "shape" in kwargs:
            raise ValueError(f"add_weight: expected one shape, got {args[0]!r} by its place and {kwargs['shape']!r}")
        made: Variable = add_weight(self, *args, **kwargs)
        return made

    return checked


class Layer(config.Configurable):
    """A function with weights.

    A layer of your own defines ``call(inputs)`` from NumPy functions and operators, and, when it has weights,
    ``build(input_shape)``, which makes them with `add_weight`. A ``call`` that takes ``training`` is told, one that
    takes ``mask`` is given that of its inputs. What goes wrong in ``call`` is raised as it is, with a note that names
    the layer.

    Parameters
    ----------
    trainable : bool
        Whether training changes its weights.
    dtype : dtype, optional
        Of its weights, and what inputs are brought to; a floating one, None for `nn.config.floatx`.
    name : str, optional
        What errors, summaries and drawings call it; by default that of the class in lower case, with a number.
    input_shape : tuple of int, optional
        That of one example, without the batch axis, on the first layer of a `Sequential`, as an `Input` gives it.
    activity_regularizer : str or Regularizer, optional
        A name or a `Regularizer`, whose penalty on what the layer gives, divided by the length of the batch, is added
        to the loss.
    **unknown
        Nothing, but ``input_dim=n`` for ``input_shape=(n,)``: each is an error that names the nearest argument.

    Raises
    ------
    TypeError
        For an argument that it does not have, and a ``name`` that is no string; in a call, for a ``call`` that
        returns nothing.
    ValueError
        Unless ``dtype`` is floating and ``trainable`` a truth value.
    NotImplementedError
        In a call, where ``call`` is not defined.

    Examples
    --------
    >>> import nn
    >>> class Scale(nn.layers.Layer):
    ...     def build(self, input_shape):
    ...         self.factor = self.add_weight((input_shape[-1],), "ones", name="factor")
    ...     def call(self, inputs):
    ...         return inputs * self.factor
    >>> Scale()(np.ones((2, 3), "float32")).shape
    (2, 3)
    """

    keras_module = "keras.layers"

    untracked = frozenset({"output_shape", "called_with", "built_for", "_holders", "_calls", "_added", "_holding"})
    shared = True

    # Whether inputs are brought to the layer's dtype before `call`, and whether they become Tensors at all.
    autocast = True
    converts = True

    # Whether `call` may be given a sparse array of SciPy; it then begins with a matrix product.
    takes_sparse = False

    def __init__(
        self,
        *,
        trainable: bool = True,
        dtype: Any = None,
        name: str | None = None,
        input_shape: Any = None,
        activity_regularizer: Any = None,
        **unknown: Any,
    ):
        if unknown.keys() == {"input_dim"} and input_shape is None:
            input_shape, unknown = (unknown["input_dim"],), {}
        config.reject(self, unknown)
        self.__dict__.setdefault("_holders", {})
        self._weights = self.__dict__.get("_weights", ())  # a variable may have been assigned before
        self._kept = self.__dict__.get("_kept", ())  # those of them that are state, which training never changes
        self._regularizers: tuple[tuple[Variable, Any], ...] = ()
        self._constraints: tuple[tuple[Variable, Any], ...] = ()
        self._carried: tuple[Tensor, ...] = ()  # what is no weight, and goes from one batch to the next
        if not isinstance(trainable, bool | np.bool_):
            raise ValueError(f"trainable of a layer: expected True or False, got {trainable!r}")
        self._trainable = bool(trainable)
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self.dtype: Any = np.dtype(dtype or settings.floatx())
        if self.dtype.kind != "f":
            raise ValueError(f"dtype of a layer: expected a floating one, got {self.dtype}")
        if name is not None and not isinstance(name, str):
            raise TypeError(f"the name of a layer: expected a string, got {name!r}")
        self.name = name if name is not None else unique_name(config.snake_case(type(self).__name__))
        # Only read by Sequential, which begins with an Input of this shape.
        self.input_shape: Any = None if input_shape is None else checks.lengths(input_shape, "input_shape")
        self.output_shape: Any = None
        self.input_spec: InputSpec | None = None
        self.built = self._nothing_to_build and type(self).build is Layer.build
        self.built_for: Any = None  # the shape that `build` was given

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "build" in vars(cls):
            cls.build = _marking_built(vars(cls)["build"])  # type: ignore[method-assign]
        if cls.__module__.startswith(f"{__package__}."):  # a class of somebody's own may make layers in its call
            cls._nothing_to_build = cls.build is Layer.build
        if "call" in vars(cls):
            takes = dict([*inspect.signature(vars(cls)["call"]).parameters.items()][1:])
            cls._call_takes = tuple(takes)
            cls._call_needs = tuple(n for n, p in takes.items() if p.default is p.empty and p.kind is _BY_EITHER)
            default = takes["training"].default if "training" in takes else None
            cls._trains_untold = default if isinstance(default, bool) else UNSAID
        if "compute_mask" in vars(cls) and "supports_masking" not in vars(cls):
            cls.supports_masking = True

    _call_takes: tuple[str, ...] = ("inputs",)
    _call_needs: tuple[str, ...] = ("inputs",)  # those of them that have no default
    _trains_untold: Any = UNSAID  # what `call` takes ``training`` for where nobody says
    _nothing_to_build = False  # whether it is built from the beginning on
    _weights: tuple[Variable, ...] = ()
    _kept: tuple[Variable, ...] = ()
    _holders: dict[str, None]  # the attributes that may hold layers: each step of a training asks for them

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if name in _NO_LAYERS:
            return
        if isinstance(value, Layer | list | tuple | dict):
            self.__dict__.setdefault("_holders", {})[name] = None
        changeable = isinstance(value, list | dict) and type(self) not in freeze.OURS  # a metric may be put there later
        if (isinstance(value, Metric) or changeable) and name not in (type(self).untracked or ()):
            global _with_metrics
            _with_metrics = weakref.WeakSet() if _with_metrics is None else _with_metrics
            _with_metrics.add(self)
        if isinstance(value, Variable | list | tuple | dict):
            for variable in tree.leaves(value):
                if isinstance(variable, Variable) and not variable.held:
                    self._hold(variable, kept=not variable.trainable)

    # -- what a layer of one's own defines -------------------------------------------------------------

    def build(self, input_shape: Any) -> None:
        """Make the weights for inputs of this shape, whose first axis (the batch) is None."""
        self.built = True

    def call(self, inputs: Any) -> Any:
        """Compute the output."""
        raise NotImplementedError(f"{type(self).__name__} must define call(inputs)")

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

    @_shape_first
    def add_weight(
        self,
        shape: tuple[int, ...] = (),
        initializer: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        name: str = "weight",
    ) -> Variable:
        """Make a weight, in ``build``.

        Parameters
        ----------
        shape : tuple of int
            A tuple of lengths; () makes a number.
        initializer : str or Initializer, optional
            A name, or an `Initializer`, or a function of ``(shape, dtype)``; None for "glorot_uniform", and for zeros
            where ``dtype`` is not floating.
        dtype : dtype, optional
            None for that of the layer.
        trainable : bool
            One that is not trainable is state: it is saved, and no gradient is computed.
        regularizer : str or Regularizer, optional
            A name or a `Regularizer`, whose penalty is added to the loss.
        constraint : str or Constraint, optional
            A name or a `Constraint`, which the weight is held to after each step of an optimizer.
        name : str
            What errors and saved files call it.

        Returns
        -------
        Variable
            A leaf, to be kept as an attribute of the layer.

        Raises
        ------
        ValueError
            Where the initializer gives another shape, and for a name in place of the shape.
        """
        shape = () if shape is None else (shape,) if isinstance(shape, int | np.integer) else shape
        if initializer is None:
            initializer = "glorot_uniform" if np.dtype(dtype or self.dtype).kind == "f" else "zeros"
        if None in shape:
            raise ValueError(
                f"{self.name}/{name}: expected a known length of each axis of the input, got a weight of shape "
                f"{shape}; give the Input a length there"
            )
        _spend(math.prod(shape))
        made: Any = initializers.get(initializer)
        if _only_shapes.get():  # zeros that take no memory
            made = _no_values
        values = made(tuple(shape), dtype or self.dtype)
        values = plain(values).astype(dtype or self.dtype, copy=False)
        if values.shape != tuple(shape):
            raise ValueError(
                f"the initializer of {self.name}/{name}: expected an array of shape {tuple(shape)}, got {values.shape}"
            )
        weight = Variable(values, None, values.dtype, trainable and self._trainable, f"{path_to(self)}/{name}")
        self._hold(weight, kept=not trainable)
        if regularizer is not None:
            self._regularizers = (*self._regularizers, (weight, regularizers.get(regularizer)))
        if constraint is not None:
            self._constraints = (*self._constraints, (weight, constraints.get(constraint)))
            self._hold_to_constraints()
        return weight

    add_variable = add_weight

    def _plan_weight(self, name: str, initializer: Any, regularizer: Any = None, constraint: Any = None) -> None:
        """Keep what was said of a weight in the attributes that are called after it, such as kernel_initializer."""
        setattr(self, f"{name}_initializer", initializers.get(initializer))
        setattr(self, f"{name}_regularizer", regularizers.get(regularizer))
        setattr(self, f"{name}_constraint", constraints.get(constraint))

    def _make_weight(
        self, name: str, shape: tuple[int, ...], called: str | None = None, initializer: Any = None
    ) -> Variable:
        """The weight of which `_plan_weight` was told, perhaps called otherwise, or begun with other values."""
        planned, regularizer, constraint = (
            getattr(self, f"{name}_{what}") for what in ("initializer", "regularizer", "constraint")
        )
        return self.add_weight(
            shape, initializer or planned, regularizer=regularizer, constraint=constraint, name=called or name
        )

    def _hold_to_constraints(self) -> None:
        """Let optimizers know what the weights are held to; a copied layer has weights of its own."""
        for weight, constraint in self._constraints:
            constraints.HELD[weight.node] = constraint

    def _hold(self, weight: Variable, kept: bool) -> None:
        """Count a variable among the weights."""
        weight.held = "layer"
        self._weights = (*self._weights, weight)
        if kept:
            self._kept = (*self._kept, weight)

    # -- calling ---------------------------------------------------------------------------------------

    def __call__(self, *inputs: Any, training: bool | None = None, **kwargs: Any) -> Any:
        while kwargs and len(inputs) < len(self._call_needs) and self._call_needs[len(inputs)] in kwargs:
            inputs = (*inputs, kwargs.pop(self._call_needs[len(inputs)]))  # told by name
        for x in (*inputs, *kwargs.values()) if kwargs else inputs:
            if type(x) not in COMPUTED and symbols(x):
                return self._call_later(inputs, kwargs if training is None else {**kwargs, "training": training})
        outer = TRAINING.get()
        told = outer if training is None else bool(training)
        if told is None or told is UNSAID:
            told = self._trains_untold
        dtype = self.dtype if self.autocast else None
        tensors = [_convert(x, dtype) for x in inputs] if self.converts else list(inputs)
        first = tensors[0] if tensors else None
        shape = shape_of(first)
        if not self.takes_sparse and isinstance(first, Tensor) and is_sparse(first.data):
            raise TypeError(
                f"layer {self.name!r} ({type(self).__name__}): expected a dense array, got a sparse one, which goes "
                "into a Dense layer only: put one before it, or pass x.toarray()"
            )
        if self.input_spec is not None:
            try:
                self.input_spec.check(self.name, shape)
            except ValueError as error:
                if isinstance(first, Tensor):
                    keep_call(error, None, [first.data], [first.node]).name = self.name
                raise
        before, scope = TRAINING.set(told), _scope.set((self, _scope.get()))
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
            masked = takes or bool(MASKS) or type(self).compute_mask is not Layer.compute_mask
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
            _scope.reset(scope)
        self.output_shape = shape_of(outputs)
        return readable(outputs) if outer is None else outputs

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

    # The calls on values that are not computed yet, of which models are made.
    _calls: Sequence[Call] = ()

    def _call_later(self, inputs: Any, kwargs: Any) -> Any:
        """A call on values that are not computed yet: it gives others of the shapes that come out."""
        shape = shape_of(next(iter((*inputs, *kwargs.values()))))
        try:
            if self.input_spec is not None:
                self.input_spec.check(self.name, shape)
            if not self.built:
                self._build(shape, **self._shapes(self.build, inputs, kwargs))
            outputs = self.compute_output_spec(*inputs, **kwargs)
        except Exception as error:
            error.add_note(f"in layer {self.name!r} ({type(self).__name__}), called with shape {shape}")
            raise
        Call(self, inputs, kwargs, outputs)
        self.output_shape = shape_of(outputs)
        return outputs

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Shapes and dtypes of the outputs, each a `KerasTensor`, for arguments some of which are.

        They are found on zeros, unless the layer says itself what shapes come out, in a ``compute_output_shape``.
        """
        if type(self).compute_output_shape is not Layer.compute_output_shape:
            first = shape_of(next(iter((*args, *kwargs.values()))))
            shapes = self.compute_output_shape(first, **self._shapes(self.compute_output_shape, args, kwargs))
            return _values_of(shapes, self.dtype, self.name)
        with a_step(training=False):
            return output_spec(self, args, kwargs)

    def _shapes(self, method: Any, inputs: Sequence[Any], kwargs: dict[str, Any]) -> dict[str, Any]:
        """What a ``build`` or ``compute_output_shape`` of several inputs takes behind the shape of the first one.

        As in Keras ``key_shape`` is that of the argument ``key`` of `call`.
        """
        takes = list(inspect.signature(method).parameters)[1:]
        given = {**dict(zip(self._call_takes, inputs, strict=False)), **kwargs} if takes else {}
        return {f"{n}_shape": shape_of(v) for n, v in given.items() if f"{n}_shape" in takes and v is not None}

    @property
    def input(self) -> Any:
        """What the layer was first called on, when its model was written down."""
        call = self._first_call("input")
        return call.args[0] if len(call.args) == 1 and not symbols(call.kwargs) else call.inputs

    @property
    def output(self) -> Any:
        """What came out of that call: a `KerasTensor` from which another model may be made."""
        return self._first_call("output").outputs

    def _first_call(self, what: str) -> Call:
        if not self._calls:
            raise AttributeError(
                f"layer {self.name!r} has no {what} yet: it was called on no Input; write layer(Input(shape=…)), or "
                "put Input(shape=…) first in a Sequential"
            )
        return self._calls[0]

    def _build(self, shape: Any, **others: Any) -> None:
        self.build(shape, **others)
        self.built = True
        if self.input_spec is not None:
            self.input_spec.check(self.name, shape)

    def compute_output_shape(self, input_shape: Any, *others: Any, **named: Any) -> Any:
        """The shape of the output for inputs of this shape, the first axis that of the batch; found on zeros.

        A length that is None is not known, and so are those of the output that depend on it. Further shapes are those
        of further inputs, by their place or as ``key_shape`` for the argument ``key``.
        """
        values = [_values_of(shape, self.dtype) for shape in (input_shape, *others) if shape is not None]
        named = {name.removesuffix("_shape"): shape for name, shape in named.items() if shape is not None}
        more = {name: _values_of(shape, self.dtype) for name, shape in named.items()}
        return shape_of(self.compute_output_spec(*values, **more))

    # -- what Keras' scripts ask for -------------------------------------------------------------------

    _path: str | None = None

    @property
    def path(self) -> str:
        """The name, behind those of the layers in which it was built: ``outer/dense``."""
        return self._path or self.name

    @property
    def compute_dtype(self) -> Any:
        """What inputs are brought to: the dtype, as there is one only."""
        return self.dtype

    variable_dtype = compute_dtype

    # -- weights ---------------------------------------------------------------------------------------

    @property
    def sublayers(self) -> list[Layer]:
        """The layers in this one's attributes, lists and dicts of them included, in order of assignment."""
        found: dict[int, Layer] = {}
        for name in self._holders:
            for layer in _layers_in(getattr(self, name, None)):
                found.setdefault(id(layer), layer)
        return list(found.values())

    def walk_layers(self) -> Iterator[Layer]:
        """This layer and all in it, each once."""
        seen: set[int] = set()
        stack: list[Layer] = [self]
        while stack:
            layer = stack.pop()
            if id(layer) not in seen:
                seen.add(id(layer))
                yield layer
                stack.extend(reversed(layer.sublayers))

    @property
    def weights(self) -> list[Variable]:
        """All weights, of each layer first those that train and then its state."""
        found: list[Variable] = []
        for layer in self.walk_layers():
            kept = set(map(id, layer._kept))
            found += sorted(layer._weights, key=lambda w: id(w) in kept) if kept else layer._weights
        return found

    variables = weights

    @property
    def trainable_weights(self) -> list[Variable]:
        """The weights that training changes."""
        return [w for layer in self.walk_layers() for w in layer._weights if w.node.requires_grad]

    trainable_variables = trainable_weights

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """State, and the weights of layers that are frozen."""
        return [w for w in self.weights if not w.requires_grad]

    non_trainable_variables = non_trainable_weights

    @property
    def trainable(self) -> bool:
        """Whether training changes this layer; assigning says so for all layers in it."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        for layer in self.walk_layers():
            layer._train(bool(value))

    def _train(self, value: bool) -> None:
        self._trainable = value
        kept = set(map(id, self._kept))
        for w in self._weights:
            w.node.requires_grad = value and id(w) not in kept

    def get_weights(self) -> list[Any]:
        """Copies of all weights as arrays, in Keras' order."""
        return [np.array(to_numpy(w.data)) for w in self.weights]

    def set_weights(self, weights: Any) -> None:
        """Replace all weights, given in the order of `get_weights`."""
        own, weights = self.weights, [plain(w) for w in weights]
        if len(own) != len(weights):
            unbuilt = "" if self.built else "; it is not built yet: pass Input(shape=…) first, or call it once"
            raise ValueError(f"{self.name!r}: expected {len(own)} weights, got {len(weights)}{unbuilt}")
        for variable, value in zip(own, weights, strict=True):
            if variable.shape != value.shape:
                raise ValueError(f"{variable.path}: expected an array of shape {variable.shape}, got {value.shape}")
        for variable, value in zip(own, weights, strict=True):
            assign(variable, value)

    def count_params(self) -> int:
        """How many numbers the weights hold."""
        if not self.built:
            raise ValueError(
                f"{self.name!r} is not built, so it has no weights to count yet; pass Input(shape=…), or call it once"
            )
        return sum(w.size for w in self.weights)

    @property
    def losses(self) -> list[Tensor]:
        """What this layer and all in it added to the loss in the last call, and the penalties on their weights."""
        layers = list(self.walk_layers())
        added = [loss for layer in layers for owner, loss in layer._added if owner == id(layer)]
        return added + [penalty(w) for layer in layers for w, penalty in layer._regularizers if w.requires_grad]

    @property
    def metrics(self) -> list[Any]:
        """The metrics in the attributes of this layer and of all in it, which a training tells and begins again."""
        if _with_metrics is None:
            return []
        now = freeze.version()
        if self._holding[0] != now:  # found once for all steps, for another layer is another setting
            self.__dict__["_holding"] = now, [layer for layer in self.walk_layers() if layer in _with_metrics]
        if not self._holding[1]:
            return []
        found: dict[int, Metric] = {}
        for layer in self._holding[1]:
            for name, value in vars(layer).items():
                if name not in (layer.untracked or ()) and isinstance(value, Metric | list | tuple | dict):
                    found |= {id(leaf): leaf for leaf in tree.leaves(value) if isinstance(leaf, Metric)}
        return list(found.values())

    _holding: tuple[Any, Sequence[Layer]] = (None, ())  # which layers may have metrics, and when that was found

    @property
    def metrics_variables(self) -> list[Variable]:
        """What the `metrics` have seen."""
        return [v for metric in self.metrics for v in metric.variables]

    # -- configuration ---------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """The arguments that make another one like this, as plain data."""
        settings = super().get_config()
        for name in ("input_shape", "activity_regularizer"):
            if settings.get(name) is None:
                settings.pop(name, None)
        return settings

    def _agree(self, other: Any, name: str) -> None:
        """Raise where the weights, which exist already, would be others with this setting."""
        shape = self.built_for
        if shape is None or not self._weights:
            return
        token = _only_shapes.set(True)
        try:
            other.build(shape)
        finally:
            _only_shapes.reset(token)
        if [(w.shape, w.dtype) for w in other._weights] != [(w.shape, w.dtype) for w in self._weights]:
            raise ValueError(
                f"{name} decides the weights of layer {self.name!r}, which are made already; make a new layer with it"
            )

    def __getstate__(self) -> dict[str, Any]:
        # The calls lead to the layers of any model that this layer is in. A copied model makes its own again.
        return {name: value for name, value in vars(self).items() if name not in ("_calls", "_added", "_holding")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._hold_to_constraints()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}{'' if self.built else ', not built'}>"


# The layers that are being built or called, the innermost first, each with those around it.
_scope: ContextVar[Any] = ContextVar("scope", default=None)


def path_to(layer: Layer) -> str:
    """Where a layer is being built: its name, behind those of the layers around it, as in ``outer/dense``."""
    names, scope, inner = [layer.name], _scope.get(), layer
    while scope is not None:
        around, scope = scope
        if around is not inner:  # the call of a layer builds it
            names.append(around.name)
        inner = around
    return "/".join(reversed(names))


# How many numbers the weights made from now on may hold, if there is a limit: set while a file is loaded, whose
# configuration could ask for any amount of memory, to what its weights hold.
_budget: ContextVar[list[int] | None] = ContextVar("the numbers that new weights may hold", default=None)


@contextmanager
def limited_weights(size: int) -> Iterator[None]:
    """Let the layers made inside a ``with`` block hold at most ``size`` numbers."""
    before = _budget.set([size])
    try:
        yield
    finally:
        _budget.reset(before)


# Whether the weights of a layer are made to see their shapes only.
_only_shapes: ContextVar[bool] = ContextVar("only_shapes", default=False)


def _no_values(shape: tuple[int, ...], dtype: Any) -> Any:
    return np.broadcast_to(np.zeros((), dtype), shape)


def _spend(size: int) -> None:
    left = _budget.get()
    if left is not None:
        left[0] -= size
        if left[0] < 0:
            raise ValueError("its configuration describes more weights than it holds")


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


def _values_of(shape: Any, dtype: Any, name: str | None = None) -> Any:
    """Values that are not computed yet, of a shape or of each of several."""
    if isinstance(shape, dict):
        return {k: _values_of(s, dtype, name) for k, s in shape.items()}
    if isinstance(shape, list | tuple) and any(isinstance(n, list | tuple | dict) for n in shape):
        return type(shape)(_values_of(s, dtype, name) for s in shape)
    return KerasTensor(shape, dtype, name)


def _layers_in(value: Any) -> list[Layer]:
    return [leaf for leaf in tree.leaves(value) if isinstance(leaf, Layer)]


def _marking_built(build: Any) -> Any:
    """``build`` that also says that the layer is built, for those who call it themselves."""

    @functools.wraps(build)
    def built(self: Layer, *args: Any, **kwargs: Any) -> None:
        scope = _scope.set((self, _scope.get()))
        try:
            self.__dict__["_path"] = path_to(self)
            build(self, *args, **kwargs)
        finally:
            _scope.reset(scope)
        self.built, self.built_for = True, next(iter((*args, *kwargs.values())), None)

    return built
