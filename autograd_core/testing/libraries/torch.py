"""PyTorch: functions, ``autograd.Function`` and ``nn.Module``, whose parameters are varied under their names."""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import numpy as np
import torch
from torch.autograd import forward_ad

from ..given import CHANGED_G, WrongGradient
from .library import Array, Flat, Library, Pull


class Torch(Library):
    """Functions of PyTorch's tensors."""

    name = "torch"
    imports = ("import torch",)

    def context(self) -> AbstractContextManager[Any]:
        return _own_random_numbers()

    def prepare(self, f: Any, args: Sequence[Any]) -> tuple[Callable[..., Any], list[Any]]:
        if isinstance(f, torch.nn.Module):
            return _of_parameters(f, args)
        return _seeded(f), list(args)

    def array(self, values: Array, template: Any = None) -> Any:
        values = np.asarray(values)
        if values.size > 1 and not any(values.strides):  # one number, seen everywhere
            return self.array(values.reshape(-1)[0], template).expand(values.shape)
        if not values.flags.writeable or any(s < 0 for s in values.strides):  # which a tensor cannot be
            values = values.copy()
        return torch.as_tensor(values, device=getattr(template, "device", None))

    def numpy(self, value: Any) -> Array:
        if isinstance(value, torch.Tensor):
            value = value.detach().cpu()
            return (value.double() if value.dtype == torch.bfloat16 else value).resolve_conj().resolve_neg().numpy()
        return super().numpy(value)

    def literal(self, value: Any) -> str | None:
        if not isinstance(value, torch.Tensor):
            return None
        grad = ", requires_grad=True" if value.requires_grad else ""
        return f"torch.tensor({_numbers(self.numpy(value))}, dtype={value.dtype}{grad})"

    def vjp(self, f: Flat, xs: list[Any]) -> tuple[list[Any], Pull]:
        xs = [_leaf(x) for x in xs]
        with torch.enable_grad():
            results = f(xs)
        return [r.detach() for r in results], lambda gs: _gradients(results, xs, gs)

    def jvp(self, f: Flat, xs: list[Any], tangents: list[Any]) -> list[Any] | None:
        try:
            with warnings.catch_warnings(), forward_ad.dual_level():
                warnings.simplefilter("ignore", DeprecationWarning)
                results = f([forward_ad.make_dual(x.detach(), t) for x, t in zip(xs, tangents, strict=True)])
                pairs = [forward_ad.unpack_dual(r) for r in results]
                return [torch.zeros_like(p.primal) if p.tangent is None else p.tangent for p in pairs]
        except (NotImplementedError, RuntimeError) as error:
            if "forward" in str(error).lower():  # it has no rule of that kind
                return None
            raise

    def second(self, f: Flat, xs: list[Any], gs: list[Any]) -> tuple[list[Any], Pull] | None:
        xs, gs = [_leaf(x) for x in xs], [_leaf(g) for g in gs]
        with torch.enable_grad():
            results = f(xs)
            found = _gradients(results, xs, gs, create_graph=True)
        gradients = [torch.zeros_like(x) if g is None else g for g, x in zip(found, xs, strict=True)]

        def pull(vs: list[Any]) -> list[Any]:
            return _gradients(gradients, [*xs, *gs], vs)

        if any(map(_ends_in_an_error, gradients)):  # marked so, with once_differentiable
            return None
        return [g.detach() for g in gradients], pull

    def mapped(self, f: Flat, xs: list[Any], gs: list[Any]) -> tuple[list[Any], list[Any]] | None:
        xs = [_leaf(x) for x in xs]
        try:
            results = list(torch.func.vmap(lambda *parts: tuple(f(list(parts))))(*xs))
            return [r.detach() for r in results], _gradients(results, xs, gs)
        except RuntimeError as error:
            if "vmap" in str(error) or "functorch" in str(error):  # a Function that says nothing about it
                return None
            raise

    def batched(self, f: Flat, xs: list[Any], gs: list[Any]) -> list[Any] | None:
        xs = [_leaf(x) for x in xs]
        with torch.enable_grad():
            results = f(xs)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # of what vmap calls inside
                return _gradients(results, xs, gs, is_grads_batched=True)
        except RuntimeError as error:
            if "vmap" in str(error):  # a Function that says nothing about it
                return None
            raise


def _leaf(x: Any) -> Any:
    return x.detach().clone().requires_grad_()


def _gradients(results: list[Any], xs: list[Any], gs: list[Any], **options: Any) -> list[Any]:
    """As ``autograd.grad``, where a result that depends on nothing contributes nothing."""
    used = [(r, g.to(r.dtype)) for r, g in zip(results, gs, strict=True) if r.requires_grad]
    if not used:
        return [None] * len(xs)
    outputs, given = zip(*used, strict=True)
    before = [g._version for g in given]
    try:
        found = torch.autograd.grad(outputs, xs, given, retain_graph=True, allow_unused=True, **options)
    except RuntimeError as error:
        if "leaf Variable that requires grad" in str(error):  # where g is varied, too
            raise WrongGradient(CHANGED_G) from error
        raise
    if before != [g._version for g in given]:  # also where it holds the same numbers as before
        raise WrongGradient(CHANGED_G)
    return list(found)


def _ends_in_an_error(gradient: Any) -> bool:
    """Whether differentiating it again would raise; where it is cut off from its inputs nobody would notice."""
    seen, left = set(), [gradient.grad_fn]
    while left:
        node = left.pop()
        if node is not None and node not in seen:
            seen.add(node)
            if type(node).__name__ == "Error":
                return True
            left += [following for following, _ in node.next_functions]
    return False


@contextmanager
def _own_random_numbers() -> Any:
    with torch.random.fork_rng(devices=[]):
        yield


def _seeded(f: Callable[..., Any]) -> Callable[..., Any]:
    """``f`` that draws the same random numbers at each call, or else it would have no derivative to look for."""

    @functools.wraps(f)
    def seeded(*args: Any) -> Any:
        _seed(args)
        return f(*args)

    return seeded


def _seed(args: Sequence[Any]) -> None:
    """As ``torch.manual_seed(0)``, which asks every kind of device, though only the processor is there to draw."""
    if torch.cuda.is_initialized() or any(torch.is_tensor(a) and a.device.type != "cpu" for a in args):
        torch.manual_seed(0)
    else:
        torch.default_generator.manual_seed(0)


def _of_parameters(module: Any, args: Sequence[Any]) -> tuple[Callable[..., Any], list[Any]]:
    """A module as a function of its inputs and of the parameters that train; running statistics stay what they are."""
    n = len(args)
    parameters = {name: p for name, p in module.named_parameters() if p.requires_grad}

    def function(*values: Any) -> Any:
        _seed(values)
        dtype = next((v.dtype for v in values if torch.is_tensor(v) and v.is_floating_point()), None)
        state = {
            name: b.detach().clone().to(dtype if b.is_floating_point() else b.dtype)
            for name, b in (*module.named_buffers(), *module.named_parameters())
            if name not in parameters
        }
        state.update(zip(parameters, values[n:], strict=True))
        return torch.func.functional_call(module, state, tuple(values[:n]))

    inputs = list(inspect.signature(module.forward).parameters)[:n]
    function.parameters = [*inputs, *parameters] if len(inputs) == n else None  # type: ignore[attr-defined]
    return function, [*args, *(p.detach().clone() for p in parameters.values())]


def _numbers(array: Array) -> str:
    return str(array.tolist()).replace("nan", "float('nan')").replace("inf", "float('inf')")
