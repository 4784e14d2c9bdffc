"""Check the built site: every link inside it leads somewhere, and nothing is loaded from the network.

python docs/check_links.py docs/_build/html
"""

import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Page(HTMLParser):
    """The links of a page, what it loads, and the places in it that a link can name."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.loads: set[str] = set()
        self.places: set[str] = {"", "top"}
        self.feed(file.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attributes}
        self.places |= {found[key] for key in ("id", "name") if key in found}
        if tag == "a" and "href" in found:
            self.links.add(found["href"])
        elif tag == "link" and "href" in found:
            self.loads.add(found["href"])
        elif "src" in found:
            self.loads.add(found["src"])


def faults(site: Path) -> Iterator[str]:
    """A line for each link that leads nowhere, and for each file from elsewhere."""
    others = {"_static", "lite"}  # pages of their own, and JupyterLite's
    pages = {file.resolve(): Page(file) for file in site.rglob("*.html") if not others & {*file.parts}}
    for file, page in pages.items():
        for link in page.links | page.loads:
            parts = urlsplit(link)
            if parts.scheme == "data" or (parts.scheme and link in page.links):
                continue
            where = f"{file.relative_to(site.resolve())}: {link}"
            if parts.scheme or parts.netloc:
                yield f"{where} is loaded from the network"
                continue
            target = (file.parent / unquote(parts.path)).resolve() if parts.path else file
            if not target.is_file():
                yield f"{where} leads to no file"
            elif target in pages and unquote(parts.fragment) not in pages[target].places:
                yield f"{where} names no place in that page"


if __name__ == "__main__":
    found = sorted(faults(Path(sys.argv[1])))
    print("\n".join(found) or "every link inside the site leads somewhere")
    sys.exit(bool(found))
