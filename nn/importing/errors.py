"""What an import raises."""

from __future__ import annotations


class OnnxFileError(ValueError):
    """A file is no ONNX file, holds what is not read from files here, or computes something that is not known here.

    >>> import pathlib, tempfile
    >>> import nn
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "model.onnx"
    >>> _ = file.write_text("not a model")
    >>> nn.from_onnx(file)  # doctest: +SKIP
    Traceback (most recent call last):
    nn.importing.OnnxFileError: model.onnx is no ONNX file, or was cut off or damaged
    """
