"""JAX: functions, ``custom_vjp`` and ``custom_jvp``, in double precision while they are on trial."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import jax
import numpy as np

from .library import Array, Flat, Library, Pull


class Jax(Library):
    """Functions of JAX's arrays."""

    name = "jax"
    imports = ("import jax",)
    asks_for_each = False

    def context(self) -> AbstractContextManager[Any]:
        if hasattr(jax, "enable_x64"):
            return jax.enable_x64(True)
        from jax.experimental import enable_x64  # where older versions have it

        return enable_x64(True)

    def prepare(self, f: Any, args: Sequence[Any]) -> tuple[Callable[..., Any], list[Any]]:
        """The function compiled, once for all arguments of a shape, instead of op by op; unless it looks at numbers."""
        try:
            compiled = jax.jit(f)
            jax.eval_shape(compiled, *args)
        except Exception:  # with `if x > 0`, a whole number or a string for an argument; what is wrong shows later
            return f, list(args)
        return compiled, list(args)

    def array(self, values: Array, template: Any = None) -> Any:
        return jax.numpy.asarray(np.asarray(values))

    def numpy(self, value: Any) -> Array:
        return np.asarray(value)

    def literal(self, value: Any) -> str | None:
        if not isinstance(value, jax.Array):
            return None
        numbers = str(np.asarray(value).tolist()).replace("nan", "float('nan')").replace("inf", "float('inf')")
        return f"jax.numpy.array({numbers}, {str(value.dtype)!r})"

    def code(self, f: Any, define: Callable[[Any, str], str]) -> str | None:
        if isinstance(f, jax.custom_vjp | jax.custom_jvp):
            define(jax, "jax")
            kind = type(f).__name__
            parts = ("fun", "fwd", "bwd") if kind == "custom_vjp" else ("fun", "jvp")
            fun, *rules = (define(getattr(f, part), getattr(getattr(f, part), "__name__", part)) for part in parts)
            made = define(_With(kind, fun, rules), f"made_{fun}")
            return f"{made}()"
        inner = getattr(f, "__wrapped__", None)
        if inner is not None and type(f).__module__.startswith("jax"):
            define(jax, "jax")
            return f"jax.jit({define(inner, inner.__name__)})"
        return None

    def vjp(self, f: Flat, xs: list[Any]) -> tuple[list[Any], Pull]:
        values, pull = jax.vjp(lambda *xs: f(list(xs)), *xs)
        return values, lambda gs: list(pull(_typed(gs, values)))

    def jvp(self, f: Flat, xs: list[Any], tangents: list[Any]) -> list[Any] | None:
        try:
            return jax.jvp(lambda *xs: f(list(xs)), xs, _typed(tangents, xs))[1]
        except TypeError as error:
            if "custom_vjp" in str(error):  # which has a rule for the other direction only
                return None
            raise

    def second(self, f: Flat, xs: list[Any], gs: list[Any]) -> tuple[list[Any], Pull] | None:
        n = len(xs)
        gradients, pull = jax.vjp(lambda *v: self.vjp(f, list(v[:n]))[1](list(v[n:])), *xs, *gs)
        return gradients, lambda vs: list(pull(_typed(vs, gradients)))

    def mapped(self, f: Flat, xs: list[Any], gs: list[Any]) -> tuple[list[Any], list[Any]] | None:
        def one(xs: list[Any], gs: list[Any]) -> tuple[list[Any], list[Any]]:
            values, pull = self.vjp(f, xs)
            return values, pull(gs)

        return jax.vmap(one)(xs, gs)

    def batched(self, f: Flat, xs: list[Any], gs: list[Any]) -> list[Any] | None:
        return list(jax.vmap(self.vjp(f, xs)[1])(gs))


class _With:
    """A function that makes a function with a rule of its own, as source."""

    def __init__(self, kind: str, fun: str, rules: list[str]) -> None:
        self.__name__ = f"made_{fun}"
        define = "defvjp" if kind == "custom_vjp" else "defjvp"
        self.source = (
            f"def {self.__name__}():\n    f = jax.{kind}({fun})\n    f.{define}({', '.join(rules)})\n    return f"
        )

    def __call__(self) -> None:
        raise AssertionError("it is only written down")


def _typed(gs: list[Any], values: list[Any]) -> list[Any]:
    return [jax.numpy.asarray(g, v.dtype) for g, v in zip(gs, values, strict=True)]
