"""What MNIST and Fashion-MNIST have in common: four files, under the same names and in the same format."""

from pathlib import Path

from ._fetch import File
from ._read import idx
from ._split import Array, Split

NAMES = [f"{part}-{what}-ubyte.gz" for part in ("train", "t10k") for what in ("images-idx3", "labels-idx1")]
SHAPES = "60000 + 10000\n(28, 28) uint8"


def files(folder: str, keras: str, mirrors: list[str], published: list[tuple[str, int]]) -> tuple[File, ...]:
    """The four files, from the checksum and the size of each."""
    return tuple(
        File(name, folder, checksum, size, tuple(mirror + name for mirror in mirrors), keras)
        for name, (checksum, size) in zip(NAMES, published, strict=True)
    )


def load(paths: list[Path]) -> Split:
    """The arrays in the four files at `paths`."""
    return _load(*paths[:2]), _load(*paths[2:])


def _load(images: Path, labels: Path) -> tuple[Array, Array]:
    x = idx(images, (None, 28, 28))
    return x, idx(labels, (len(x),))
