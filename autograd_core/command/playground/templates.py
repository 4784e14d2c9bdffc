"""What the page says of each op, cut out of real pages: names, constants and places are letters that stand for them.

The playground makes its pages in the browser. Nothing about an op or its derivatives, no sentence and no markup of a
page is written there a second time: for each op a computation is explained here, by the same code that explains
everybody's, with letters for names that nobody types. JavaScript puts in the names and numbers of what was typed.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ...explain import Steps, explain, page
from ...explain.boxes import of_steps
from ...explain.page.data import data_of
from ...explain.page.live import Program
from ...explain.symbol import Symbol, Untraceable
from ...explain.symbols import Traced
from ...graph import ancestors, in_order
from ...op import REGISTRY, Op
from ...tensor import Tensor
from ..grammar import COMPARISONS, functions, implementation

# How a constant is written: in parentheses where it is negative, with a sign as in text or as in formulas, without one;
# and what is 1 less, as in an exponent.
FORMS = ("bound", "boundMath", "free", "freeMath", "size", "less", "lessMath", "lessSize")
ONE_FOR_EACH = ("names", "places", *FORMS)
ONE = ("out", "root", "other", "place", "step", "counted", "leaf", "low", "high")
AREA = map(chr, range(0xE000, 0xE100))  # Unicode's private area, whose letters nobody types
LETTERS: dict[str, str] = {name: "".join(itertools.islice(AREA, 3)) for name in ONE_FOR_EACH}
LETTERS |= dict(zip(ONE, AREA, strict=False))
NAMES, OUT, ROOT, OTHER, STEP = (LETTERS[name] for name in ("names", "out", "root", "other", "step"))

CONSTANTS = (-0.73125, -0.84375, -0.92875)
# Exponents whose powers are written in a way of their own, x^1 as x and x^3 as x³, and one for all others of a kind.
EXPONENTS = (*map(float, range(-3, 7)), 0.5, 1.5, -0.5)
KINDS = {"<0": -0.84375, "<1": 0.84375, ">1": 1.84375}
HEAD = "</strong> "  # ends what all rows of the transcript begin with
# What of a page belongs to its computation.
MARKS = ("picture", "leaves", "steps", "gradients", "data", "program", "summary", "signs")
DECIDES = {"where": 0}  # an argument without a rule: a number that is data


def operations() -> tuple[dict[str, str], dict[str, Any]]:
    """The JavaScript of each op that is a formula of numbers, and what pages say of it, by which arguments vary."""
    code: dict[str, str] = {}
    told: dict[str, Any] = {}
    of_arrays = {op for f in functions().values() if f["keywords"] for op in [*f["by"].values()][:1]}
    for name in dict.fromkeys(op for f in functions().values() for op in f["by"].values()):
        op = REGISTRY.get(name)
        if op is None or name in of_arrays:
            continue
        try:
            code[name] = _code(op)
        except Untraceable:
            continue
        told[name] = dict(_variants(op))
    code |= {name: f"{{ f: {_comparison(name)} }}" for name in COMPARISONS}
    return code, told


def _comparison(name: str) -> str:
    """A comparison, which has no rule, in JavaScript."""
    compared = getattr(np, name)(Symbol("x"), Symbol("y"))
    return str(compared.function(("x", "y")))


def compositions(known: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Functions made of ops, as lists of these: an op and its arguments, earlier results being counted after inputs."""
    found = {}
    for function in functions().values():
        for count, name in function["by"].items():
            if name not in REGISTRY or name == "conv":
                made = _composition(name, int(count), known)
                if made:
                    found[name] = made
    return found


def _composition(name: str, count: int, known: Mapping[str, Any]) -> list[Any] | None:
    inputs = [Tensor(0.25 + 0.5 * i) for i in range(count)]
    try:
        result = implementation(name)(*inputs)
    except Exception:  # whatever a function of arrays says of numbers
        return None
    if not isinstance(result, Tensor) or result.ndim or not result.requires_grad:
        return None
    places = {x.node: i for i, x in enumerate(inputs)}
    made = []
    for node in in_order(ancestors([result.node])):
        if node.op is None:
            continue
        if node.op.name not in known or any(value is not None for value in node.params.values() if value is not False):
            return None
        args = [
            {"constant": float(arg)} if p is None else places[p] for p, arg in zip(node.parents, node.args, strict=True)
        ]
        places[node] = len(places)
        made.append([node.op.name, args])
    return made


def _code(op: Op) -> str:
    """An op and its rules as JavaScript functions of numbers."""
    try:
        return _written(op, numbers=True)
    except Untraceable:  # what makes an array of numbers and takes it apart again
        return _written(op)


def _written(op: Op, numbers: bool = False) -> str:
    count = op.arity or 1
    args = np.ones(count)
    traced = Traced(op, tuple(args), [False] * count, args[0], {}, numbers)
    rules = ["null"] * count
    for i in range(count):
        if op.rules[i] is not None:
            rules[i] = _formula(traced.rule(i)).function(("g", "z", *traced.names))
    return f"{{ f: {_formula(traced.forward).function(traced.names)}, d: [{', '.join(rules)}] }}"


def _formula(result: Any) -> Symbol:
    """The formula of one number."""
    if result.ndim:
        raise Untraceable(f"it gives an array of shape {list(result.shape)}")
    formula: Symbol = result.formulas[0]
    return formula


def _variants(op: Op) -> Iterator[tuple[str, Any]]:
    """What is told for each choice of arguments that are constants: ``xc`` says that the second is one."""
    count = op.arity or 1
    for mask in map("".join, itertools.product("xc", repeat=count)):
        decides = DECIDES.get(op.name, -1)
        if "x" not in mask[decides + 1 :] or (decides >= 0 and mask[decides] == "x"):
            continue
        if op.name == "power" and mask == "xc":
            exponents = {f"{exponent:g}": exponent for exponent in EXPONENTS if exponent != 2} | KINDS
            yield from ((mask + kind, _told(op, mask, (0.0, exponent))) for kind, exponent in exponents.items())
        elif "c" not in mask[decides + 1 :]:
            yield mask, _told(op, mask, CONSTANTS)
        else:
            yield f"{mask}<0", _told(op, mask, CONSTANTS)
            varied = tuple(c if i == decides else -c for i, c in enumerate(CONSTANTS))
            yield f"{mask}>0", _told(op, mask, varied)


def _told(op: Op, mask: str, constants: tuple[float, ...]) -> dict[str, Any]:
    steps = _explained(op, mask, constants, 0.375)
    places = {name: place for place, name in enumerate(steps.values)}
    data = data_of(steps, Program())
    varying = {i: constants[i] for i, kind in enumerate(mask) if kind == "c" and constants[i] not in EXPONENTS}
    shared = _Letters(places, varying)
    rows = _rows(steps, shared)
    node = {k: v for k, v in data["nodes"][places[OUT]].items() if k not in ("name", "value", "gradient", "constants")}
    local = {key: data["steps"][i].get("local") is not None for key, i in _places(steps)}
    # The numbers of a step are left out where they repeat its result: those of -3, and not those of -(-3).
    negative = _rows(_explained(op, mask, constants, -0.375), shared)["forward"]
    if negative != rows["forward"]:
        rows["otherwise"] = negative
    return shared.everywhere({"node": node, "title": _title(steps), "rows": rows, "local": local})


def _explained(op: Op, mask: str, constants: tuple[float, ...], value: float) -> Steps:
    """One op among others, whose inputs receive from it not the first of their gradients."""
    args: list[Any] = []
    for i, kind in enumerate(mask):
        if DECIDES.get(op.name) == i:
            args.append(Tensor(constants[i], requires_grad=False, name=NAMES[i]))
        else:
            args.append(Tensor(value + 0.25 * i, name=NAMES[i]) if kind == "x" else np.float64(constants[i]))
    with np.errstate(all="ignore"):
        out = op(*args)
        root = out + Tensor(1.5, name=OTHER)
        for leaf in (a for a in args if isinstance(a, Tensor) and a.requires_grad):
            root = root + leaf
        out.name, root.name = OUT, ROOT
        return explain(root, names={})


def _places(steps: Steps) -> Iterator[tuple[str, int]]:
    """Which steps are those of the op."""
    for i, step in enumerate(steps):
        if step.output == OUT:
            yield "forward" if step.kind == "forward" else str(step.position), i


def _rows(steps: Steps, shared: _Letters) -> dict[str, str]:
    rows = page.transcript(steps).split("\n")
    return {key: shared.row(rows[i], i).partition(HEAD)[2] for key, i in _places(steps)}


def _title(steps: Steps) -> str:
    (box,) = (box for box in of_steps(steps).boxes if box.key == OUT)
    return box.title


class _Letters:
    """Puts letters in place of what belongs to one computation only."""

    def __init__(self, places: Mapping[str, int], constants: Mapping[int, float]) -> None:
        letters = {**dict(zip(NAMES, LETTERS["places"], strict=True)), OUT: LETTERS["place"]}
        self.places = {place: letters.get(name, "") for name, place in places.items()}
        self.patterns = dict(_patterns(constants))

    def row(self, row: str, i: int) -> str:
        """One step of the transcript."""
        for text, letter in ((f"step-{i}", f"step-{STEP}"), (f'data-go="{i}"', f'data-go="{STEP}"')):
            row = row.replace(text, letter)
        row = re.sub(rf"(?<=step ){i + 1}(?=\")|(?<=>){i + 1}(?=</button>)", LETTERS["counted"], row)
        return re.sub(r'data-n="(\w)(\d+)"([^>]*>)[^<]*', self.number, row)

    def number(self, match: re.Match[str]) -> str:
        """A number that the page writes itself, so that it is left out."""
        kind, place = match[1], int(match[2])
        return f'data-n="{kind}{self.places.get(place, "") if kind in "vgm" else STEP}"{match[3]}'

    def everywhere(self, told: Any) -> Any:
        """The same with constants as letters, in all its texts."""
        if isinstance(told, dict):
            return {key: self.everywhere(value) for key, value in told.items()}
        if isinstance(told, list | tuple):
            return [self.everywhere(value) for value in told]
        if isinstance(told, str):
            for pattern, letter in self.patterns.items():
                told = re.sub(pattern, letter, told)
        return told


def _patterns(constants: Mapping[int, float]) -> Iterator[tuple[str, str]]:
    """How each form of a constant is found in a text, those with more around it first."""
    for i, constant in constants.items():
        size, less = (re.escape(f"{abs(value):g}") for value in (constant, constant - 1))
        found = [rf"\(-{size}\)", rf"\(\u2212{size}\)", f"-{size}", f"\u2212{size}", size]
        found += [f"-{less}", f"\u2212{less}", less]
        yield from ((pattern, LETTERS[form][i]) for pattern, form in zip(found, FORMS, strict=True))


def templates() -> tuple[dict[str, str], dict[str, Any]]:
    """The JavaScript of the ops, and all that the scripts of the playground read."""
    ops, told = operations()
    return ops, {
        "letters": LETTERS,
        "operations": told,
        "compositions": compositions(told),
        "signs": signs(told),
        "decides": DECIDES,
        "again": again(),
        "heads": heads(),
        "page": shell(),
    }


def signs(told: Mapping[str, Any]) -> dict[str, str]:
    """What the signs of formulas mean, as pages say it."""
    rows: dict[str, str] = {}
    for op in told:
        steps = _explained(
            REGISTRY[op], "c" * (op in DECIDES) + "xxx"[: (REGISTRY[op].arity or 1) - (op in DECIDES)], CONSTANTS, 0.5
        )
        rows |= {row.split('"')[1]: row for row in page.meanings(steps).split("\n") if row}
    return rows


def heads() -> dict[str, str]:
    """What the rows of the transcript begin with, by the kind of their steps."""
    steps = _explained(REGISTRY["exp"], "x", CONSTANTS, 0.375)
    letters = _Letters({}, {})
    rows = [letters.row(row, i).partition(HEAD) for i, row in enumerate(page.transcript(steps).split("\n"))]
    return {step.kind: head + end for step, (head, end, _) in zip(steps, rows, strict=True)}


def again() -> str:
    """What a row of the transcript says more where a value has received something before."""
    leaf, stranger = Tensor(2.0, name=NAMES[0]), Tensor(2.0, name=OTHER)
    rows = []
    for used in (leaf, stranger):
        out = leaf * 3.0
        root = out + used
        out.name, root.name = OUT, ROOT
        steps = explain(root, names={})
        place = next(i for i, step in enumerate(steps) if step.kind == "backward" and step.output == OUT)
        rows.append(_Letters({}, {}).row(page.transcript(steps).split("\n")[place], place))
    twice, once = rows
    begin = next(i for i, (a, b) in enumerate(zip(twice, once, strict=False)) if a != b)
    return twice[begin : begin + len(twice) - len(once)]


def shell() -> dict[str, Any]:
    """A whole page with marks in place of what belongs to its computation, and the rows of a leaf."""
    leaf = Tensor(7.25, name=NAMES[0])
    root = REGISTRY["sigmoid"](leaf) ** 1.5  # a sign that is told, and a function that JavaScript lacks
    root.name = ROOT
    parts = page.parts(explain(root, names={}))
    marks = {name: f"{{{{{name}}}}}" for name in MARKS}
    data = json.loads(parts["data"])
    row, place = parts["leaves"], LETTERS["places"][0]
    for text, letter in (("21.75", "high"), ("-7.25", "low"), ("7.25", "leaf")):
        row = row.replace(text, LETTERS[letter])
    given = re.sub(r'(data-n="[vg])0("[^>]*>)[^<]*', rf"\g<1>{place}\2", parts["gradients"])
    return {
        "page": page.filled(parts | marks | {"script": parts["script"] + "\n{{more}}"}),
        "leaf": re.sub(r'"(box-)?0"', rf'"\g<1>{place}"', row),
        "gradient": given,
        "data": data | {"nodes": [], "steps": [], "graph": {}},
        "node": {k: v for k, v in data["nodes"][0].items() if k not in ("name", "value", "gradient")},
    }
