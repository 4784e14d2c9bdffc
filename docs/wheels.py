"""Write down which packages Pyodide has, and what the wheels need that the site adds: ``python docs/wheels.py``.

``pyodide.json`` keeps it, so that a test can compare without a network. A version may be named; by default it is
the one that the lessons' kernel loads.
"""

import email
import json
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
LIST, WHEELS = HERE / "pyodide.json", HERE / "wheels.txt"


def downloaded(folder: Path) -> list[Path]:
    """The wheels that the site adds, each with the hash that is written beside its name."""
    command = (sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary", ":all:", "--require-hashes")
    subprocess.run((*command, "-d", folder, "-r", WHEELS), check=True, capture_output=True, text=True)
    return sorted(folder.glob("*.whl"))


def needs(wheel: Path) -> tuple[str, dict[str, Any]]:
    """The name of a wheel, its version, and what it needs besides extras."""
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        told = email.message_from_bytes(archive.read(name))
    needed = [line for line in told.get_all("Requires-Dist", ()) if "extra ==" not in line]
    return told["Name"], {"version": told["Version"], "needs": needed}


def packages(version: str, folder: Path) -> dict[str, Any]:
    """Python's version in that Pyodide, and the versions of the packages that it has."""
    subprocess.run(("npm", "pack", "--silent", f"pyodide@{version}"), cwd=folder, check=True, stdout=subprocess.DEVNULL)
    with tarfile.open(next(folder.glob("pyodide-*.tgz"))) as archive:
        lock = json.load(archive.extractfile("package/pyodide-lock.json"))  # type: ignore[arg-type]
    names = {re.sub(r"[-_.]+", "-", name.lower()): told["version"] for name, told in lock["packages"].items()}
    return {"python": lock["info"]["python"], "packages": dict(sorted(names.items()))}


if __name__ == "__main__":
    if len(sys.argv) > 1:
        version = sys.argv[1]
    else:
        from jupyterlite_pyodide_kernel.constants import PYODIDE_VERSION as version
    with tempfile.TemporaryDirectory() as folder:
        found = {"pyodide": version, **packages(version, Path(folder))}
        found["wheels"] = dict(map(needs, downloaded(Path(folder))))
    LIST.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(f"{len(found['packages'])} packages of Pyodide {version}")
