"""TensorFlow: functions and ``custom_gradient``, by its tapes."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from .library import Array, Flat, Library, Pull


class TensorFlow(Library):
    """Functions of TensorFlow's tensors."""

    name = "tensorflow"
    imports = ("import tensorflow as tf",)

    def array(self, values: Array, template: Any = None) -> Any:
        return tf.convert_to_tensor(np.ascontiguousarray(values).reshape(np.shape(values)))

    def numpy(self, value: Any) -> Array:
        return np.asarray(tf.convert_to_tensor(value).numpy()) if tf.is_tensor(value) else np.asarray(value)

    def literal(self, value: Any) -> str | None:
        if not tf.is_tensor(value):
            return None
        numbers = str(value.numpy().tolist()).replace("nan", "float('nan')").replace("inf", "float('inf')")
        return f"tf.constant({numbers}, {value.dtype.name!r})"

    def vjp(self, f: Flat, xs: list[Any]) -> tuple[list[Any], Pull]:
        xs = [tf.identity(x) for x in xs]
        with tf.GradientTape(persistent=True) as tape:
            for x in xs:
                tape.watch(x)
            results = f(xs)
        return results, lambda gs: _dense(tape.gradient(results, xs, output_gradients=_typed(gs, results)))

    def jvp(self, f: Flat, xs: list[Any], tangents: list[Any]) -> list[Any] | None:
        try:
            with tf.autodiff.ForwardAccumulator(xs, _typed(tangents, xs)) as forward:
                results = f(xs)
            found = [forward.jvp(r) for r in results]
        except (LookupError, NotImplementedError):
            return None
        return [tf.zeros_like(r) if t is None else t for t, r in zip(found, results, strict=True)]

    def second(self, f: Flat, xs: list[Any], gs: list[Any]) -> tuple[list[Any], Pull] | None:
        inputs = [tf.identity(v) for v in (*xs, *gs)]
        n = len(xs)
        with tf.GradientTape(persistent=True) as tape:
            for v in inputs:
                tape.watch(v)
            found = self.vjp(f, inputs[:n])[1](inputs[n:])
            gradients = [tf.zeros_like(x) if g is None else g for g, x in zip(found, inputs[:n], strict=True)]
        return gradients, lambda vs: _dense(tape.gradient(gradients, inputs, output_gradients=_typed(vs, gradients)))


def _typed(gs: list[Any], values: list[Any]) -> list[Any]:
    return [tf.cast(g, v.dtype) for g, v in zip(gs, values, strict=True)]


def _dense(gradients: list[Any]) -> list[Any]:
    return [None if g is None else tf.convert_to_tensor(g) for g in gradients]
