"""The conformance cases that ONNX ships, read with `nn.from_onnx`: ``python benchmarks/onnx_conformance.py``.

A case has a model of one operator, or of a few, inputs, and the outputs that are right, with a tolerance. It is passed,
failed, or not applicable: refused because of an operator or a kind of value that is not known here. The counts stand in
docs/howto/read_an_onnx_file.md, where ``--write`` puts them.
"""

from __future__ import annotations

import glob
import os
import re
import sys
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nn import from_onnx
from nn.importing import OnnxFileError
from nn.importing.rules import RULES

PAGE = Path(__file__).parent.parent / "docs/howto/read_an_onnx_file.md"
KINDS = ("node", "simple", "pytorch-converted", "pytorch-operator")


@dataclass
class Outcome:
    """What became of a case: "passed", "not applicable" or "failed", and why."""

    name: str
    verdict: str
    why: str = ""


def cases(kind: str) -> list[Any]:
    """The cases of a kind; those of single operators are computed anew, which takes seconds."""
    from onnx.backend.test.loader import load_model_tests

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return list(load_model_tests(kind=kind))


def contents(case: Any) -> tuple[Any, Iterator[tuple[list[Any], list[Any]]]]:
    """The model of a case, and pairs of inputs and right outputs."""
    import onnx
    from onnx import numpy_helper

    def array(value: Any) -> Any:
        return numpy_helper.to_array(value) if isinstance(value, onnx.TensorProto) else value

    if case.model is not None:
        return case.model, (([*map(array, x)], [*map(array, y)]) for x, y in case.data_sets)

    def arrays(folder: str, what: str) -> list[Any]:
        found = []
        for i in range(len(glob.glob(f"{folder}/{what}_*.pb"))):
            tensor = onnx.TensorProto()
            tensor.ParseFromString(Path(folder, f"{what}_{i}.pb").read_bytes())
            found.append(numpy_helper.to_array(tensor))
        return found

    folders = sorted(glob.glob(f"{case.model_dir}/test_data_set*"))
    model = onnx.load(os.path.join(case.model_dir, "model.onnx"), load_external_data=False)
    return model, ((arrays(f, "input"), arrays(f, "output")) for f in folders)


def outcome(case: Any) -> Outcome:
    """Read the model of a case, run it, and compare, as ONNX' own runner does."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            proto, pairs = contents(case)
            model = from_onnx(proto)
        except OnnxFileError as error:
            return Outcome(case.name, "not applicable", str(error))
        except Exception as error:
            return Outcome(case.name, "failed", f"{type(error).__name__}: {error}")
        try:
            for inputs, right in pairs:
                compare(model(inputs if len(inputs) > 1 else inputs[0]), right, case.rtol, case.atol)
        except Exception as error:
            return Outcome(case.name, "failed", f"{type(error).__name__}: {error}")
    return Outcome(case.name, "passed")


def compare(found: Any, right: list[Any], rtol: float, atol: float) -> None:
    """Raise where outputs have other shapes, dtypes or numbers than is right."""
    found = list(found.values()) if isinstance(found, dict) else [found]
    assert len(found) == len(right), f"{len(found)} outputs, not {len(right)}"
    for ours, theirs in zip(found, right, strict=True):
        assert ours.shape == theirs.shape, f"shape {ours.shape}, not {theirs.shape}"
        assert ours.dtype == theirs.dtype, f"{ours.dtype}, not {theirs.dtype}"
        np.testing.assert_allclose(ours.numpy(), theirs, rtol=rtol, atol=atol)


def lacking(outcomes: list[Outcome]) -> Counter[str]:
    """How many of the cases that are not applicable lack which operator."""
    found: Counter[str] = Counter()
    for one in outcomes:
        if one.verdict == "not applicable":
            said = re.search(r"not known here: (.*)", one.why)
            names = [n.partition(" (")[0] for n in said[1].split(", ")] if said else ["another kind of value or file"]
            found.update(set(names))
    return found


def table(found: dict[str, list[Outcome]]) -> str:
    """The counts of each kind of case, and what is lacking most often, as the page has them."""
    lines = ["| the cases of ONNX | passed | not applicable | failed |", "|---|--:|--:|--:|"]
    for kind, outcomes in found.items():
        counts = Counter(one.verdict for one in outcomes)
        lines.append(f"| {kind} | {counts['passed']} | {counts['not applicable']} | {counts['failed']} |")
    missing = lacking([one for outcomes in found.values() for one in outcomes]).most_common(12)
    said = ", ".join(f"{name} ({count})" for name, count in missing)
    return "\n".join([*lines, "", f"Not applicable most often: {said}."])


def operators() -> str:
    """The operators by the file of their functions, as the page has them."""
    rooms: dict[str, list[str]] = {}
    for kind, entry in sorted(RULES.items()):
        rooms.setdefault(entry.room, []).append(f"`{kind}`")
    said = {
        "elementwise": "element by element", "axes": "along axes", "shapes": "moving and choosing",
        "windows": "convolution and pooling",
    }  # fmt: skip
    rows = [f"| {said[room]} | {', '.join(rooms[room])} |" for room in said]
    more = (
        "What ONNX defines by these, such as its newer attention and its losses, is put in their terms, by an onnx "
        "from 1.19 on."
    )
    return "\n".join(["| | |", "|---|---|", *rows, "", more])


def written(page: str, name: str, text: str) -> str:
    """A page with ``text`` between its marks."""
    begin, end = f"<!-- {name}: written by benchmarks/onnx_conformance.py -->\n", f"<!-- end of {name} -->"
    before, rest = page.split(begin)
    return f"{before}{begin}\n{text}\n\n{end}{rest.split(end)[1]}"


def main() -> None:
    """Print the counts and what failed, and write the page where that is asked for."""
    found = {kind: [outcome(case) for case in cases(kind)] for kind in KINDS}
    print(table(found))
    for one in (one for outcomes in found.values() for one in outcomes if one.verdict == "failed"):
        print("failed:", one.name, one.why[:300].replace("\n", " "))
    if "--write" in sys.argv:
        page = PAGE.read_text(encoding="utf-8")
        page = written(written(page, "operators", operators()), "conformance", table(found))
        PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
