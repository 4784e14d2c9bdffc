"""Wrong rules on purpose: does the property test of the table notice every one of them?

``python -m autograd_core.testing.mutants`` makes mutants of every rule and of the walk, and prints how many
there were, how many compute the same numbers as the original, and which of the others nothing noticed. That
list must be empty. ``--sample 100`` takes a hundred of them. What other gradient checkers notice of the same
mutants is in ``benchmarks/gradient_checkers.py``.
"""

from __future__ import annotations

import argparse
import ast
import copy
import inspect
import itertools
import random
import sys
import time
import types
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import tree, walk
from ..op import REGISTRY, Op, Rule
from ..transforms import stop_gradient, vjp
from .calls import Call, calls, special_calls
from .properties import check_call
from .reproduce import definition_of

Array = Any


@dataclass(frozen=True)
class Mutant:
    """A wrong rule for one argument of an op; ``first_order`` is false where only its derivative is wrong."""

    op: str
    position: int
    kind: str
    rule: Rule
    first_order: bool = True

    def __str__(self) -> str:
        return f"{self.op}, argument {self.position + 1}: {self.kind}"


# -- mutants by value --------------------------------------------------------------------------------------


def _last_index(r: Any) -> Any:
    mask = np.ones(np.shape(r), r.dtype)
    if mask.size:
        mask[(-1,) * mask.ndim] = 1.01
    return r * mask


def _turned(r: Any) -> Any:
    """The elements in the reverse order along the first axis that is longer than 1."""
    long = next((axis for axis, n in enumerate(np.shape(r)) if n > 1), None)
    return r if long is None else r[(slice(None),) * long + (slice(None, None, -1),)]


def _transposed(r: Any) -> Any:
    """What belongs along one axis lies along another; the shape is right."""
    return np.reshape(np.transpose(r), np.shape(r)) if np.ndim(r) > 1 else r


def _other_axis(rule: Rule) -> Rule:
    """A rule that is told the next axis instead of its own."""

    def moved(g: Any, z: Any, *xs: Any, **params: Any) -> Any:
        if isinstance(params.get("axis"), int) and np.ndim(xs[0]) > 1:
            params["axis"] = (params["axis"] + 1) % np.ndim(xs[0])
        return rule(g, z, *xs, **params)

    return moved


# For ops that work element by element, and above all for those whose gradient is 0: a step, a comparison.
THROUGH: dict[str, Callable[..., Any]] = {
    "the gradient passes": lambda r, g, x: g * 1.0,
    "the gradient passes turned": lambda r, g, x: g * -1.0,
    "the gradient passes where x > 0": lambda r, g, x: np.where(x > 0, g, r),
    "the gradient passes at 1%": lambda r, g, x: r + g * 0.01,
}


def _through(rule: Rule, change: Callable[..., Any], position: int) -> Rule:
    return lambda g, z, *xs, **params: change(rule(g, z, *xs, **params), g, xs[position])


def _one_offset(r: Any) -> Any:
    mask = np.zeros(np.shape(r), r.dtype)
    if mask.size:
        mask[(-1,) * mask.ndim] = 0.01
    return r + mask


def _wrong_behind(r: Any) -> Any:
    """The right numbers, whose own derivative is 1% off."""
    return r * 1.01 - stop_gradient(r) * 0.01


VALUES: dict[str, Callable[[Any], Any]] = {
    "sign": lambda r: -r,
    "factor": lambda r: r * 2,
    "1% off": lambda r: r * 1.01,
    "wrong at one index": _last_index,
    "wrong order along an axis": _turned,
    "wrong axis": _transposed,
    "wrong for axes of length 1": lambda r: r * 2 if 1 in np.shape(r) else r,
    "missing": lambda r: r * 0,
    "offset": lambda r: r + 0.01,
    "offset at one index": _one_offset,
}


OTHERS = (*THROUGH, "swapped arguments", "wrong axis=", "wrong in second order", "1% off in second order")


def _by_value(rule: Rule, change: Callable[[Any], Any]) -> Rule:
    def changed(*args: Any, **params: Any) -> Any:
        given = rule(*args, **params)
        if isinstance(given, Iterator):  # a rule that answers for all arguments
            return (r if r is None else change(r) for r in given)
        return change(given)

    return changed


def _swapped(rule: Rule) -> Rule:
    """The two arguments exchanged, or the argument and the result of an op of one."""

    def swapped(g: Any, z: Any, *xs: Any, **params: Any) -> Any:
        return rule(g, z, *xs[::-1], **params) if len(xs) > 1 else rule(g, xs[0], z, **params)

    return swapped


def _flat(rule: Rule) -> Rule:
    """Right, but it takes what the local derivative depends on for constants."""
    return lambda g, z, *xs, **params: rule(g, stop_gradient(z), *map(stop_gradient, xs), **params)


# -- mutants of the source ---------------------------------------------------------------------------------


class _Edit(ast.NodeTransformer):
    """Make the n-th possible edit of a rule; ``kind`` says which it was, None if there are fewer."""

    def __init__(self, n: int) -> None:
        self.left = n
        self.kind: str | None = None

    def _turn(self) -> bool:
        self.left -= 1
        return self.left == -1

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        for kept, what in ((node.left, "right"), (node.right, "left")):
            if self._turn():
                self.kind = f"dropped the {what} of {ast.unparse(node)}"
                return kept
        return self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        if self._turn():
            self.kind = f"dropped the sign of {ast.unparse(node)}"
            return node.operand
        return self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        value = node.value
        if isinstance(value, int | float) and not isinstance(value, bool) and self._turn():
            self.kind = f"{value} became {value + 1}"
            return ast.Constant(value + 1)
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        opposite = {ast.Gt: ast.Lt, ast.Lt: ast.Gt, ast.GtE: ast.Lt, ast.LtE: ast.Gt, ast.Eq: ast.NotEq}
        turned = opposite.get(type(node.ops[0]))
        if turned is not None and self._turn():
            self.kind = f"{ast.unparse(node)} turned around"
            return ast.Compare(node.left, [turned()], node.comparators)
        return self.generic_visit(node)


def _edited(rule: Rule) -> Iterator[tuple[str, Rule]]:
    """Every rule that differs from this one in one place of its source."""
    rule = inspect.unwrap(rule)
    tree = definition_of(rule)
    function = rule if isinstance(rule, types.FunctionType) else None
    if tree is None or function is None:
        return
    free = dict(zip(function.__code__.co_freevars, (c.cell_contents for c in function.__closure__ or ()), strict=True))
    namespace = {**function.__globals__, **free}
    for n in itertools.count():
        edit = _Edit(n)
        made = copy.deepcopy(tree)
        if isinstance(made, ast.Lambda):
            made.body = edit.visit(made.body)
            body: list[ast.stmt] = [ast.Return(made.body)]
        else:
            body = made.body = [edit.visit(statement) for statement in made.body]
        if edit.kind is None:
            return
        definition = ast.FunctionDef("mutant", _bare(made.args), body, [], lineno=1, col_offset=0)
        local: dict[str, Any] = {}
        exec(ast.unparse(ast.fix_missing_locations(ast.Module([definition], []))), namespace, local)
        yield edit.kind, local["mutant"]


def _bare(arguments: ast.arguments) -> ast.arguments:
    """Arguments without annotations, whose names need not exist where the mutant is made."""
    arguments = copy.deepcopy(arguments)
    for argument in ast.walk(arguments):
        if isinstance(argument, ast.arg):
            argument.annotation = None
    return arguments


def mutants_of(op: Op) -> Iterator[Mutant]:
    """All mutants of an op's rules."""
    for position, rule in enumerate(_rules(op)):
        if rule is None:
            continue
        for kind, change in VALUES.items():
            yield Mutant(op.name, position, kind, _by_value(rule, change))
        yield Mutant(op.name, position, "swapped arguments", _swapped(rule))
        if op.broadcasts and not op.batched:
            for kind, change in THROUGH.items():
                yield Mutant(op.name, position, kind, _through(rule, change, position))
        if "axis" in op.params:
            yield Mutant(op.name, position, "wrong axis=", _other_axis(rule))
        yield Mutant(op.name, position, "wrong in second order", _flat(rule), first_order=False)
        yield Mutant(op.name, position, "1% off in second order", _by_value(rule, _wrong_behind), first_order=False)
        for kind, edited in _edited(rule):
            yield Mutant(op.name, position, kind, edited)


def _rules(op: Op) -> Sequence[Rule | None]:
    return op.rules if op.arity is not None else [op.rules.rule]  # type: ignore[attr-defined]


@contextmanager
def installed(mutant: Mutant) -> Iterator[None]:
    """The op with the mutant for a rule."""
    op = REGISTRY[mutant.op]
    before = op.rules
    if op.arity is None:
        op.rules = copy.copy(before)
        op.rules.rule = mutant.rule  # type: ignore[attr-defined]
    else:
        op.rules = [mutant.rule if i == mutant.position else rule for i, rule in enumerate(before)]
    try:
        yield
    finally:
        op.rules = before


# -- the trial ---------------------------------------------------------------------------------------------


def table_of(name: str) -> list[Call]:
    """All calls at which an op is tested."""
    return [call for call in (*calls([name]), *special_calls([name])) if call.argnums]


def noticed(table: Sequence[Call]) -> bool:
    """Whether the property test of the table fails on any of these calls."""
    for call in table:
        if call.argnums:
            try:
                check_call(call)
            except Exception:  # a GradientError, or whatever a wrong rule runs into
                return True
    return False


def numbers(table: Sequence[Call]) -> list[Array]:
    """First and second derivatives at all these calls, in both precisions."""
    found: list[Array] = []
    rng = np.random.default_rng(0)
    with np.errstate(all="ignore"):
        for call in table:
            for dtype in (np.float64, np.float32):
                arguments = [_cast(call.args[n], dtype) for n in call.argnums]
                values, pull = vjp(_varied(call), *arguments)
                gs = _like(values, rng)
                found += tree.leaves(pull(gs))
                try:
                    gradients, again = vjp(lambda *xs, c=call, g=gs: vjp(_varied(c), *xs)[1](g), *arguments)
                except TypeError:  # an integer result has no second pullback
                    continue
                found += tree.leaves(again(_like(gradients, rng)))
    return found


def _varied(call: Call) -> Callable[..., Any]:
    def f(*xs: Any) -> Any:
        args = list(call.args)
        for n, x in zip(call.argnums, xs, strict=True):
            args[n] = x
        return call(*args)

    return f


def _cast(value: Any, dtype: Any) -> Any:
    return tree.map(lambda leaf: leaf.astype(dtype), value)


def _like(value: Any, rng: np.random.Generator) -> Any:
    return tree.map(lambda leaf: rng.uniform(0.5, 1.5, np.shape(leaf)).astype(leaf.dtype), value)


# -- mutants of the walk -----------------------------------------------------------------------------------

# (what is wrong, the function of autograd_core.walk, what its source says, what it says instead)
WALK = [
    ("accumulation replaced by assignment", "walk", "gradients[parent] = take(parent) + contribution",
     "gradients[parent] = contribution"),
    ("accumulation that doubles", "walk", "take(parent) + contribution", "take(parent) + contribution + contribution"),
    ("a wrong order", "walk", "heappop(waiting)[1]", "waiting.pop()[1]"),
    ("the last argument left out", "walk", "in enumerate(parents):", "in enumerate(parents[:1]):"),
    ("rules of the wrong argument", "walk", "rule: Any = rules[position]", "rule: Any = rules[-1 - position]"),
    ("unbroadcasting left out", "unbroadcast", "np.sum(g, axis=(*range(new), *stretched))",
     "g[tuple([0] * new + [slice(0, 1) if new + i in stretched else slice(None) for i in range(len(shape))])]"),
    ("unbroadcasting by the mean", "unbroadcast", "np.sum(g,", "np.mean(g,"),
    ("unbroadcasting of new axes only", "unbroadcast", "if n != g.shape[new + i]", "if n != g.shape[new + i] and new"),
    ("the dtype not restored", "_fit", "product if product.dtype == out.dtype else _cast(product, out.dtype)",
     "product.astype('float64')"),
    ("paths that stop at the first", "_paths", "not wanted.isdisjoint(node.parents)",
     "node.parents and node.parents[0] in wanted"),
    ("second derivatives of constants", "walk", "z, args = lift(node), tuple(", "z, args = z, tuple("),
]  # fmt: skip


@contextmanager
def broken_walk(function: str, right: str, wrong: str) -> Iterator[None]:
    """The engine with one line of its walk changed."""
    original = getattr(walk, function)
    source = inspect.getsource(original)
    if source.count(right) != 1:
        raise LookupError(f"autograd_core.walk.{function} does not say {right!r} once; adapt the mutant")
    made: dict[str, Any] = {}
    exec("from __future__ import annotations\n" + source.replace(right, wrong), walk.__dict__, made)
    places = [m for m in list(sys.modules.values()) if getattr(m, function, None) is original]
    for module in places:
        setattr(module, function, types.FunctionType(made[function].__code__, walk.__dict__, function,
                                                     original.__defaults__))  # fmt: skip
        getattr(module, function).__kwdefaults__ = original.__kwdefaults__
    try:
        yield
    finally:
        for module in places:
            setattr(module, function, original)


# -- what is printed ---------------------------------------------------------------------------------------


@dataclass
class Score:
    """How the mutants fared, by their kind; ``caught_of`` counts those of each rule that were caught."""

    tried: Counter[str]
    caught: Counter[str]
    equivalent: Counter[str]
    survivors: list[str]
    caught_of: Counter[tuple[str, int]]
    same: list[str]


def run(sample: int | None = None, seed: int = 0, tell: Callable[[str], None] = lambda line: None) -> Score:
    """Try all mutants, or a random ``sample`` of them and all of the walk's."""
    score = Score(Counter(), Counter(), Counter(), [], Counter(), [])
    chosen = [m for op in REGISTRY.values() for m in mutants_of(op)]
    tell(f"{len(chosen)} mutants of {len({(m.op, m.position) for m in chosen})} rules, {len(WALK)} of the walk")
    if sample is not None:
        chosen = random.Random(seed).sample(chosen, min(sample, len(chosen)))
        chosen.sort(key=lambda m: m.op)
    tables: dict[str, list[Call]] = {}
    for mutant in chosen:
        if mutant.op not in tables:
            tables[mutant.op] = table_of(mutant.op)
        score.tried[family(mutant)] += 1
        score.caught_of[mutant.op, mutant.position] += 0
        with installed(mutant):
            if noticed(tables[mutant.op]):
                score.caught[family(mutant)] += 1
                score.caught_of[mutant.op, mutant.position] += 1
                continue
            # Whether it computes the same is decided at other numbers than it was tested at. At kinks and ties more
            # than one gradient is right, and at NaN and infinity no differences say which, so these are not asked.
            elsewhere = [c for c in calls([mutant.op], seed=1) if c.argnums and _finite(c)]
            found = _numbers_or_none(elsewhere)
        if found is not None and _equal(found, numbers(elsewhere)):
            score.equivalent[family(mutant)] += 1
            score.same.append(str(mutant))
        else:
            score.survivors.append(str(mutant))
    everyday = [c for c in calls(["add", "multiply", "matmul", "tanh", "sum", "maximum", "divide"]) if c.argnums]
    for what, function, right, wrong in WALK:
        score.tried["the walk"] += 1
        with broken_walk(function, right, wrong):
            if noticed(everyday):
                score.caught["the walk"] += 1
            else:
                score.survivors.append(f"the walk: {what}")
    return score


def family(mutant: Mutant) -> str:
    """The kind of a mutant, with all edits of the source as one."""
    known = (*VALUES, *OTHERS)
    return mutant.kind if mutant.kind in known else "one place in the source"


def _finite(call: Call) -> bool:
    return all(np.all(np.isfinite(call.args[i])) for i in call.argnums)


def _numbers_or_none(table: Sequence[Call]) -> list[Array] | None:
    try:
        return numbers(table)
    except Exception:  # it runs into an error that the property test did not
        return None


def _equal(got: Sequence[Array], expected: Sequence[Array]) -> bool:
    return len(got) == len(expected) and all(
        np.shape(a) == np.shape(b)
        and np.allclose(a, b, rtol=1e-5 if np.asarray(a).dtype == np.float32 else 1e-12, atol=0, equal_nan=True)
        for a, b in zip(got, expected, strict=True)
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; the exit status is 1 if a mutant survived."""
    parser = argparse.ArgumentParser(prog="mutants", description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--sample", type=int, help="try this many mutants of rules instead of all")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--same", action="store_true", help="list those that compute the same numbers")
    options = parser.parse_args(arguments)
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # wrong rules overflow
        score = run(options.sample, options.seed, print)
    print(f"{'kind':<32}{'tried':>7}{'caught':>8}{'same numbers':>14}")
    for kind in score.tried:
        print(f"{kind:<32}{score.tried[kind]:>7}{score.caught[kind]:>8}{score.equivalent[kind]:>14}")
    total = [sum(c.values()) for c in (score.tried, score.caught, score.equivalent)]
    print(f"{'all':<32}{total[0]:>7}{total[1]:>8}{total[2]:>14}   in {time.perf_counter() - start:.0f} s")
    if options.sample is None:
        fewest = min(score.caught_of.values())
        rules = [f"{op}[{position}]" for (op, position), n in score.caught_of.items() if n == fewest]
        print(f"each rule has {fewest} or more that were caught; the fewest: {', '.join(rules[:6])}")
    if options.same:
        print("the same numbers: " + "\n    ".join(["", *score.same]))
    print("survivors: " + ("none" if not score.survivors else "\n    ".join(["", *score.survivors])))
    few = options.sample is None and min(score.caught_of.values()) < 5
    return 1 if score.survivors or few else 0


if __name__ == "__main__":
    sys.exit(main())
