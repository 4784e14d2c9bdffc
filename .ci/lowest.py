"""Print the oldest version that pyproject.toml allows of each library that a user may need, as constraints for pip."""

import re
import tomllib
from pathlib import Path

BESIDE = {"bench", "dev", "docs", "gpu", "judges", "wasm"}  # extras of those who work on the project, and one for a GPU

project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
extras = project["optional-dependencies"]
wanted = [*project["dependencies"], *(r for extra in extras.keys() - BESIDE for r in extras[extra])]
lowest = dict(found.groups() for r in wanted if (found := re.match(r"([\w-]+)>=([\d.]+)", r)))
print(*(f"{name}=={lowest[name]}" for name in sorted(lowest)), sep="\n")
