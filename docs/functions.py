"""The page of the reference with every function that works on Tensors, each with an example that runs with the build.

The example is the first that the function's entry in the registry gives, filled with numbers of its domain.
"""

from __future__ import annotations

import inspect
import textwrap
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
from reference import errors, shapes
from table_of_ops import FAMILIES, family, numpy_names

import autograd_core
from autograd_core import REGISTRY, Op, Tensor
from autograd_core.domain import example as example_with
from autograd_core.op import COMPOSED, Composed
from autograd_core.testing.calls import Call, examples_of, make_call, shapes_of, size_of
from autograd_core.testing.reproduce import literal

HEAD = """Functions of Tensors
====================

NumPy's functions and a few that NumPy lacks, with what each computes, its local derivative, and an example.
The :doc:`table of ops </ops>` shows the same in one line each, with domains and kinks.
"""


def call_of(name: str, entry: Op | Composed) -> Call:
    """The first example with numbers in it: multiples of a quarter, of both signs where the domain has them."""
    given = examples_of(entry)[0]
    if isinstance(entry, Op) and entry.elementwise and entry.arity == 1:
        given = example_with((3,))
    size = size_of(shapes_of(entry, given))
    return make_call(name, given, [8 * k * (-1) ** k for k in range(1, size + 1)])


def spellings(name: str, entry: Op | Composed) -> Iterator[str]:
    """How one can call it, NumPy's way first."""
    names = [n.strip("`") for n in numpy_names(entry).split(", ") if n]
    yield from sorted(names, key=lambda n: n.rpartition(".")[2] != name)
    if hasattr(autograd_core, name):
        yield name
    yield f'REGISTRY["{name}"]' if name in REGISTRY else f'COMPOSED["{name}"].function'


def example(call: Call, spelling: str, variadic: bool, imported: dict[str, Any]) -> list[str]:
    """The lines of an example and what they print; raises whatever the call raises."""
    names: dict[str, Any] = {"np": np, **vars(autograd_core), "COMPOSED": COMPOSED, **imported}
    lines, arguments, tensors = [], [], []
    for n, value in enumerate(call.args):
        if n in call.argnums and isinstance(value, np.ndarray):
            letter = "xywvu"[len(tensors)]
            value = value.round(3)  # the limits of a domain can be crooked
            names[letter] = Tensor(value)
            tensors.append(letter)
            lines.append(f">>> {letter} = Tensor({value.tolist()})")
            arguments.append(letter)
        else:
            arguments.append(literal(value))
    inputs = f"[{', '.join(arguments)}]" if variadic and spelling.startswith("np.") else ", ".join(arguments)
    code = f"{spelling}({', '.join([inputs, *(f'{k}={literal(v)}' for k, v in call.params.items())])})"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        z = eval(code, names)
    lines.append(f">>> z = {code}")
    if not isinstance(z, Tensor):
        return [*lines, ">>> z", *repr(z).splitlines()]
    lines += [">>> print(z.data)", *str(z.data).splitlines()]
    if z.requires_grad and tensors:
        z.backward(np.ones(z.shape))
        lines.append(">>> z.backward(np.ones(z.shape))" if z.ndim else ">>> z.backward()")
        lines += [f">>> print({tensors[0]}.grad)", *str(names[tensors[0]].grad).splitlines()]
    return lines


def entry_of(name: str, entry: Op | Composed, module: str = "", imported: dict[str, Any] | None = None) -> str:
    """One function, or, with these names imported from ``module``, the one that is called so."""
    function = entry.function
    call, variadic = (
        call_of(name.rpartition(".")[2] if module else name, entry),
        isinstance(entry, Op) and entry.arity is None,
    )
    ways = [name] if module else [*spellings(name, entry)]
    for spelling in ways:
        try:
            lines = example(call, spelling, variadic, imported or {})
            break
        except (TypeError, ValueError, NameError):  # NumPy takes it otherwise: as the registry does
            continue
    if isinstance(entry, Op) and isinstance(function, np.ufunc):
        arguments, said = f"({', '.join(entry.inputs)})", entry.note and f"{entry.note[0].upper()}{entry.note[1:]}."
    else:
        bare = inspect.signature(function)
        free = [p.replace(annotation=p.empty) for p in bare.parameters.values()]
        arguments = str(bare.replace(parameters=free, return_annotation=bare.empty))
        said = (inspect.getdoc(function) or "").partition("\n")[0]
    shown = ways[0]
    formulas = [f":math:`{f}`" for f in entry.formulas if f] if isinstance(entry, Op) else []
    derivative = f"; local derivative {', '.join(formulas)}" if formulas else ""
    # An empty line between the planes of an array would end the block.
    raised = f". {errors(entry)}" if isinstance(entry, Op) else ""
    facts = [f"Value :math:`{entry.latex}`{derivative}", "", f"Shapes: {shapes(entry)}{raised}", ""]
    body = [said, "", *facts, *(line for line in lines if line)]
    option = f":module: {module}" if module else ":no-index:"  # NumPy's are in NumPy's index
    return f".. py:function:: {shown}{arguments}\n   {option}\n\n{textwrap.indent(chr(10).join(body), '   ')}\n"


def page() -> str:
    """The whole page."""
    entries: dict[str, Any] = {**REGISTRY, **COMPOSED}
    parts = [HEAD]
    for module, title in FAMILIES.items():
        parts += [title, "-" * len(title), ""]
        parts += [entry_of(name, entry) for name, entry in entries.items() if family(entry) == module]
    return "\n".join(parts)
