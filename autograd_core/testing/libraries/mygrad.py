"""MyGrad: functions of its tensors. A graph serves one backward pass there, so each pullback runs the function anew."""

from __future__ import annotations

from typing import Any

import mygrad as mg
import numpy as np

from .library import Array, Flat, Library, Pull


class MyGrad(Library):
    """Functions of MyGrad's tensors."""

    name = "mygrad"
    imports = ("import mygrad",)

    def array(self, values: Array, template: Any = None) -> Any:
        return mg.tensor(np.array(values))

    def numpy(self, value: Any) -> Array:
        return np.asarray(value.data if isinstance(value, mg.Tensor) else value)

    def literal(self, value: Any) -> str | None:
        if not isinstance(value, mg.Tensor):
            return None
        numbers = str(value.data.tolist()).replace("nan", "float('nan')").replace("inf", "float('inf')")
        return f"mygrad.tensor({numbers}, dtype={str(value.dtype)!r})"

    def vjp(self, f: Flat, xs: list[Any]) -> tuple[list[Any], Pull]:
        def pull(gs: list[Any]) -> list[Any]:
            given = [mg.tensor(np.array(x.data)) for x in xs]
            total = sum(mg.sum(r * self.numpy(g)) for r, g in zip(f(given), gs, strict=True))
            total.backward()
            return [x.grad for x in given]

        with mg.no_autodiff:
            return f([mg.tensor(np.array(x.data)) for x in xs]), pull
