"""The table of all sets."""

from importlib import import_module

from ._fetch import About, find
from ._optional import needed

SETS = (
    "mnist",
    "fashion_mnist",
    "cifar10",
    "imdb",
    "reuters",
    "boston_housing",
    "california_housing",
    "digits",
    "camera",
    "moons",
    "circles",
    "spirals",
    "xor",
)


def catalog() -> None:
    """Print a table of the sets: name, shapes, size to download, whether it is here, licence, citation.

    The shape is that of one example. A set is here if `load_data` would find its files on this machine; those
    outside `AUTOGRAD_DATA_DIR` are compared with their published checksums for that. The docstring of each
    `load_data` has the citation in full.

    Examples
    --------
    >>> import datasets
    >>> datasets.catalog()  # doctest: +SKIP
    """
    needed("rich", "The table of the data sets")
    from rich import box
    from rich.console import Console
    from rich.table import Table

    # 80 columns hold all of it on two lines a set.
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=0)
    for heading in ("set", "train + test", "download", "here", "licence", "citation"):
        table.add_column(heading, justify="right" if heading == "download" else "left")
    for name in SETS:
        about: About = import_module(f".{name}", __package__).ABOUT
        megabytes = sum(file.size for file in about.files) / 1e6
        table.add_row(
            name,
            about.shapes,
            f"{megabytes:.1f} MB" if about.files else "",
            _here(about),
            about.licence,
            about.citation,
        )
    Console().print(table)


def _here(about: About) -> str:
    if not about.files:
        return about.kept
    return "yes" if find(about.instead) or all(find((file,)) for file in about.files) else "no"
