"""What all layers share that go over positions with a window of weights."""

from __future__ import annotations

from typing import Any

from .. import activations
from .images import channels_back, data_format_of, padding_of, per_axis
from .input_spec import InputSpec
from .layer import Layer


class Convolving(Layer):
    """A layer over ``rank`` axes of positions: how windows lie, where the channels are, and what follows the sums."""

    rank: int
    each_alone = True
    paddings: tuple[str, ...] = ("valid", "same")

    def _plan_windows(
        self, kernel_size: Any, strides: Any, padding: str, data_format: str | None, dilation_rate: Any
    ) -> None:
        """Check and keep how windows lie."""
        self.kernel_size = per_axis(kernel_size, self.rank, "kernel_size")
        self.strides = per_axis(strides, self.rank, "strides")
        self.dilation_rate = per_axis(dilation_rate, self.rank, "dilation_rate")
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(
                f"strides and dilation_rate: expected at most one of them above 1, got {self.strides} and "
                f"{self.dilation_rate}"
            )
        self.padding = padding_of(padding, *self.paddings)
        self.data_format = data_format_of(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def _plan_end(self, activation: Any, use_bias: bool, initializer: Any, regularizer: Any, constraint: Any) -> None:
        """Check and keep what follows the sums."""
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self._plan_weight("bias", initializer, regularizer, constraint)

    def _channels(self, input_shape: Any) -> int:
        """How many channels come in; others are refused from now on."""
        axis = -1 if self.data_format == "channels_last" else 1
        channels: int = input_shape[axis]
        if channels is None:
            raise ValueError(
                f"layer {self.name!r}: expected a known number of channels on axis {axis}, got inputs of shape "
                f"{tuple(input_shape)}"
            )
        self.input_spec = InputSpec(ndim=self.rank + 2, axes={axis: channels})
        return channels

    def _make_bias(self, channels: int) -> None:
        self.bias: Any = self._make_weight("bias", (channels,)) if self.use_bias else None

    def _end(self, z: Any) -> Any:
        """Bias and activation, and the channels where the layer promises them."""
        if self.use_bias:
            z = z + self.bias
        return self.activation(channels_back(z, self.data_format))
