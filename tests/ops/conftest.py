"""Every example of every entry of the table, with numbers drawn for it."""

import numpy as np
import pytest

from autograd_core import Domain, Op
from autograd_core.domain import Example
from autograd_core.op import COMPOSED, REGISTRY


def draw(shape, domain, random):
    """Numbers inside a domain, away from its kinks."""
    domain = domain or Domain()
    low = max(domain.low, -2.0)
    high = min(domain.high, low + 4.0)
    margin = (high - low) / 20
    while True:
        x = random.uniform(low + margin, high - margin, shape)
        distances = [np.abs(x - kink) for kink in domain.kinks]
        if domain.period:
            distances = [np.minimum(d % domain.period, -d % domain.period) for d in distances]
        if all(np.min(d, initial=np.inf) > 0.01 for d in distances):
            return x


class Case:
    """One call of one function: ``case.call(*case.values)``."""

    def __init__(self, name, entry, function, domain, example):
        self.name, self.function, self.params, self.numpy = name, function, example.params, entry.numpy
        random = np.random.default_rng(0)
        domains = domain if isinstance(domain, list | tuple) else [domain] * len(example.inputs)
        if len(domains) < len(example.inputs):
            domains = [None] * len(example.inputs)
        self.values = []

        def build(given, domain):
            if isinstance(given, list):
                return [build(g, domain) for g in given]
            if isinstance(given, tuple):
                given = draw(given, domain, random)
            if not (isinstance(given, np.ndarray) and given.dtype.kind == "f"):
                return given
            self.values.append(given)
            return Slot(len(self.values) - 1)

        self.inputs = [build(given, d) for given, d in zip(example.inputs, domains, strict=True)]

    def arguments(self, values):
        """The positional arguments with ``values`` in the places of the numbers that were drawn."""

        def fill(given):
            if isinstance(given, list):
                return [fill(g) for g in given]
            return values[given.position] if isinstance(given, Slot) else given

        return [fill(given) for given in self.inputs]

    def call(self, *values):
        """All results in a list."""
        return flat(self.function(*self.arguments(values), **self.params))

    def __repr__(self):
        params = ", ".join(f"{k}={v!r}" for k, v in self.params.items())
        return f"{self.name}({', '.join(str(v.shape) for v in self.values)}; {params})".replace("\n", "")


class Slot:
    def __init__(self, position):
        self.position = position


def flat(result):
    return [r for part in result for r in flat(part)] if isinstance(result, list | tuple) else [result]


def entries():
    """(name, entry, function, domain, examples) of what is registered by the package itself."""
    for name, entry in [*REGISTRY.items(), *COMPOSED.items()]:
        function = entry if isinstance(entry, Op) else entry.function
        if not function.__module__.startswith(("autograd_core.", "numpy")):
            continue
        examples = entry.examples
        if examples is None and isinstance(getattr(entry, "function", None), np.ufunc):
            shapes = [[(2, 3), (3,)], [(), ()], [(0, 2), (2,)]]
            examples = [Example(tuple(s[: entry.arity])) for s in shapes]
        yield name, entry, function, entry.domain, examples or ()


@pytest.fixture
def cases():
    """Each example of each entry that has numbers in it."""
    return _cases()


def _cases():
    cases = [Case(*entry, e) for *entry, examples in entries() for e in examples]
    return [case for case in cases if case.values]


def numpys(case):
    """The functions of NumPy that can be called like this example; its operators take no keywords of interest."""
    for function in case.numpy:
        try:
            function(*case.arguments(case.values), **case.params)
        except (TypeError, ValueError):  # it takes its arguments in another form
            continue
        if not isinstance(function, np.ufunc):
            yield function


def pytest_generate_tests(metafunc):
    """A test that takes a ``case`` runs for each example of each entry; one with a ``function`` for each of NumPy's."""
    if "case" in metafunc.fixturenames:
        cases = _cases()
        if "function" in metafunc.fixturenames:
            pairs = [(case, function) for case in cases for function in numpys(case)]
            ids = [f"{case!r}-{function.__name__}" for case, function in pairs]
            metafunc.parametrize(("case", "function"), pairs, ids=ids)
        else:
            metafunc.parametrize("case", cases, ids=repr)
