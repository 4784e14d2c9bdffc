"""How the site is built: `make docs`."""

import sys
from importlib.metadata import distribution
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent
sys.path.insert(0, str(HERE))

import functions  # noqa: E402
import keras_ops  # noqa: E402
import lesson_index  # noqa: E402
import own_code  # noqa: E402
import pictures  # noqa: E402
import reference  # noqa: E402
import scipy_functions  # noqa: E402

import autograd_core  # noqa: E402

project = "autograd-core"
author = "The autograd-core authors"
copyright = author
version = release = autograd_core.__version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.mathjax",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "sphinx_design",
]
exclude_patterns = ["_build"]

# -- what is written ---------------------------------------------------------------------------------------

myst_enable_extensions = ["attrs_inline", "colon_fence", "deflist", "dollarmath", "substitution"]
myst_heading_anchors = 3
nb_execution_mode = "off"  # the outputs that are stored are shown; the tests run the notebooks
nb_merge_streams = True
default_role = "obj"
autodoc_member_order = "bysource"
autodoc_inherit_docstrings = False  # what NumPy says of a Generator is in NumPy's reference
# A type in a docstring is NumPy's word, and no attribute of ours that is called like it.
napoleon_preprocess_types = True
napoleon_type_aliases = {"dtype": "numpy.dtype"}
autodoc_typehints = "none"  # the docstrings say shapes, which types do not
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True
add_module_names = False
toc_object_entries_show_parents = "hide"
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True


def lines(path: str) -> int:
    """How long a file of the engine is, or a folder of them."""
    place = ROOT / "autograd_core" / path
    files = place.rglob("*.py") if place.is_dir() else [place]
    return sum(len(file.read_text(encoding="utf-8").splitlines()) for file in files)


_parts = [part for part in (ROOT / "autograd_core").iterdir() if part.suffix == ".py" or part.is_dir()]
myst_substitutions = {f"lines_{part.stem}": f"{lines(part.name):,}" for part in _parts}

nitpicky = True
nitpick_ignore_regex = [
    ("py:class", r".*"),  # types in signatures: of NumPy, whose pages need a network, and helpers of ours
    ("py:exc", "InvalidArgument"),  # of hypothesis
    ("py:obj", r".*"),  # single backquotes are code, which becomes a link where it names something
]

# -- how it looks ------------------------------------------------------------------------------------------

html_theme = "furo"
html_title = "autograd-core"
pygments_style = "github-light-high-contrast"
pygments_dark_style = "github-dark-high-contrast"
html_copy_source = False
html_show_sphinx = False
html_css_files = ["site.css"]
html_js_files = ["site.js"]
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#0b57a4", "color-brand-content": "#0b57a4"},
    "dark_css_variables": {"color-brand-primary": "#8ec5ff", "color-brand-content": "#8ec5ff"},
}
# One file that needs no other: the pages work from a folder, without a network. The package carries MathJax 3.
mathjax_path = "tex-svg.js"
_mathjax = next(file for file in distribution("sphinx-mathjax-offline").files or () if file.match("mathjax/tex-svg.js"))
_pages = ("step.html", "playground.html", "training.html", "model.html", "own_code.html", own_code.LIBRARY)
_generated = (HERE / "_build" / "generated" / name for name in _pages)
html_extra_path = [str(lesson_index.LITE.parent)] if lesson_index.LITE.is_dir() else []  # by lite.py
html_static_path = ["_static", str(_mathjax.locate()), *map(str, _generated)]


# -- what is generated before the pages are read -----------------------------------------------------------


pictures.save_all(HERE / "_build" / "generated")
own_code.save(HERE / "_build" / "generated")
more = {"functions.rst": functions.page(), "nn.ops.rst": keras_ops.page(), **scipy_functions.pages()}
reference.write(HERE / "reference", more)
lesson_index.copy()
myst_substitutions |= {name: getattr(lesson_index, name)() for name in ("cards", "hours", "answers")}
myst_substitutions["run_the_lessons"] = lesson_index.run_link()
