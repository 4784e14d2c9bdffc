"""A layer in a model that is being written down: called on values that are not computed yet."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

from autograd_core.replay import freeze

from .calling import a_step
from .input_spec import InputSpec
from .symbolic import Call, KerasTensor, output_spec, shape_of, symbols


class WrittenDown(metaclass=freeze.Watched):
    """The calls of a layer on values that are not computed yet, and the shapes that come out."""

    name: str
    dtype: Any
    autocast: bool
    built: bool
    input_spec: InputSpec | None
    output_shape: Any
    build: Any
    _build: Any
    _call_takes: tuple[str, ...]

    # The calls on values that are not computed yet, of which models are made.
    _calls: Sequence[Call] = ()

    def _call_later(self, inputs: Any, kwargs: Any) -> Any:
        """A call on values that are not computed yet: it gives others of the shapes that come out."""
        first = next(iter((*inputs, *kwargs.values())))
        shape = shape_of(first)
        try:
            if self.input_spec is not None:
                self.input_spec.check(self.name, shape)
                self.input_spec.check_dtype(self.name, first, self.dtype if self.autocast else None)
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
        if type(self).compute_output_shape is not WrittenDown.compute_output_shape:
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

    def compute_output_shape(self, input_shape: Any, *others: Any, **named: Any) -> Any:
        """The shape of the output for inputs of this shape; found on zeros.

        Parameters
        ----------
        input_shape : tuple of int, or list or dict of them
            The first axis is that of the batch. A length that is None is not known, and so are those of the output that
            depend on it.
        *others : tuple of int
            The shapes of further inputs.
        **named : tuple of int
            Likewise, as ``key_shape`` for the argument ``key`` of `call`.

        Returns
        -------
        tuple of int, or list or dict of them
            A shape for each output.
        """
        values = [_values_of(shape, self.dtype) for shape in (input_shape, *others) if shape is not None]
        named = {name.removesuffix("_shape"): shape for name, shape in named.items() if shape is not None}
        more = {name: _values_of(shape, self.dtype) for name, shape in named.items()}
        return shape_of(self.compute_output_spec(*values, **more))


def _values_of(shape: Any, dtype: Any, name: str | None = None) -> Any:
    """Values that are not computed yet, of a shape or of each of several."""
    if isinstance(shape, dict):
        return {k: _values_of(s, dtype, name) for k, s in shape.items()}
    if isinstance(shape, list | tuple) and any(isinstance(n, list | tuple | dict) for n in shape):
        return type(shape)(_values_of(s, dtype, name) for s in shape)
    return KerasTensor(shape, dtype, name)
