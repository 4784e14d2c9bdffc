"""This library's own functions: of NumPy's arrays, and differentiated by recording them."""

from __future__ import annotations

from typing import Any

from ...transforms import jvp, vjp
from .library import Flat, Library, Pull


class Ours(Library):
    """Functions of NumPy's arrays and of Tensors."""

    name = "autograd_core"

    def vjp(self, f: Flat, xs: list[Any]) -> tuple[list[Any], Pull]:
        values, pull = vjp(lambda *xs: f(list(xs)), *xs)
        return values, lambda gs: list(pull(gs))

    def jvp(self, f: Flat, xs: list[Any], tangents: list[Any]) -> list[Any] | None:
        return jvp(lambda *xs: f(list(xs)), xs, tangents)[1]

    def second(self, f: Flat, xs: list[Any], gs: list[Any]) -> tuple[list[Any], Pull] | None:
        n = len(xs)
        gradients, pull = vjp(lambda *v: self.vjp(f, list(v[:n]))[1](list(v[n:])), *xs, *gs)
        return gradients, lambda vs: list(pull(vs))
