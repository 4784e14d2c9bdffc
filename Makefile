# Each target builds what it needs in .venv and nothing outside this folder.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test check mutants bench docs lessons wasm clean

.venv/pyvenv.cfg:
	$(PYTHON) -m venv .venv

demo: .venv/pyvenv.cfg
	$(BIN)/python -m pip install -q -e ".[plots]"
	$(BIN)/autograd demo

test: .venv/pyvenv.cfg
	$(BIN)/python -m pip install -q -e ".[plots,dev]"
	$(BIN)/python -m pytest -n auto

check: .venv/pyvenv.cfg
	$(BIN)/python -m pip install -q -e ".[plots,dev]"
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m autograd_core.testing.mutants --sample 150

mutants: .venv/pyvenv.cfg
	$(BIN)/python -m pip install -q -e ".[dev]"
	$(BIN)/python -m autograd_core.testing.mutants
	$(BIN)/python benchmarks/gradient_checkers.py

bench: .venv/pyvenv.cfg
	$(BIN)/python -m pip install -q -e ".[bench]"
	$(BIN)/python benchmarks/run.py
	$(BIN)/python benchmarks/scalar_ops.py
	$(BIN)/python benchmarks/common_functions.py
	$(BIN)/python benchmarks/time_of_a_check.py
	$(BIN)/python benchmarks/all_reduce.py
	$(BIN)/python benchmarks/false_alarms.py
	$(BIN)/python benchmarks/gradient_checkers.py
	$(BIN)/python benchmarks/at_a_glance.py

# The site in docs/_build/html, which needs no network to read, but for the lessons that run in it. A warning is an error, and so is a dead link inside it.
docs: .venv/pyvenv.cfg
	$(BIN)/python -m pip install -q -e ".[docs]"
	$(BIN)/python docs/table_of_ops.py
	$(BIN)/python docs/lite.py docs/_build/extra/lite
	$(BIN)/sphinx-build -q -W --keep-going docs docs/_build/html
	$(BIN)/python docs/check_links.py docs/_build/html

# Runs the lessons from fresh kernels and stores what they show; the real data sets are downloaded where missing.
lessons: .venv/pyvenv.cfg
	$(BIN)/python -m pip install -q -e ".[notebooks]"
	$(BIN)/python notebooks/run.py

# The tests in a CPython for WebAssembly, beside the same natively, in an environment of their own. Compiling the
# interpreter takes minutes the first time, the tests about ten.
wasm:
	$(PYTHON) -m venv .venv-wasm
	.venv-wasm/bin/python -m pip install -q -e ".[wasm]"
	.venv-wasm/bin/python tests/wasm/run.py

clean:
	rm -rf .venv .venv-wasm build dist autograd_demo .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
