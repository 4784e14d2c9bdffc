"""What an export raises."""

from __future__ import annotations


class ExportError(ValueError):
    """A model computes something that the file cannot say; the message names the layer, the function and a way out.

    >>> import nn
    >>> roots = nn.layers.Lambda(np.cbrt, name="roots")
    >>> model = nn.Sequential([nn.Input(shape=(2,)), roots])
    >>> nn.export_onnx(model, "model.onnx")  # doctest: +SKIP
    Traceback (most recent call last):
    nn.export.ExportError: in layer 'roots': cbrt has no counterpart in ONNX here
    """
