"""Pictures are made in silence, and what others have to say is heard."""

import os
import subprocess
import sys
import threading

import pytest

from autograd_core.explain import layout

PICTURES = """
import sys, warnings
from autograd_core import Tensor, draw, explain

x = Tensor(2.0, name="x")
f = x * x
for format in ("svg", "png", "pdf"):
    draw(f).render(format)
explain(f)._repr_html_()
explain(f).to_gif(sys.argv[1])
"""


@pytest.mark.parametrize("settings", ["nowhere.conf", "newer.conf"])
def test_pictures_say_nothing_of_fonts(judge, tmp_path, settings):
    """In a process of its own, because Fontconfig reads its settings once."""
    for name in ("pygraphviz", "PIL"):
        judge(name)
    (tmp_path / "newer.conf").write_text(
        '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig><from-the-future/></fontconfig>'
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PICTURES, tmp_path / "f.gif"],
        env={**os.environ, "FONTCONFIG_FILE": str(tmp_path / settings)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (tmp_path / "f.gif").exists()


class Engine:
    """Stands for an AGraph whose C libraries write to the process's standard error."""

    def __init__(self, *said):
        self.said = said

    def draw(self, format, prog):
        for line in self.said:
            os.write(2, line)
        return b"a picture"


def test_only_words_about_fonts_are_held_back(capfd):
    said = [
        b"Fontconfig error: Cannot load default config file\n",
        b"Warning: node x, port y unrecognized\n",
        b"(process:7): Pango-WARNING **: couldn't load font\n",
        b"no newline",
    ]
    assert layout.draw(Engine(*said), "svg", "dot") == b"a picture"
    assert capfd.readouterr().err == "Warning: node x, port y unrecognized\nno newline"
    os.write(2, b"Fontconfig is heard again")
    assert capfd.readouterr().err == "Fontconfig is heard again"


def test_an_engine_that_fails_leaves_standard_error_as_it_was(capfd):
    class Broken(Engine):
        def draw(self, format, prog):
            super().draw(format, prog)
            raise ValueError("no layout")

    with pytest.raises(ValueError, match="no layout"):
        layout.draw(Broken(b"what went wrong\n"), "svg", "dot")
    os.write(2, b"and what came then\n")
    assert capfd.readouterr().err == "what went wrong\nand what came then\n"


def test_two_threads_take_turns(capfd):
    engines = [Engine(b"Fontconfig warning: again\n") for _ in range(200)]
    threads = [threading.Thread(target=layout.draw, args=(engine, "svg", "dot")) for engine in engines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert capfd.readouterr().err == ""


def test_without_standard_error_pictures_are_drawn(judge, tmp_path):
    """As under pythonw, or in a service that closes it."""
    judge("pygraphviz")
    draws = (
        "import os; os.close(2)\nfrom autograd_core import Tensor, draw\n"
        "f = Tensor(2.0) * 3.0\nassert draw(f).render('svg').rstrip().endswith(b'</svg>')"
    )
    assert subprocess.run([sys.executable, "-c", draws], check=False).returncode == 0
