"""What all layers share: a name, building on first use, settings; what they hold and how they are called is beside."""

from __future__ import annotations

import functools
import inspect
from typing import Any

import numpy as np

from autograd_core.tensor import Tensor

from .. import checks, config, regularizers, settings
from ..names import inside, path_to, unique_name
from ..variables import UNSAID, Variable
from .calling import Called
from .holding import Holds
from .input_spec import InputSpec
from .making import ONLY_SHAPES, MakesWeights
from .written_down import WrittenDown

# An argument that may be given by its place and by its name.
_BY_EITHER = inspect.Parameter.POSITIONAL_OR_KEYWORD


class Layer(MakesWeights, Holds, Called, WrittenDown, config.Configurable):
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

    # Whether what it predicts for an example depends on no other example of the batch, whatever its settings are: its
    # activation is looked at by itself.
    each_alone = False

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

    # -- what a layer of one's own defines -------------------------------------------------------------

    def build(self, input_shape: Any) -> None:
        """Make the weights for inputs of this shape, whose first axis (the batch) is None."""
        self.built = True

    def call(self, inputs: Any) -> Any:
        """Compute the output."""
        raise NotImplementedError(f"{type(self).__name__} must define call(inputs)")

    def _build(self, shape: Any, **others: Any) -> None:
        self.build(shape, **others)
        self.built = True
        if self.input_spec is not None:
            self.input_spec.check(self.name, shape)

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
        token = ONLY_SHAPES.set(True)
        try:
            other.build(shape)
        finally:
            ONLY_SHAPES.reset(token)
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


def _marking_built(build: Any) -> Any:
    """``build`` that also says that the layer is built, for those who call it themselves."""

    @functools.wraps(build)
    def built(self: Layer, *args: Any, **kwargs: Any) -> None:
        with inside(self):
            self.__dict__["_path"] = "/".join(path_to(self))
            build(self, *args, **kwargs)
        self.built, self.built_for = True, next(iter((*args, *kwargs.values())), None)

    return built
