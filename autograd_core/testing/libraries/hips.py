"""HIPS autograd: functions of ``autograd.numpy``, primitives among them. All arguments go as one vector."""

from __future__ import annotations

from typing import Any

import autograd.numpy as anp
import numpy as np
from autograd.core import make_jvp, make_vjp

from .library import Flat, Library, Pull


class Hips(Library):
    """Functions of HIPS autograd."""

    name = "autograd"
    imports = ("import autograd.numpy",)

    def vjp(self, f: Flat, xs: list[Any]) -> tuple[list[Any], Pull]:
        whole, shapes = _whole(f, xs)
        pull, value = make_vjp(whole, _vector(xs))
        results = _parts(value, shapes)
        return results, lambda gs: _parts(pull(_vector(gs)), [np.shape(x) for x in xs])

    def jvp(self, f: Flat, xs: list[Any], tangents: list[Any]) -> list[Any] | None:
        whole, shapes = _whole(f, xs)
        try:
            _, tangent = make_jvp(whole, _vector(xs))(_vector(tangents))
        except NotImplementedError:
            return None
        return _parts(tangent, shapes)

    def second(self, f: Flat, xs: list[Any], gs: list[Any]) -> tuple[list[Any], Pull] | None:
        whole, _ = _whole(f, xs)
        n = sum(np.size(x) for x in xs)

        def gradient(vector: Any) -> Any:
            return make_vjp(whole, vector[:n])[0](vector[n:])

        pull, value = make_vjp(gradient, _vector([*xs, *gs]))
        shapes = [np.shape(x) for x in xs]
        return _parts(value, shapes), lambda vs: _parts(pull(_vector(vs)), [*shapes, *(np.shape(g) for g in gs)])


def _whole(f: Flat, xs: list[Any]) -> tuple[Any, list[tuple[int, ...]]]:
    """``f`` from a vector to a vector, and the shapes of its results, known once it has run."""
    shapes: list[tuple[int, ...]] = []

    def whole(vector: Any) -> Any:
        results = f(_parts(vector, [np.shape(x) for x in xs]))
        shapes[:] = [np.shape(r) for r in results]
        return anp.concatenate([anp.ravel(r) for r in results])

    return whole, shapes


def _vector(arrays: Any) -> Any:
    return anp.concatenate([anp.ravel(a) for a in arrays])


def _parts(vector: Any, shapes: Any) -> list[Any]:
    parts, start = [], 0
    for shape in shapes:
        size = int(np.prod(shape))
        parts.append(anp.reshape(vector[start : start + size], shape) if shape else vector[start])
        start += size
    return parts
