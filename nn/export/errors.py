"""What an export raises."""

from __future__ import annotations


class ExportError(ValueError):
    """A model computes something that the file cannot say; the message names the layer, the function and a way out.

    >>> import nn
    >>> inverse = nn.layers.Lambda(np.linalg.inv, name="inverse")
    >>> model = nn.Sequential([nn.Input(shape=(2, 2)), inverse])
    >>> nn.export_onnx(model, "model.onnx")
    Traceback (most recent call last):
    nn.export.ExportError: in layer 'inverse': inv has no counterpart in ONNX here
    """
