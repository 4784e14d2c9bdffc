"""Write the pages of the reference, one for each public module, from what the modules say of themselves.

A name is public when its module lists it in ``__all__``, or, in a module of ``datasets``, when that defines it.
"""

from __future__ import annotations

import importlib
import inspect
import re
import sys
import textwrap
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from autograd_core import Tensor, tree
from autograd_core.dispatch import full_name
from autograd_core.op import Composed, Op
from autograd_core.testing.calls import examples_of, make_call, random_numbers, shapes_of, size_of
from autograd_core.testing.reproduce import literal

ROOT = Path(__file__).resolve().parent.parent

# The pages, in the order of the table of contents. Modules that a listed one names in its `__all__` follow it.
MODULES = (
    "autograd_core",
    "autograd_core.testing",
    "autograd_core.replay",
    "autograd_core.hips",
    "nn",
    "nn.callbacks.watch",
    "nn.plots",
    "datasets",
)
ELSEWHERE = {"autograd_core.ops"}  # functions.py

# What is neither a function nor a class has no docstring of its own.
DATA = {
    "autograd_core.REGISTRY": """Every `Op` by its name, those of your own included: what tests and tables loop over.

>>> REGISTRY["multiply"].formulas
['y', 'x']
"""
}

# The parts of the engine's page in the order to read them; a file that is not listed comes last.
PARTS = {
    "tensor": "Tensors",
    "ops.shape": "Tensors",
    "graph": "Recording",
    "debugging": "Finding faults",
    "errors": "Errors",
    "testing.check": "Errors",
    "transforms": "Transforms",
    "explain.steps": "Explaining",
    "explain.drawing": "Drawing",
    "ops.network": "Functions that NumPy lacks",
    "ops.conv": "Convolution",
    "op": "Ops of your own",
    "replay.cache": "Replaying",
}


def public(module: ModuleType) -> dict[str, Any]:
    """The public names of a module, except the modules among them."""
    names = getattr(module, "__all__", None)
    if names is None:
        written = [n for n, v in vars(module).items() if getattr(v, "__module__", None) == module.__name__]
        names = [n for n in written if n[0].isalpha() and (inspect.isroutine(vars(module)[n]) or n[0].isupper())]
    found = {name: getattr(module, name) for name in names}
    return {name: value for name, value in found.items() if not inspect.ismodule(value)}


def modules(name: str) -> Iterator[ModuleType]:
    """A module and the public ones in it."""
    module = importlib.import_module(name)
    yield module
    for inner in getattr(module, "__all__", ()):
        value = getattr(module, inner)
        if inspect.ismodule(value) and value.__name__ not in ELSEWHERE:
            yield from modules(value.__name__)


def all_modules() -> list[ModuleType]:
    """All public modules, each once."""
    return list({module.__name__: module for name in MODULES for module in modules(name)}.values())


def part(name: str, value: Any) -> str:
    """The heading that a name of the engine stands under."""
    file = str(value.__module__).removeprefix("autograd_core.") if hasattr(value, "__module__") else "op"
    return PARTS.get(file, "More")


def homes() -> dict[int, str]:
    """The page of each object: the innermost of the modules that list it."""
    return {id(v): m.__name__ for m in sorted(all_modules(), key=lambda m: len(m.__name__)) for v in public(m).values()}


def entry(module: str, name: str, value: Any, home: str) -> str:
    """The directive for one name."""
    if home != module:
        role = "class" if inspect.isclass(value) else "func"
        return f"``{module}.{name}``\n   The same as :{role}:`{home}.{name}`.\n"
    if isinstance(value, Op):
        return function(module, name, signature(value.function), value)
    if inspect.isclass(value):
        kind = "autoexception" if issubclass(value, Exception) else "autoclass"
        return f".. {kind}:: {module}.{name}\n   :members:\n"
    if inspect.isroutine(value):
        return f".. autofunction:: {module}.{name}\n"
    return f".. py:data:: {name}\n   :module: {module}\n\n{textwrap.indent(DATA[f'{module}.{name}'], '   ')}\n"


def signature(function: Any) -> str:
    """The arguments, without their types: an op takes whatever NumPy takes."""
    bare = inspect.signature(function)
    parameters = [p.replace(annotation=p.empty) for p in bare.parameters.values()]
    return str(bare.replace(parameters=parameters, return_annotation=bare.empty))


def function(module: str, name: str, signature: str, op: Op) -> str:
    """An op, which is an object: a function to whoever calls it."""
    numpy = sorted({full_name(f) for f in op.numpy})
    lines = [rubrics(inspect.getdoc(op.function) or ""), "", f":Value: :math:`{op.latex}`"]
    formulas = [f":math:`{formula}`" for formula in op.formulas if formula]
    if formulas:
        lines.append(f":Local derivative: {', '.join(formulas)}")
    if numpy:
        lines.append(f":Answers for: {', '.join(f'``{n}``' for n in numpy)}")
    lines += [f":Shapes: {shapes(op)}", f":Raises: {errors(op)}"]
    body = textwrap.indent("\n".join(lines), "   ")
    return f".. py:function:: {name}{signature}\n   :module: {module}\n\n{body}\n"


def rubrics(doc: str) -> str:
    """A docstring whose NumPy sections begin with rubrics: a directive may hold no titles."""
    return re.sub(r"^(\w+)\n-+$", r".. rubric:: \1\n", doc, flags=re.MULTILINE)


def shapes(entry: Op | Composed) -> str:
    """The shapes that go in and come out: the rule where there is a common one, else those of the examples."""
    if isinstance(entry, Op) and (entry.elementwise or (entry.broadcasts and not entry.batched)):
        return "as that of the argument" if entry.arity == 1 else "those of the arguments, broadcast together"
    name = getattr(entry, "name", "") or entry.function.__name__
    found: dict[str, str] = {}
    for given in examples_of(entry):
        call = make_call(name, given, random_numbers(size_of(shapes_of(entry, given)), np.random.default_rng(0)))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = call(*call.args)
        said = f"{_shown(call.args)} to {_shown(result)}"
        params = ", ".join(f"{key}={literal(value)}" for key, value in call.params.items())
        if all(map(np.size, tree.leaves(call.args))):
            found.setdefault(params, f"{said} with ``{params}``" if params else said)
    return "; ".join(list(found.values())[:3])


def _shown(tree: Any) -> str:
    if isinstance(tree, list | tuple):
        return "[" * isinstance(tree, list) + ", ".join(map(_shown, tree)) + "]" * isinstance(tree, list)
    return f"``{np.shape(tree)}``" if np.ndim(tree) or not isinstance(tree, int | str) else f"``{tree!r}``"


def errors(op: Op) -> str:
    """What the commonest mistakes raise, found by making them."""
    given = examples_of(op)[0]
    x, others = Tensor(np.ones((2, 3))), given.inputs[1:]
    mistakes: dict[str, Callable[[], Any]] = {
        "what is no array of numbers": lambda: op("text", *others, **given.params),
    }
    if op.arity != 1:
        several = [np.ones((n, n + 1)) for n in (4, 6)[: (op.arity or 3) - 1]]
        mistakes["shapes that do not fit"] = lambda: op(x, *several, **given.params)
    if "axis" in op.params:
        mistakes["an axis that is not there"] = lambda: op(x, *others, **{**given.params, "axis": 9})
    found: dict[str, list[str]] = {}
    for mistake, make in mistakes.items():
        try:
            make()
        except (TypeError, ValueError) as error:
            kind = "TypeError" if isinstance(error, TypeError) else "ValueError"
            found.setdefault(kind, []).append(mistake)
    return "; ".join(f"{kind} for {' and for '.join(of)}" for kind, of in found.items())


def page(module: ModuleType, homes: dict[int, str]) -> str:
    """The page of one module."""
    name = module.__name__
    doc = inspect.getdoc(module) or ""
    title = f"``{name}``"
    parts = [title, "=" * len(title), "", f".. py:module:: {name}", "", doc, ""]
    names = public(module)
    if name != "autograd_core":
        return "\n".join((*parts, *(entry(name, key, value, homes[id(value)]) for key, value in names.items())))
    order = list(dict.fromkeys(PARTS.values()))
    groups: dict[str, list[str]] = {heading: [] for heading in (*order, "More")}
    for key, value in names.items():
        groups[part(key, value)].append(entry(name, key, value, homes[id(value)]))
    for heading, entries in groups.items():
        if entries:
            parts += [heading, "-" * len(heading), "", *entries]
    return "\n".join(parts)


def files() -> dict[str, list[str]]:
    """The public names by the file that holds them, from the root of the project."""
    found: dict[str, list[str]] = {}
    for module in all_modules():
        for name, value in public(module).items():
            written = inspect.unwrap(getattr(value, "function", value))
            home = sys.modules.get(str(getattr(written, "__module__", None)), module)
            file = getattr(home, "__file__", None)
            if file and Path(file).is_relative_to(ROOT):
                found.setdefault(Path(file).relative_to(ROOT).as_posix(), []).append(f"{module.__name__}.{name}")
    return {file: sorted(names) for file, names in sorted(found.items())}


def files_page() -> str:
    """The page that lists every name with its file."""
    title = "Where each name is written"
    rows = [f"``{file}``\n   {', '.join(f':obj:`{name}`' for name in names)}\n" for file, names in files().items()]
    return "\n".join([title, "=" * len(title), "", "Each file that holds public names, and these.", "", *rows])


def write(folder: Path, more: dict[str, str]) -> None:
    """Write the pages that have changed, and remove those whose module is gone."""
    folder.mkdir(exist_ok=True)
    where = homes()
    pages = {
        **more,
        "files.rst": files_page(),
        **{f"{module.__name__}.rst": page(module, where) for module in all_modules()},
    }
    for old in folder.glob("*.rst"):
        if old.name not in pages:
            old.unlink()
    for name, text in pages.items():
        file = folder / name
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8")
