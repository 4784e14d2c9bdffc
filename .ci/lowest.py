"""Print the oldest version that pyproject.toml allows of each library that it names, as constraints for pip.

pip install -c <(python .ci/lowest.py) -e ".[all,dev]"
"""

import re
import tomllib
from pathlib import Path

project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
used = {"plots", "testing", "tensorboard", "sparse", "fast", "onnx", "distributed", "notebooks"}
wanted = project["dependencies"] + [r for extra in used for r in project["optional-dependencies"][extra]]
lowest = dict(found.groups() for r in wanted if (found := re.match(r"([\w.-]+)>=([\d.]+)", r)))
for name in sorted(lowest):
    print(f"{name}=={lowest[name]}")
