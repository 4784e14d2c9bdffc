"""Formulas of matrices, reductions and shapes, read by a reader that knows no rule, say what the rules compute.

Each kind of formula has a reader below. An op whose formula no reader understands fails.
"""

import math
import re

import numpy as np
import pytest

from autograd_core import REGISTRY
from autograd_core.explain.formula import uses_upstream
from autograd_core.explain.typeset import read, text

T = r"\mathsf T"
SYMMETRIC = np.array([[4.3, 0.5, -0.2], [0.5, 2.4, 0.3], [-0.2, 0.3, 6.7]])


def contribution(o, position, g, z, inputs, **params):
    return np.asarray(o.rules[position](g, z, *inputs, **params))


# -- products of matrices: letters, transposes, inverses, factors side by side -------------------------------


def phi(a):
    """The lower triangle with half of the diagonal (Murray 2016, differentiation of the Cholesky decomposition)."""
    return np.tril(a) - np.diag(np.diag(a)) / 2


FACTOR = re.compile(
    r"(?P<scalar>\w) \\cdot |\\Phi\((?P<phi>[^()]*)\)(?P<raised>)|\\det (?P<det>\w)|"
    r"(?P<letter>\w)(?:\^(?P<one>\w)|\^\{(?P<power>[^{}]*)\})?"
)
POWERS = {None: lambda a: a, "-1": np.linalg.inv, T: np.transpose, "-" + T: lambda a: np.linalg.inv(a).T}


def matrices(formula, values):
    """The value of a product of matrices."""
    sign, product = 1.0, None
    text = formula.replace(r"\,", " ").strip()
    if text.startswith("-"):
        sign, text = -1.0, text[1:]
    logarithm = re.fullmatch(r"\\ln \\left\|(.*)\\right\|", text)
    if logarithm:
        return np.log(abs(matrices(logarithm[1], values)))
    while text:
        m = FACTOR.match(text)
        assert m, f"{text!r} in {formula!r} is no product of matrices that this reader knows"
        text = text[m.end() :].strip()
        if m["scalar"]:
            sign = sign * values[m["scalar"]]
            continue
        if m["det"]:
            return np.linalg.det(values[m["det"]])
        factor = (
            phi(sum(matrices(p, values) for p in m["phi"].split(" + ")))
            if m["phi"]
            else POWERS[m["power"]](values[m["letter"]])
        )
        product = factor if product is None else product @ factor
    return sign * product


MATRICES = {
    "matmul": [((2, 3), (3, 4)), ((4, 4), (4, 1))],
    "inv": [((3, 3),)],
    "solve": [((3, 3), (3, 2))],
    "det": [((3, 3),)],
    "logabsdet": [((3, 3),)],
}


@pytest.mark.parametrize(("name", "shapes"), [(n, s) for n, cases in MATRICES.items() for s in cases])
def test_formulas_of_matrices_multiply_what_the_rules_multiply(name, shapes):
    o, rng = REGISTRY[name], np.random.default_rng(0)
    inputs = [rng.normal(size=s) + (2 * np.eye(*s) if s[0] == s[1] else 0) for s in shapes]
    values = dict(zip("xy", inputs, strict=False))
    z = np.asarray(o(*inputs))
    np.testing.assert_allclose(matrices(o.latex, values), z, rtol=1e-12)
    values |= {"z": z, "g": rng.normal(size=z.shape)}
    for i, formula in enumerate(o.formulas):
        expected = matrices(formula, values)
        if not uses_upstream(formula):  # a local derivative: the upstream gradient multiplies it
            expected = values["g"] * expected
        np.testing.assert_allclose(expected, contribution(o, i, values["g"], z, inputs), rtol=1e-12)


def test_the_formula_of_the_cholesky_factor_is_that_of_its_rule():
    """As Murray has it, and only the triangle that is read has a gradient."""
    o, g = REGISTRY["cholesky"], np.tril(np.random.default_rng(0).normal(size=(3, 3)))
    z = o(SYMMETRIC)
    np.testing.assert_allclose(z @ z.T, SYMMETRIC, rtol=1e-12)
    np.testing.assert_array_equal(z, np.tril(z))
    whole, part = o.formulas[0].split(r" \text{ with } S = ")
    read = matrices(whole, {"S": matrices(part, {"z": z, "g": g})})
    np.testing.assert_allclose(read, contribution(o, 0, g, z, [SYMMETRIC]), rtol=1e-12)


WELL = np.array([[2.0, -0.5, 0.3], [0.4, 1.5, -0.2], [-0.3, 0.6, 2.5]])


def parts_of(letters, function):
    return lambda x: dict(zip(letters, function(x), strict=True))


eigh = parts_of("wV", np.linalg.eigh)
svd = parts_of("UsVy", lambda x: (lambda u, s, vh: (u, s, vh.T, u))(*np.linalg.svd(x, full_matrices=False)))
qr = parts_of("QR", np.linalg.qr)
eig = parts_of("wV", np.linalg.eig)
SQUARE = np.array([[1.0, 0.3, -0.2], [0.4, 2.5, 0.1], [-0.3, 0.2, 4.0]])  # of real eigenvalues
DECOMPOSED = {  # an argument, and what the letters of the formula stand for
    **dict.fromkeys(("eigvals", "eig_vectors"), (SQUARE, eig)),
    **dict.fromkeys(("eigvalsh", "eigenvectors"), (SYMMETRIC, eigh)),
    **dict.fromkeys(("svdvals", "left_vectors", "right_vectors", "partner_vectors"), (WELL[:, :2], svd)),
    **dict.fromkeys(("orthogonal_factor", "triangular_factor"), (WELL[:, :2], qr)),
    "pinv": (WELL[:, :2], lambda x: {}),
    "least_squares": (WELL[:, :2], lambda x: {"y": WELL}),
}


def read_aloud(formula, values):
    """The value of what the text of a formula says, with Python's signs: what stands behind "with" comes first."""
    lines = "\n".join(re.split(" with |, ", text(read(formula))))
    for written, meant in (
        (r"(diag\(s\)|\w)⁻", r"inv(\1)"), ("ᵀ", ".T"), ("¹", ""), ("²", "**2"), ("·", "*"), ("Φ", "phi"),
        ("pinv x", "pinv(x)"), ("z\u0304", "conj(z)"), (r"(\w)_i", r"\1[:, None]"), (r"(\w)_j", r"\1[None]"),
    ):  # fmt: skip
        lines = re.sub(written, meant, lines)
    wanted, *given = lines.splitlines()
    names = {"phi": phi, "inv": np.linalg.inv, "pinv": np.linalg.pinv, "conj": np.conj, **values}
    names["diag"] = lambda a: np.diag(a if a.ndim == 1 else np.diag(a))
    for line in reversed(given):
        name, _, value = line.partition(" = ")
        if name == "F[ii]":
            continue
        with np.errstate(divide="ignore"):
            found = eval(value, names)
        if name == "F[ij]":
            assert given[-1] == "F[ii] = 0"
            np.fill_diagonal(found, 0)
        names[name[0]] = found
    return eval(wanted, names)


@pytest.mark.parametrize("name", DECOMPOSED)
def test_formulas_of_decompositions_are_those_of_their_rules(name):
    o, rng = REGISTRY[name], np.random.default_rng(0)
    x, parts = DECOMPOSED[name]
    values = {"x": x, **parts(x)}
    inputs = [values[letter] for letter in o.inputs]
    z = o(*inputs)
    values |= {"z": z, "g": rng.normal(size=z.shape)}
    for i, formula in enumerate(o.formulas):
        read_so = read_aloud(formula, values)
        np.testing.assert_allclose(read_so, contribution(o, i, values["g"], z, inputs), rtol=1e-10, atol=1e-12)


# -- reductions: what each formula with indices means, written out in Python ----------------------------------

N = 5  # elements of the vector that is reduced
DEGREES = 4  # what a sum of squares is divided by

FORWARD = {
    r"\sum x": lambda x: sum(x),
    r"\frac{1}{n} \sum x": lambda x: sum(x) / len(x),
    r"\max x": lambda x: max(x),
    r"\min x": lambda x: min(x),
    r"\prod x": lambda x: math.prod(x),
    r"\sqrt{\sum x^2}": lambda x: math.hypot(*x),
    r"\sqrt{\tfrac{1}{d} \sum x^2}": lambda x: math.sqrt(sum(v * v for v in x) / DEGREES),
    r"\ln \sum e^{x}": lambda x: math.log(sum(math.exp(v) for v in x)),
    r"\sum_{j \le i} x_j": lambda x: [sum(x[j] for j in range(N) if j <= i) for i in range(N)],
    r"\prod_{j \le i} x_j": lambda x: [math.prod(x[j] for j in range(N) if j <= i) for i in range(N)],
    r"\frac{e^{x_i}}{\sum_j e^{x_j}}": lambda x: [math.exp(x[i]) / sum(map(math.exp, x)) for i in range(N)],
    r"(\sum \left|x\right|^p)^{1/p}": lambda x: sum(abs(v) ** 3 for v in x) ** (1 / 3),
    r"\frac{x_i}{\sum_j x_j}": lambda x: [x[i] / sum(x) for i in range(N)],
    r"x_i - \ln \sum_j e^{x_j}": lambda x: [x[i] - math.log(sum(map(math.exp, x))) for i in range(N)],
}
# The derivative of z (of z_i where there are several) by x_i (by x_j then).
BY_EACH = {
    "1": lambda x, z, i: 1,
    r"\frac{1}{n}": lambda x, z, i: 1 / len(x),
    r"[x_i = z] \,/\, \#\{j : x_j = z\}": lambda x, z, i: (x[i] == z) / sum(x[j] == z for j in range(N)),
    r"\prod_{j \ne i} x_j": lambda x, z, i: math.prod(x[j] for j in range(N) if j != i),
    r"\frac{x}{z}": lambda x, z, i: x[i] / z,
    r"\frac{x}{d \cdot z}": lambda x, z, i: x[i] / (DEGREES * z),
    r"e^{x_i - z}": lambda x, z, i: math.exp(x[i] - z),
    r"\operatorname{sign} x \cdot (\left|x\right| / z)^{p - 1}": lambda x, z, i: np.sign(x[i]) * abs(x[i] / z) ** 2,
}
BY_PAIR = {
    r"[j \le i]": lambda x, z, i, j: j <= i,
    r"[j \le i] \prod_{k \le i, k \ne j} x_k": lambda x, z, i, j: (
        (j <= i) * math.prod(x[k] for k in range(N) if k <= i and k != j)
    ),
    r"z_i \cdot ([i = j] - z_j)": lambda x, z, i, j: z[i] * ((i == j) - z[j]),
    r"\frac{[i = j] - z_i}{\sum_k x_k}": lambda x, z, i, j: ((i == j) - z[i]) / np.sum(x),
    r"[i = j] - e^{z_j}": lambda x, z, i, j: (i == j) - math.exp(z[j]),
}
REDUCTIONS = [
    "sum", "mean", "max", "min", "prod", "length", "root_mean_square", "p_norm", "logsumexp", "cumsum", "cumprod",
    "softmax", "normalized", "log_softmax",
]  # fmt: skip
VECTORS = [np.array([0.5, -1.25, 2.0, 2.0, 0.75]), np.array([-2.0, -2.0, 1.5, 0.25, 1.0])]  # with tied extremes


@pytest.mark.parametrize("x", VECTORS)
@pytest.mark.parametrize("name", REDUCTIONS)
def test_formulas_of_reductions_are_the_derivatives_of_their_rules(name, x):
    o, params = REGISTRY[name], {"axis": 0} | ({"degrees": DEGREES} if name == "root_mean_square" else {})
    z = o(x, **params)
    np.testing.assert_allclose(z, FORWARD[o.latex](x), rtol=1e-14)
    if np.ndim(z) == 0:
        read = [BY_EACH[o.formulas[0]](x, z, i) for i in range(N)]
        np.testing.assert_allclose(read, contribution(o, 0, np.ones_like(z), z, [x], **params), rtol=1e-14)
    else:
        read = [[BY_PAIR[o.formulas[0]](x, z, i, j) for j in range(N)] for i in range(N)]
        rows = [contribution(o, 0, g, z, [x], **params) for g in np.eye(N)]
        np.testing.assert_allclose(read, rows, rtol=1e-14, atol=1e-15)


def test_an_einsum_hands_each_operand_the_product_of_the_others():
    o, xs = REGISTRY["einsum"], [np.array([2.0, -1.0]), np.array([3.0, 0.5]), np.array([-4.0, 7.0])]
    assert o.latex == r"\sum x_{\dots} y_{\dots} \cdots"
    assert o.formulas == [r"\prod_{j \ne i} x_j"]
    z = o(*xs, subscripts="a,a,a->")
    np.testing.assert_allclose(z, sum(xs[0] * xs[1] * xs[2]))
    for i in range(3):
        others = math.prod(x for j, x in enumerate(xs) if j != i)
        np.testing.assert_allclose(contribution(o, i, np.float64(1), z, xs, subscripts="a,a,a->"), others)


# -- what only moves elements: local derivative 1 --------------------------------------------------------------

MOVES = {n for n, o in REGISTRY.items() if set(o.formulas) == {"1"}} - {"add", "positive", "sum"}
CASES = [(n, i) for n in sorted(MOVES) for i in range(len(REGISTRY[n].examples))]


@pytest.mark.parametrize(("name", "case"), CASES)
def test_where_the_local_derivative_is_one_each_element_is_only_moved_or_added(name, case):
    o, example = REGISTRY[name], REGISTRY[name].examples[case]
    inputs = [np.zeros(shape) if isinstance(shape, tuple) else np.zeros_like(shape, float) for shape in example.inputs]
    start = np.asarray(o(*inputs, **example.params), float)
    for position, x in enumerate(inputs):
        for k in range(min(x.size, 12)):
            moved = x.copy()
            moved.flat[k] = 1
            changed = [moved if i == position else other for i, other in enumerate(inputs)]
            by_k = np.asarray(o(*changed, **example.params), float) - start
            assert np.all((by_k >= 0) & (by_k == np.rint(by_k)))
            for g in (np.random.default_rng(k).normal(size=start.shape), np.ones_like(start)):
                handed = contribution(o, position, g[()], start[()], inputs, **example.params)
                np.testing.assert_allclose(handed.reshape(-1)[k], np.sum(g * by_k), rtol=1e-12, atol=1e-12)


def test_where_hands_the_gradient_to_the_chosen_side():
    o = REGISTRY["where"]
    c, x, y = np.array([True, False]), np.array([1.0, 2.0]), np.array([3.0, 4.0])
    assert (o.latex, o.formulas) == (r"\operatorname{where}(x, y, w)", ["", "[x]", r"[\neg x]"])
    g = np.array([5.0, 7.0])
    np.testing.assert_array_equal(contribution(o, 1, g, o(c, x, y), [c, x, y]), g * c)
    np.testing.assert_array_equal(contribution(o, 2, g, o(c, x, y), [c, x, y]), g * ~c)


def test_clamp_hands_the_gradient_to_whichever_of_the_three_it_gives():
    o = REGISTRY["clamp"]
    assert (o.latex, o.formulas) == (
        r"\min(\max(x, y), w)",
        ["[y < x < w]", "[x < y < w]", r"[w < \max(x, y)]"],
    )
    x, y, w = np.array([0.5, -3.0, 4.0, 1.0]), np.array([0.0, -1.0, 2.0, 5.0]), np.array([1.0, 2.0, 3.0, 2.0])
    g, z = np.array([2.0, 3.0, 5.0, 7.0]), np.minimum(np.maximum(x, y), w)
    np.testing.assert_array_equal(o(x, y, w), z)
    read = ((y < x) & (x < w), (x < y) & (y < w), w < np.maximum(x, y))
    for i, holds in enumerate(read):
        np.testing.assert_array_equal(contribution(o, i, g, z, [x, y, w]), g * holds)


def test_nan_to_num_hands_the_gradient_to_what_is_finite():
    o = REGISTRY["nan_to_num"]
    assert (o.latex, o.formulas) == (r"x \text{ if finite}", [r"[x \text{ is finite}]"])
    x, g = np.array([1.0, np.nan, np.inf, -2.0]), np.array([2.0, 3.0, 5.0, 7.0])
    np.testing.assert_array_equal(o(x)[[0, 3]], x[[0, 3]])
    np.testing.assert_array_equal(contribution(o, 0, g, o(x), [x]), [2, 0, 0, 7])


# -- convolutions: a star, and its two adjoints ------------------------------------------------------------------


def star(x, k):
    """The kernel laid at each place of a sequence; x is (batch, n, in), k is (window, in, out)."""
    places = x.shape[1] - len(k) + 1
    return np.stack([np.einsum("bwi,wio->bo", x[:, p : p + len(k)], k) for p in range(places)], axis=1)


def adjoint(linear, shape, g):
    """What hands ``g`` back through a linear function of an array of that shape, from its values alone."""
    basis = np.eye(math.prod(shape)).reshape(-1, *shape)
    return np.array([np.sum(g * linear(e)) for e in basis]).reshape(shape)


X, KERNEL, Y = (3, 6, 2), (3, 2, 4), (3, 4, 4)  # of x, of a kernel, and of their product
STARS = {
    r"\star": star,
    r"\star^{T}": lambda g, k: adjoint(lambda x: star(x, k), X, g),
    r"\star_k": lambda x, g: adjoint(lambda k: star(x, k), KERNEL, g),
}


@pytest.mark.parametrize(
    ("name", "shapes", "params"),
    [("conv", (X, KERNEL), {}), ("conv_transpose", (Y, KERNEL), {}), ("conv_kernel", (X, Y), {"window": (3,)})],
)
def test_formulas_of_convolutions_are_a_star_and_its_adjoints(name, shapes, params):
    o, rng = REGISTRY[name], np.random.default_rng(0)
    inputs = [rng.normal(size=s) for s in shapes]
    z = o(*inputs, **params)
    values = {"x": inputs[0], "y": inputs[1], "g": rng.normal(size=z.shape), "z": z}

    def read(formula):
        left, sign, right = re.fullmatch(r"(\w) (\\star\S*) (\w)", formula.replace(T, "T")).groups()
        return STARS[sign](values[left], values[right])

    np.testing.assert_allclose(read(o.latex), z, rtol=1e-12)
    for i, formula in enumerate(o.formulas):
        np.testing.assert_allclose(read(formula), contribution(o, i, values["g"], z, inputs, **params), atol=1e-12)


def test_a_convolution_of_series_is_a_product_of_polynomials_and_a_star_its_derivative():
    o, rng = REGISTRY["convolve"], np.random.default_rng(0)
    assert (o.latex, o.formulas) == ("x * y", [r"g \star y", r"g \star x"])
    x, y = rng.normal(size=4), rng.normal(size=3)
    z, g = o(x, y), rng.normal(size=6)
    np.testing.assert_allclose(np.polynomial.polynomial.polymul(x, y), z, rtol=1e-12)

    def starred(g, y):
        return [sum(g[i + j] * y[j] for j in range(len(y))) for i in range(len(g) - len(y) + 1)]

    np.testing.assert_allclose(starred(g, y), contribution(o, 0, g, z, [x, y]), rtol=1e-12)
    np.testing.assert_allclose(starred(g, x), contribution(o, 1, g, z, [x, y]), rtol=1e-12)


# -- transforms: sums of turning numbers, and their transposes; w counts the mirror images --------------------------

FFT = np.exp(-2j * np.pi * np.outer(range(N), range(N)) / N)
HALF = N // 2 + 1
IRFFT = FFT.conj()[:, :HALF] / N * ([1] + [2] * (HALF - 1))  # of which only the real part is taken
TRANSFORMS = {
    "fft": (FFT, r"\operatorname{fft} g", lambda g: FFT @ g),
    "ifft": (FFT.conj() / N, r"\operatorname{ifft} g", lambda g: FFT.conj() @ g / N),
    "rfft": (FFT[:HALF], r"\operatorname{Re} \operatorname{fft} g", lambda g: np.real(FFT[:, :HALF] @ g)),
    "irfft": (
        IRFFT,
        r"w \cdot \overline{\operatorname{rfft} g}",
        lambda g: np.array([1] + [2] * (HALF - 1)) / N * (FFT[:HALF] @ g).conj(),
    ),
}


@pytest.mark.parametrize("name", TRANSFORMS)
def test_formulas_of_transforms_are_the_transposes_of_their_sums(name):
    o, rng = REGISTRY[name], np.random.default_rng(0)
    matrix, formula, read = TRANSFORMS[name]
    params = {"n": N} if name == "irfft" else {}

    def numbers(shape, real):
        return rng.normal(size=shape) + (0 if real else 1j * rng.normal(size=shape))

    x, g = numbers(matrix.shape[1], name == "rfft"), numbers(matrix.shape[0], name == "irfft")
    x[0] = x[0].real  # of irfft, which takes no other
    z = matrix @ x if name != "irfft" else np.real(matrix @ x)
    np.testing.assert_allclose(o(x, **params), z, rtol=1e-12)
    assert o.formulas == [formula]
    handed = contribution(o, 0, g, z, [x], **params)
    np.testing.assert_allclose(read(g), handed, rtol=1e-12)
    np.testing.assert_allclose(np.real(matrix.T @ g) if name == "rfft" else matrix.T @ g, handed, rtol=1e-12)


# -- what is chosen, by its size or by its rank ----------------------------------------------------------------------

CHOSEN = {
    "nanmax": ({}, lambda x: max(v for v in x if v == v)),
    "nanmin": ({}, lambda x: min(v for v in x if v == v)),
    "order_statistic": ({"ranks": np.array([2])}, lambda x: sorted(x)[2]),
}


@pytest.mark.parametrize("name", CHOSEN)
def test_what_is_chosen_shares_as_the_formula_says(name):
    o, (params, choose) = REGISTRY[name], CHOSEN[name]
    for values in ([3.0, -1.0, 3.0, -1.0, 0.5], [2.0, 2.0, 2.0, 2.0, 2.0], [4.0, np.nan, 2.0, 4.0, 2.0]):
        x = np.array(values) if name != "order_statistic" else np.nan_to_num(values)
        z = np.ravel(o(x, **params))[0]
        assert z == choose(x.tolist())
        read = [BY_EACH[o.formulas[0]](x, z, i) for i in range(N)]
        g = np.ones(np.shape(o(x, **params)))
        np.testing.assert_allclose(read, contribution(o, 0, g[()], o(x, **params), [x], **params), rtol=1e-14)


# -- and nothing is left out ---------------------------------------------------------------------------------------


def test_every_op_has_a_reader_for_its_formulas():
    elementwise = {n for n, o in REGISTRY.items() if o.broadcasts and o.arity in (1, 2) and n not in MATRICES}  # SymPy
    convolutions = {"conv", "conv_transpose", "conv_kernel"}
    others = {"cholesky", "einsum", "where", "clamp", "convolve", *DECOMPOSED, *CHOSEN, *TRANSFORMS}
    read = elementwise | set(MATRICES) | set(REDUCTIONS) | MOVES | convolutions | others
    registered = {n for n, o in REGISTRY.items() if not n.startswith("test_")}
    assert registered - read == set()
    assert all(o.latex and all(o.formulas[-1:]) for n, o in REGISTRY.items())
