"""A gradient that was handed over, in whichever form its author writes it, as a pullback."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from ..tree import leaves, rebuild
from .arguments import Arguments, is_floating, to_numpy

Array = Any
Function = Callable[..., Any]

# How each form is called and what it returns, for messages.
FORMS = {
    "grad": "grad(*args) for an f that returns one number, grad(g, *args) for any other; a gradient for each argument",
    "vjp": "vjp(*args), the value and a function from g to the gradients",
    "jvp": "jvp(args, tangents), the tangent of the result, alone or after the value",
    "jac": "jac(*args), the Jacobian, of shape (*result, *argument); or True where f returns (value, gradient)",
}


CHANGED_G = (
    "its backward changed the gradient g that arrived, which others use, too; work on a copy (g = g * …, not g *= … or "
    "g.mul_(…))"
)


class WrongGradient(Exception):
    """What is wrong with a gradient before its numbers are looked at."""


class WrongShape(WrongGradient):
    """One gradient has another shape than its argument; of the others the numbers can still be looked at."""


class Given:
    """A gradient of one of the `FORMS` for a function of ``arguments``.

    ``names`` are what its author calls the gradients, ``single`` is set when one came in single precision and
    ``absent`` holds the names of those that were None, which counts as 0.
    """

    def __init__(self, form: str, by: Function, f: Function, arguments: Arguments) -> None:
        self.form, self.by, self.f, self.arguments = form, by, f, arguments
        self.called = form  # in messages
        self.names = [f"d{name}" if name.isidentifier() else name for name in arguments.names]
        self.single = False
        self.absent: set[str] = set()
        # Where one has a wrong shape and the others are to be looked at, it counts as NaN, and its fault stands here.
        self.forgives_shapes = False
        self.misshapen: dict[int, str] = {}
        try:
            self.signature: inspect.Signature | None = inspect.signature(by)
        except (TypeError, ValueError):  # some functions written in C do not say
            self.signature = None

    def pullback(self, values: list[Array], shapes: list[tuple[int, ...]]) -> Callable[[list[Array]], list[Array]]:
        """From the gradients of the results, of these shapes, to those of the varied arrays, which hold ``values``."""
        if self.form in ("jvp", "jac"):
            rows = self._by_columns(values, shapes) if self.form == "jvp" else self._by_jacobian(values, shapes)
            return lambda gs: [
                np.tensordot(np.concatenate([np.reshape(g, -1) for g in gs]), row, 1).reshape(a.shape)
                for row, a in zip(rows, self.arguments.arrays, strict=True)
            ]
        # A function of any shape has a pullback, which takes g also where the result happens to be one number.
        alone = self.form == "grad" and shapes == [()] and not self._takes_g()
        result = None if alone else self.f(*self._copies(values))

        def pull(gs: list[Array]) -> list[Array]:
            given = self._copies(values)
            if alone:
                return [d * float(gs[0]) for d in self._matched(self._call(given, given), values)]
            g = self._like(result, gs)
            try:
                if self.form == "vjp":
                    _, back = self._pair(self.by(*given))
                    return self._matched(self._unchanged([g], lambda: back(g), ["g"]), values)
                return self._matched(self._call([g, *given], given), values)
            except (TypeError, ValueError, KeyError, AttributeError, IndexError) as error:
                if isinstance(result, tuple):
                    error.add_note(
                        f"f returns a tuple of {len(result)} parts, so g is a tuple of as many; for a forward that "
                        "returns (out, cache), with a backward that takes (dout, cache), use check_layer"
                    )
                raise

        return pull

    def _takes_g(self) -> bool:
        """Whether the gradient says that it takes g, too, by how many arguments it has; where both fit, by their names.

        ``grad(g, *args)`` and ``grad(g, x, axis=0)`` could be called without g just as well. What says nothing, as
        ``grad(*args)``, is called without where f returns one number.
        """
        n, signature = len(self.arguments.args), self.signature
        if signature is None:
            return False
        if not (_binds(signature, n + 1) and _binds(signature, n)):
            return _binds(signature, n + 1)
        kinds = [p.kind for p in signature.parameters.values()]
        own = [p.name for p in signature.parameters.values() if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
        names = self.arguments.parameters
        variadic = inspect.Parameter.VAR_POSITIONAL in kinds
        return bool(own) and own[0] != names[0] and (own[1:2] == names[:1] or (variadic and len(own) <= 1))

    # -- calling it ----------------------------------------------------------------------------------------

    def _copies(self, values: list[Array]) -> list[Any]:
        """The arguments as the function is called with them; what is laid out in another way stays so."""
        copies = {id(v): np.copy(v) if v.flags.c_contiguous else v for v in values}  # one array given twice stays one
        return self.arguments.native([copies[id(v)] for v in values])

    def _like(self, result: Any, gs: list[Array]) -> Any:
        parts = iter(gs)
        library = self.arguments.library
        return rebuild(
            result,
            (
                library.array(np.asarray(next(parts), to_numpy(leaf).dtype), leaf) if is_floating(leaf) else None
                for leaf in leaves(result)
            ),
        )

    def _call(self, arguments: list[Any], given: list[Any]) -> Any:
        names = self.arguments.parameters
        called = [*(["g"] if len(arguments) > len(given) else []), *names]
        if self.signature is not None:
            try:
                self.signature.bind(*arguments)
            except TypeError as error:
                why = (
                    "f returns one number, so grad takes the arguments of f"
                    if len(arguments) == len(given)
                    else "f returns an array, so grad takes g, the gradient with respect to the result, before them"
                )
                expected = f"expected grad({', '.join(called)}), got a function with which {error}"
                raise TypeError(f"{why}: {expected}") from None
        try:
            return self._unchanged(arguments, lambda: self.by(*arguments), called)
        except (TypeError, ValueError) as error:
            if len(arguments) == len(given):  # perhaps it expected g
                error.add_note(
                    f"f returns one number, so grad was called as grad({', '.join(called)}); one that takes g as well "
                    f"names it: grad(g, {', '.join(called)})"
                )
            raise

    def _unchanged(self, arguments: list[Any], call: Callable[[], Any], names: Sequence[str]) -> Any:
        """The result of a call that must leave its arguments as they are."""
        before = [[np.copy(to_numpy(leaf)) for leaf in leaves(a) if is_floating(leaf)] for a in arguments]
        try:
            found = call()
        except ValueError as error:
            if "read-only" not in str(error):
                raise
            raise WrongGradient(f"{self.called} writes into an argument: {error}; work on a copy") from error
        for name, argument, kept in zip(names, arguments, before, strict=True):
            now = [to_numpy(leaf) for leaf in leaves(argument) if is_floating(leaf)]
            if not all(np.array_equal(a, b, equal_nan=True) for a, b in zip(now, kept, strict=True)):
                raise WrongGradient(
                    f"{self.called} changed its argument {name}, which others use, too; work on a copy "
                    f"({name} = {name} * …, not {name} *= …)"
                )
        return found

    def _pair(self, pair: Any) -> tuple[Any, Function]:
        if not (isinstance(pair, tuple) and len(pair) == 2 and callable(pair[1])):
            raise TypeError(f"vjp: expected a function {FORMS['vjp']}, got one that returns {type(pair).__name__}")
        return pair

    # -- Jacobians -----------------------------------------------------------------------------------------

    def _by_columns(self, values: list[Array], shapes: list[tuple[int, ...]]) -> list[Array]:
        """The Jacobian from its columns, a call for each number that is varied."""
        rows = sum(int(np.prod(s)) for s in shapes)
        found = []
        for n, value in enumerate(values):
            columns = np.zeros((rows, np.size(value)))
            for i in range(np.size(value)):
                tangents = [np.zeros(np.shape(v), np.asarray(v).dtype) for v in values]
                length = (-2.0, 0.5)[i % 2]  # not 1, which is its own square
                tangents[n].reshape(-1)[i] = length
                parts = self.push(values, tangents)
                if [p.shape for p in parts] != shapes:
                    raise WrongGradient(
                        f"the tangent of jvp: expected shape {[list(s) for s in shapes]}, that of the result, got "
                        f"{[list(p.shape) for p in parts]}"
                    )
                columns[:, i] = np.concatenate([p.reshape(-1) for p in parts]) / length
            found.append(columns)
        return found

    def push(self, values: list[Array], tangents: list[Array]) -> list[Array]:
        """The change of each result along ``tangents``, by the ``jvp`` that was given."""
        given = self.arguments
        moved = given.fill([given.library.array(t[()], v) for t, v in zip(tangents, given.templates, strict=True)])
        moved = [m if k in given.chosen else None for k, m in enumerate(moved)]
        tangent = self.by(tuple(self._copies(values)), tuple(moved))
        if isinstance(tangent, tuple) and len(tangent) == 2:
            tangent = tangent[1]
        parts = [to_numpy(leaf) for leaf in leaves(tangent)]
        self._note_precision(parts)
        return parts

    def _by_jacobian(self, values: list[Array], shapes: list[tuple[int, ...]]) -> list[Array]:
        """The Jacobian as it was given, with a row for each number of the result."""
        if len(shapes) != 1:
            raise TypeError(f"jac: expected an f that returns one array, got {len(shapes)} results; pass grad= or vjp=")
        given = self.by(*self._copies(values))
        parts = list(given) if isinstance(given, list | tuple) and len(values) > 1 else [given]
        if len(parts) != len(values):
            raise TypeError(f"jac: expected a Jacobian for each of {', '.join(self.arguments.names)}, got {len(parts)}")
        found = []
        for name, part, value in zip(self.arguments.names, map(to_numpy, parts), values, strict=True):
            self._note_precision([part])
            rows, columns = int(np.prod(shapes[0])), np.size(value)
            if part.shape not in (shapes[0] + np.shape(value), (rows, columns)):
                raise WrongGradient(
                    f"the Jacobian with respect to {name}: expected shape {list(shapes[0] + np.shape(value))}, that of "
                    f"the result and then that of the argument, got {list(part.shape)}"
                )
            found.append(np.asarray(part, np.float64).reshape(rows, columns))
        return found

    # -- what it returned ----------------------------------------------------------------------------------

    def _note_precision(self, arrays: list[Array]) -> None:
        self.single = self.single or any(a.dtype in (np.float32, np.float16) for a in arrays)

    def _matched(self, gradients: Any, values: list[Array]) -> list[Array]:
        """The gradients in the order of the varied arrays; notes what their author calls them."""
        pairs = list(self._pairs(gradients))
        self.names = [name for name, _ in pairs]
        found: list[Array] = []
        for (name, gradient), value in zip(pairs, values, strict=True):
            array = np.asarray(value)
            if gradient is None:  # "no gradient", as in PyTorch
                self.absent.add(name)
                gradient = np.zeros(array.shape, array.dtype)
            # A number of Python's has no precision of its own.
            gradient = np.asarray(gradient, array.dtype) if type(gradient) in (float, int) else to_numpy(gradient)
            if gradient.shape != array.shape:
                if not self.forgives_shapes:
                    raise WrongShape(f"{name} has shape {list(gradient.shape)}, {_shape_hint(gradient, array)}")
                self.misshapen[len(found)] = f"its shape is {list(gradient.shape)}, and not {list(array.shape)}"
                gradient = np.full(array.shape, np.nan)
            if gradient.dtype.kind not in "fiub":
                raise TypeError(f"{name}: expected real numbers, got {gradient.dtype}")
            found.append(gradient)
        self._note_precision(found)
        return found

    def _pairs(self, gradients: Any) -> Iterator[tuple[str, Any]]:
        a = self.arguments
        chosen = [(a.parameters[n], a.args[n]) for n in a.chosen]
        one = len(chosen) == 1
        if isinstance(gradients, dict) and not (one and isinstance(chosen[0][1], dict)):
            for name, arg in chosen:
                yield from _pair(arg, *_keyed(gradients, name), name)
            return
        several = isinstance(gradients, list | tuple)
        if several and len(gradients) == len(a.args) > len(chosen):  # None for what has no gradient
            gradients = [gradients[n] for n in a.chosen]
        elif one and not (several and len(gradients) == 1 and not isinstance(chosen[0][1], list | tuple)):
            gradients = [gradients]
        if not isinstance(gradients, list | tuple) or len(gradients) != len(chosen):
            names = ", ".join(name for name, _ in chosen)
            came = f"{len(gradients)} values" if several else type(gradients).__name__
            left = [a.parameters[n] for n in a.chosen]
            hint = f"; if some of {', '.join(left)} are data, say which are not: argnums=0" if len(chosen) > 1 else ""
            raise TypeError(
                f"the result of {self.called}: expected a gradient for each of {names}, as a tuple or a dict of "
                f"{len(chosen)}, got {came}{hint}"
            )
        for (name, arg), g in zip(chosen, gradients, strict=True):
            yield from _pair(arg, g, f"d{name}", name)


def _binds(signature: inspect.Signature, count: int) -> bool:
    try:
        signature.bind(*[None] * count)
    except TypeError:
        return False
    return True


def _shape_hint(gradient: Array, array: Array) -> str:
    said = f"and its argument has shape {list(array.shape)}; a gradient has the shape of its argument"
    if gradient.shape == array.shape[::-1]:
        return f"{said}: it looks transposed"
    extra = gradient.ndim - array.ndim
    if extra > 0 and gradient.shape[extra:] == array.shape:
        return f"{said}: sum it over the batch, {'axis 0' if extra == 1 else f'the first {extra} axes'}"
    if gradient.size == array.size:
        return f"{said}: it has as many numbers, in another shape"
    return said


def _pair(arg: Any, gradient: Any, label: str, name: str) -> Iterator[tuple[str, Any]]:
    """The floating leaves of an argument beside their gradients: (what the gradient is called, gradient)."""
    if isinstance(arg, dict):
        if not isinstance(gradient, dict):
            raise TypeError(f"the gradient of {name}: expected a dict, as it is one, got {type(gradient).__name__}")
        for key in arg:
            yield from _pair(arg[key], *_keyed(gradient, key), f"{name}[{key!r}]")
    elif isinstance(arg, list | tuple):
        if not isinstance(gradient, list | tuple) or len(gradient) != len(arg):
            raise TypeError(f"the gradient of {name}: expected {len(arg)} parts, as it has, got {gradient!r}")
        for i, (branch, part) in enumerate(zip(arg, gradient, strict=True)):
            yield from _pair(branch, part, f"{label}[{i}]", f"{name}[{i}]")
    elif is_floating(arg):
        yield label, gradient


def _keyed(gradients: dict[Any, Any], key: Any) -> tuple[Any, str]:
    """The gradient of what is called ``key``, and what it is called itself."""
    for candidate in (key, f"d{key}", f"d_{key}", f"grad_{key}", f"{key}_grad"):
        if candidate in gradients:
            return gradients[candidate], str(candidate) if candidate != key else f"d{key}"
    raise TypeError(f"the gradients: expected one for {key!r}, got {', '.join(map(repr, gradients))}")
