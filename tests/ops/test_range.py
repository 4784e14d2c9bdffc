"""First and second derivatives over the whole range of the floating numbers, to the last digits; mpmath decides."""

import numpy as np
import pytest

import autograd_core as ac
import nn
from autograd_core import elementwise_grad, grad, hessian, jacobian

pytestmark = [
    pytest.mark.filterwarnings("ignore:overflow encountered"),
    pytest.mark.filterwarnings("ignore:divide by zero"),
    pytest.mark.filterwarnings("ignore:invalid value encountered in reduce"),  # of slopes of inf and -inf
]

POINTS = 60


def functions(mp):
    """Each function with its first and second derivative as mathematics has them, and where it is defined."""
    everywhere, positive, inside, above, below = (-np.inf, np.inf), (0, np.inf), (-1, 1), (1, np.inf), (-1, np.inf)
    ln2, ln10, pi, one = mp.log(2), mp.log(10), mp.pi, mp.mpf(1)

    def s(x):
        return 1 / (1 + mp.exp(-x))

    def bell(x):
        return 2 / mp.sqrt(pi) * mp.exp(-x * x)

    def normal(x):
        return mp.exp(-x * x / 2) / mp.sqrt(2 * pi)

    return {
        "reciprocal": (np.reciprocal, lambda x: -1 / x**2, lambda x: 2 / x**3, everywhere),
        "square": (np.square, lambda x: 2 * x, lambda x: 2 * one, everywhere),
        "sqrt": (np.sqrt, lambda x: 1 / (2 * mp.sqrt(x)), lambda x: -1 / (4 * x * mp.sqrt(x)), positive),
        "cbrt": (np.cbrt, lambda x: mp.cbrt(x) / (3 * x), lambda x: -2 * mp.cbrt(x) / (9 * x**2), positive),
        "exp": (np.exp, mp.exp, mp.exp, everywhere),
        "exp2": (np.exp2, lambda x: ln2 * 2**x, lambda x: ln2**2 * 2**x, everywhere),
        "expm1": (np.expm1, mp.exp, mp.exp, everywhere),
        "log": (np.log, lambda x: 1 / x, lambda x: -1 / x**2, positive),
        "log2": (np.log2, lambda x: 1 / (x * ln2), lambda x: -1 / (x**2 * ln2), positive),
        "log10": (np.log10, lambda x: 1 / (x * ln10), lambda x: -1 / (x**2 * ln10), positive),
        "log1p": (np.log1p, lambda x: 1 / (1 + x), lambda x: -1 / (1 + x) ** 2, below),
        "sin": (np.sin, mp.cos, lambda x: -mp.sin(x), everywhere),
        "cos": (np.cos, lambda x: -mp.sin(x), lambda x: -mp.cos(x), everywhere),
        "tan": (np.tan, lambda x: mp.sec(x) ** 2, lambda x: 2 * mp.sec(x) ** 2 * mp.tan(x), everywhere),
        "arcsin": (np.arcsin, lambda x: (1 - x * x) ** -0.5, lambda x: x * (1 - x * x) ** -1.5, inside),
        "arccos": (np.arccos, lambda x: -((1 - x * x) ** -0.5), lambda x: -x * (1 - x * x) ** -1.5, inside),
        "arctan": (np.arctan, lambda x: 1 / (1 + x * x), lambda x: -2 * x / (1 + x * x) ** 2, everywhere),
        "sinh": (np.sinh, mp.cosh, mp.sinh, everywhere),
        "cosh": (np.cosh, mp.sinh, mp.cosh, everywhere),
        "tanh": (np.tanh, lambda x: mp.sech(x) ** 2, lambda x: -2 * mp.sech(x) ** 2 * mp.tanh(x), everywhere),
        "arcsinh": (np.arcsinh, lambda x: (1 + x * x) ** -0.5, lambda x: -x * (1 + x * x) ** -1.5, everywhere),
        "arccosh": (np.arccosh, lambda x: (x * x - 1) ** -0.5, lambda x: -x * (x * x - 1) ** -1.5, above),
        "arctanh": (np.arctanh, lambda x: 1 / (1 - x * x), lambda x: 2 * x / (1 - x * x) ** 2, inside),
        "sigmoid": (ac.sigmoid, lambda x: s(x) * s(-x), lambda x: -s(x) * s(-x) * mp.tanh(x / 2), everywhere),
        "softplus": (ac.softplus, s, lambda x: s(x) * s(-x), everywhere),
        "log of sigmoid": (lambda x: -ac.softplus(-x), lambda x: s(-x), lambda x: -s(x) * s(-x), everywhere),
        "erf": (ac.erf, bell, lambda x: -2 * x * bell(x), everywhere),
        "erfc": (ac.erfc, lambda x: -bell(x), lambda x: 2 * x * bell(x), everywhere),
        "gelu": (
            nn.activations.gelu,
            lambda x: mp.erfc(-min(max(x, -999), 999) / mp.sqrt(2)) / 2 + x * normal(x),
            lambda x: (2 - x * x) * normal(x),
            everywhere,
        ),
        "silu": (
            nn.activations.silu,
            lambda x: s(x) * (1 + x * s(-x)),
            lambda x: s(x) * s(-x) * (2 - x * mp.tanh(x / 2)),
            everywhere,
        ),
        "logaddexp(x, 0)": (lambda x: np.logaddexp(x, 0), s, lambda x: s(x) * s(-x), everywhere),
        "logaddexp(0, x)": (lambda x: np.logaddexp(0, x), s, lambda x: s(x) * s(-x), everywhere),
        "logaddexp2(x, 0)": (
            lambda x: np.logaddexp2(x, 0),
            lambda x: s(x * ln2),
            lambda x: ln2 * s(x * ln2) * s(-x * ln2),
            everywhere,
        ),
        "hypot(x, 1)": (
            lambda x: np.hypot(x, 1),
            lambda x: x / mp.sqrt(1 + x * x),
            lambda x: (1 + x * x) ** -1.5,
            everywhere,
        ),
        "arctan2(x, 1)": (
            lambda x: np.arctan2(x, 1),
            lambda x: 1 / (1 + x * x),
            lambda x: -2 * x / (1 + x * x) ** 2,
            everywhere,
        ),
    }


NAMES = list(functions(pytest.importorskip("mpmath")))


def numbers(domain, dtype):
    """Numbers of all exponents, those near the edges of the domain among them, and ordinary ones."""
    rng, limits = np.random.default_rng(1), np.finfo(dtype)
    least = np.log2(float(limits.smallest_subnormal))
    x = [2.0 ** rng.uniform(least, limits.maxexp, POINTS), 2.0 ** rng.uniform(-9, 9, POINTS), rng.uniform(0, 3, POINTS)]
    x = np.concatenate([*x, *(-np.array(x))])
    edges = [(edge, sign) for edge, sign in zip(domain, (1, -1), strict=True) if np.isfinite(edge)]
    x = np.concatenate([x, *(edge + sign * 2.0 ** rng.uniform(-limits.nmant, 0, POINTS) for edge, sign in edges)])
    x = x.astype(dtype)
    return x[(x > domain[0]) & (x < domain[1]) & (x != 0)]


def judged(x, got, expected, relative, mp, units=1):
    """The places where ``got`` is further off than so much, or than some units of the smallest number."""
    limits = np.finfo(got.dtype)
    for at, found, right in zip(x, got, map(expected, map(mp.mpf, map(float, x))), strict=True):
        if abs(right) > float(limits.max):
            if np.isinf(found) and (found > 0) == (right > 0):
                continue
        elif np.isfinite(found):
            off = abs(mp.mpf(float(found)) - right)
            if off <= max(relative * abs(right), 1.0001 * units * float(limits.smallest_subnormal)):
                continue
        yield f"at {at!r}: {found!r} for {mp.nstr(right, 9)}"


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", NAMES)
def test_two_derivatives_are_right_for_all_exponents(judge, name, dtype):
    mp = judge("mpmath").mp.clone()
    mp.prec = 400
    f, first, second, domain = functions(mp)[name]
    x = numbers(domain, dtype)
    slopes = elementwise_grad(f)
    # Products: where one factor has few digits, x takes them to greater numbers. Their second derivatives are 0
    # in two places.
    units, near_0 = (1000, 10) if name in ("silu", "gelu") else (1, 1)
    wrong = [*judged(x, slopes(x), first, 1e-12 if dtype is np.float64 else 1e-5, mp, units)]
    bends = elementwise_grad(slopes)(x)
    wrong += judged(x, bends, second, (1e-9 if dtype is np.float64 else 2e-5) * near_0, mp, units)
    assert wrong == []


def functions_of_two(mp):
    """Each function with its two first derivatives and three second ones."""
    ln2 = mp.log(2)

    def length(x, y):
        r = mp.sqrt(x * x + y * y)
        return [x / r, y / r, y * y / r**3, -x * y / r**3, x * x / r**3]

    def angle(x, y):
        r = x * x + y * y
        return [y / r, -x / r, -2 * x * y / r**2, (x * x - y * y) / r**2, 2 * x * y / r**2]

    def shares(x, y, unit=1):
        p, q = 1 / (1 + mp.exp((y - x) * unit)), 1 / (1 + mp.exp((x - y) * unit))
        return [p, q, unit * p * q, -unit * p * q, unit * p * q]

    def ratio(x, y):
        return [1 / y, -x / y**2, mp.mpf(0), -1 / y**2, 2 * x / y**3]

    return {
        "hypot": (np.hypot, length, 1),
        "arctan2": (np.arctan2, angle, 1),
        "logaddexp": (np.logaddexp, shares, 0),
        "logaddexp2": (np.logaddexp2, lambda x, y: shares(x, y, ln2), 0),
        "divide": (np.divide, ratio, 1),
    }


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", list(functions_of_two(pytest.importorskip("mpmath"))))
def test_two_derivatives_by_two_arguments_are_right_for_all_exponents(judge, name, dtype):
    mp = judge("mpmath").mp.clone()
    mp.prec = 400
    f, right, wide = functions_of_two(mp)[name]
    rng, limits = np.random.default_rng(2), np.finfo(dtype)
    low, high = (limits.minexp, limits.maxexp - 1) if wide else (-20, 9)
    x = rng.uniform(low, high, 3 * POINTS)
    y = np.concatenate([rng.uniform(low, high, POINTS), x[POINTS:] + rng.uniform(-60, 60, 2 * POINTS)])
    x, y = (2.0 ** np.clip(e, low, high) * rng.choice([-1, 1], e.shape) for e in (x, y))
    x, y = x.astype(dtype), y.astype(dtype)
    both = grad(lambda x, y: np.sum(f(x, y)), (0, 1))
    found = [*both(x, y)]
    for i, j in ((0, 0), (0, 1), (1, 1)):
        found.append(grad(lambda x, y, i=i: np.sum(grad(lambda x, y: np.sum(f(x, y)), i)(x, y)), j)(x, y))
    single = dtype is np.float32
    for k, got in enumerate(found):
        pairs = dict(zip(map(float, x), map(float, y), strict=True))
        allowed = (1e-12, 1e-5)[single] if k < 2 else (1e-9, 2e-5)[single]
        assert [*judged(x, got, lambda v, k=k, pairs=pairs: right(v, mp.mpf(pairs[float(v)]))[k], allowed, mp, 2)] == []


@pytest.mark.filterwarnings("ignore:overflow encountered")
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_direction_of_the_smallest_and_the_largest_numbers(judge, dtype):
    mp = judge("mpmath").mp.clone()
    mp.prec = 400
    limits = np.finfo(dtype)
    units = np.array([-3, -1, 0, 1, 2, 5, 1e5])
    for unit in (limits.smallest_subnormal, limits.tiny / 64, limits.tiny, float(limits.max) / 1e5):
        x, y = (v.ravel().astype(dtype) for v in np.array(np.meshgrid(units, units)) * float(unit))
        x, y = x[(x != 0) | (y != 0)], y[(x != 0) | (y != 0)]
        right = [mp.mpf(float(a)) / mp.hypot(float(a), float(b)) for a, b in zip(x, y, strict=True)]
        pairs = np.arange(len(x))
        for found in (
            elementwise_grad(np.hypot)(x, y),
            grad(lambda x, y: np.sum(np.hypot(x, y)), 1)(y, x),
            grad(lambda v: np.sum(np.linalg.norm(v, axis=1)))(np.stack([x, y], 1))[:, 0],
        ):
            assert [*judged(pairs, found, lambda k, r=right: r[int(k)], TO[dtype], mp)] == []
    far = np.array([np.inf, -np.inf, np.inf], dtype), np.array([1, limits.max, -np.inf], dtype)
    slopes = grad(lambda x, y: np.sum(np.hypot(x, y)), (0, 1))(*far)  # limits, and two infinite ones are alike
    np.testing.assert_allclose(slopes, [[1, -1, 0.5**0.5], [0, 0, -(0.5**0.5)]], rtol=1e-6)
    turns = grad(lambda x, y: np.sum(np.arctan2(x, y)), (0, 1))(*far)
    np.testing.assert_array_equal(turns, np.zeros((2, 3)))


# -- shares of a whole -------------------------------------------------------------------------------------


def rows(dtype):
    """Logits whose softmax goes from an even one to a sure one, whose other shares are hardly numbers any more."""
    rng = np.random.default_rng(3)
    for n in (2, 3, 30):
        for width in (0.1, 1, 6, 20, 40, 80) + (300, 700) * (dtype is np.float64):
            yield (rng.normal(size=n) * width).astype(dtype)
            yield np.array([width, *[0] * (n - 1)], dtype)
            yield np.array([width] * 2 + [0] * (n - 2), dtype)


def flat(rows):
    return [number for row in rows for number in row]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_slopes_of_a_sure_class_are_made_of_the_others(judge, dtype):
    mp = judge("mpmath").mp.clone()
    mp.prec = 2000
    for x in rows(dtype):
        powers = [mp.exp(mp.mpf(float(v))) for v in x]
        p = [v / mp.fsum(powers) for v in powers]
        rest = [mp.fsum(p[:i] + p[i + 1 :]) for i in range(len(p))]
        slopes = {
            ac.softmax: [[p[i] * (rest[i] if i == j else -p[j]) for j in range(len(p))] for i in range(len(p))],
            ac.log_softmax: [[rest[i] if i == j else -p[j] for j in range(len(p))] for i in range(len(p))],
            cost_of_0: [[-rest[0], *p[1:]]],
            soft_cost_of_0: [[-rest[0], *p[1:]]],
        }
        for f, right in slopes.items():
            found, right = np.reshape(ac.jacobian(f)(x), -1), flat(right)
            assert [*judged(np.arange(len(right)), found, lambda k, r=right: r[int(k)], TO[dtype], mp, 1000)] == []
        upstream = np.array([1e20, *[-1] * (len(x) - 1)], dtype)  # whose sum keeps nothing of the small ones
        total = mp.fsum(map(float, upstream))
        right = [float(g) * r - share * (total - float(g)) for g, r, share in zip(upstream, rest, p, strict=True)]
        found = grad(lambda x, g=upstream: np.sum(g * ac.log_softmax(x)))(x)
        assert [*judged(np.arange(len(right)), found, lambda k, r=right: r[int(k)], TO[dtype], mp, 1000)] == []
        value = ac.log_softmax(x)
        right = [mp.log1p(-r) if r < 0.5 else mp.log(share) for share, r in zip(p, rest, strict=True)]
        assert [*judged(np.arange(len(p)), value, lambda k, r=right: r[int(k)], TO[dtype], mp)] == []
        bends, right = hessian(cost_of_0)(x), flat(slopes[ac.softmax])
        assert [*judged(np.arange(len(right)), bends.ravel(), lambda k, r=right: r[int(k)], TO[dtype], mp, 1000)] == []


TO = {np.float64: 1e-12, np.float32: 1e-5}


def cost_of_0(x):
    return nn.losses.sparse_categorical_crossentropy(np.array([0]), x[None], from_logits=True)[0]


def soft_cost_of_0(x):
    return nn.losses.categorical_crossentropy(np.eye(1, len(x), dtype=x.dtype), x[None], from_logits=True)[0]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_slopes_of_probabilities_that_are_nearly_sure(judge, dtype):
    # Probabilities, which need not add up to 1, within what Keras leaves of them: 1e-7 to 1 - 1e-7.
    mp = judge("mpmath")
    for others in ([1.5e-7, 3e-7], [2e-7, 0.3], [0.01, 0.02], [3e-7, 4e-7]):
        p = np.array([[1 - sum(others), *others]], dtype)
        total = mp.fsum(map(float, p[0]))
        right = [-mp.fsum(map(float, p[0, 1:])) / float(p[0, 0]) / total, 1 / total, 1 / total]
        for loss, target in (("categorical", np.eye(1, 3, dtype=dtype)), ("sparse_categorical", np.array([0]))):
            cost = getattr(nn.losses, loss + "_crossentropy")
            found = grad(lambda p, cost=cost, target=target: np.sum(cost(target, p)))(p)[0]
            assert [*judged(np.arange(3), found, lambda k, r=right: r[int(k)], TO[dtype], mp)] == []


# -- norms and products ------------------------------------------------------------------------------------


SCALES = [
    (np.float64, (1, 1e200, 4e307, 1e-200, 2.0**-1060, 5e-324)),
    (np.float32, (1, 1e20, 8e37, 1e-25, 2.0**-145, 1.4e-45)),
]


@pytest.mark.filterwarnings("ignore:overflow encountered")
@pytest.mark.parametrize(("dtype", "scales"), SCALES)
@pytest.mark.parametrize(
    ("f", "slopes"),
    [
        (np.linalg.norm, [0.6, -0.8]),
        (np.std, [0.5, -0.5]),
        (lambda x: np.std(x, ddof=1), [0.5**0.5, -(0.5**0.5)]),
        (lambda x: np.sum(np.linalg.norm(np.stack([x, x]), axis=1)), [1.2, -1.6]),
        (lambda x: np.linalg.norm(x[None], "fro") + np.linalg.norm(x[:, None]), [1.2, -1.6]),
        (lambda x: np.sum(np.linalg.norm(x[None], axis=(0, 1), keepdims=True)), [0.6, -0.8]),
        (lambda x: np.linalg.vector_norm(x), [0.6, -0.8]),
        (lambda x: np.linalg.norm(x, 3), [9 / 91 ** (2 / 3), -16 / 91 ** (2 / 3)]),
        (lambda x: np.sum(np.linalg.vector_norm(x[None], ord=3)), [9 / 91 ** (2 / 3), -16 / 91 ** (2 / 3)]),
        (lambda x: np.linalg.norm(x, 200), [0.0, -1.0]),
        (lambda x: np.linalg.norm(x, 0.5), [1 + (4 / 3) ** 0.5, -1 - (3 / 4) ** 0.5]),
        (lambda x: np.linalg.norm(x, -2), [0.512, -0.216]),
        (lambda x: np.linalg.norm(x, 1), [1, -1]),
        (lambda x: np.linalg.norm(x, np.inf), [0, -1]),
    ],
)
def test_a_norm_is_as_large_as_its_elements_and_its_gradient_never_lost(f, slopes, dtype, scales):
    # A norm grows with its elements: its gradient is the same for all of them, and f(x) = gradient · x.
    for scale in scales:
        x = np.array([3 * scale, -4 * scale], dtype)
        value, slope = ac.value_and_grad(f)(x)
        np.testing.assert_allclose(slope, slopes, rtol=20 * np.finfo(dtype).eps, atol=1e-20)
        limits = np.finfo(dtype)
        few = 3 * float(limits.smallest_subnormal)
        np.testing.assert_allclose(
            value, dtype(np.dot(slopes, x)), rtol=200 * limits.eps, atol=few if scale < 1e-30 else 0
        )


def test_small_elements_beside_a_large_one_have_the_gradient_that_is_due():
    np.testing.assert_allclose(grad(np.linalg.norm)(np.float32([1e20, 1, 1])), [1, 1e-20, 1e-20], rtol=1e-6)
    assert np.linalg.norm(ac.Tensor(np.array([np.inf, 1.0]))).data == np.inf
    for order in (None, 1.5, 3, 4):  # the limits, as the first grows
        np.testing.assert_array_equal(grad(lambda x, p=order: np.linalg.norm(x, p))(np.array([-np.inf, 1.0])), [-1, 0])
    np.testing.assert_array_equal(grad(lambda x: np.linalg.norm(x, 0.5))(np.array([np.inf, 1.0])), [1, np.inf])
    assert np.isnan(np.linalg.norm(ac.Tensor(np.array([np.nan, 1.0]))).data)
    np.testing.assert_array_equal(grad(lambda x: np.sum(np.linalg.norm(x, axis=1)))(np.zeros((2, 0))), np.zeros((2, 0)))


def products(x, order, mp):
    """The derivatives of the product of ``x``: by each element, or by each two."""
    x = [mp.mpf(float(v)) for v in x]
    if order == 1:
        return np.array([float(mp.fprod(x[:i] + x[i + 1 :])) for i in range(len(x))])
    n = range(len(x))
    return np.array([[float(mp.fprod(x[k] for k in n if k not in (i, j))) if i != j else 0.0 for i in n] for j in n])


def scanned(x, g, mp):
    """The gradient of ``sum(g * cumprod(x))``."""
    x = [mp.mpf(float(v)) for v in x]
    terms = [[float(v) * mp.fprod(x[:i] + x[i + 1 : k + 1]) for k, v in enumerate(g) if k >= i] for i in range(len(x))]
    return np.array([float(mp.fsum(t)) for t in terms])


def factors():
    """Numbers of all sizes in a row, zeros among them."""
    rng = np.random.default_rng(2)
    yield np.array([1e200, 1e200, 0, 0])
    yield np.array([1e-170, 1e-170, 1e200])
    yield np.array([1e-170, 1e-170, 7, 1e200, 1e170])
    yield np.array([1e200, 1e-250, 1e-200])
    yield np.array([1e-300, 0, 1e300, 1e300])
    yield np.array([5e-324, 1e308, -1.5e-323, 1e300])
    for n in (1, 2, 5, 33):
        for zeros in (0, 1, 2):
            for spread in (1, 30, 300):
                x = rng.choice([-1, 1], n) * 10.0 ** rng.uniform(-spread, spread, n)
                x[rng.permutation(n)[:zeros]] = 0
                yield x


def close(found, right):
    """Equal to 12 digits, or to a few of the smallest numbers; inf where the right number is too large."""
    with np.errstate(over="ignore"):
        np.testing.assert_allclose(found, right, rtol=1e-12, atol=2e-323)


@pytest.mark.filterwarnings("ignore:invalid value encountered")  # NumPy's own product of inf and 0
def test_products_of_any_size_beside_zeros_have_the_gradient_that_is_due(judge):
    mp = judge("mpmath").mp.clone()
    mp.prec = 20_000
    for x in factors():
        close(grad(np.prod)(x), products(x, 1, mp))
        close(grad(lambda x: np.sum(np.prod(x, axis=1)))(np.stack([x, x])), np.stack([products(x, 1, mp)] * 2))
        g = np.random.default_rng(len(x)).normal(size=len(x))
        close(grad(lambda x, g=g: np.sum(np.where(g > 0, g * np.cumprod(x), 0)))(x), scanned(x, g * (g > 0), mp))
        close(grad(lambda x: np.cumprod(x)[-1])(x), products(x, 1, mp))


def bent(x, mp):
    """The second derivatives of the sum of every other running product."""
    right = np.zeros((len(x), len(x)))
    with np.errstate(over="ignore"):
        for k in range(1, len(x) + 1, 2):
            right[:k, :k] += products(x[:k], 2, mp)
    return right


def partly_too_large():
    """Products of which a part is too large, or 0 in floating numbers, where what is asked for is neither."""
    yield np.array([1e200, 1e200, 0])
    yield np.array([1e200, 1e200, 1e-300, 2])
    yield np.array([-1.6e-30, -6e177, 2e-162, -1.6e-269, 5e-58])
    yield np.array([3, 1e300, 2, 1e-200, 1e-200])
    yield np.array([-9e26, -1e134, 4e-30, 7e55, -4e-100, 1e100])


@pytest.mark.filterwarnings("ignore:invalid value encountered")
def test_second_derivatives_of_products_of_any_size(judge):
    mp = judge("mpmath").mp.clone()
    mp.prec = 20_000
    for x in [*factors(), *partly_too_large()]:
        if len(x) < 9:
            close(hessian(np.prod)(x), products(x, 2, mp))
            close(hessian(lambda x: np.cumprod(x)[-1])(x), products(x, 2, mp))
            close(hessian(lambda x: np.sum(np.cumprod(x)[::2]))(x), bent(x, mp))
    third = jacobian(hessian(np.prod))(np.array([1e200, 1e200, 0, 1e-100]))
    close(third[0], [[0, 0, 0, 0], [0, 0, 1e-100, 0], [0, 1e-100, 0, 1e200], [0, 0, 1e200, 0]])


def test_derivatives_of_any_order_of_a_running_product_near_zero(judge):
    for at in (0.0, 1e-8, -1e-150, 0.5):
        f = lambda x: np.cumprod(np.stack([x, x, x]))[-1]  # noqa: E731
        for right in (3 * at**2, 6 * at, 6, 0):
            f = grad(f)
            assert f(at) == pytest.approx(right, rel=1e-14, abs=0)
    torch = judge("torch")
    y = np.array([0.5, 0.0, -2.0, 1e-9, 0.0, 3.0])
    t = torch.tensor(y, requires_grad=True)
    weights = np.arange(1.0, 7.0)
    theirs = torch.autograd.functional.hessian(lambda x: (torch.cumprod(x, 0) * torch.tensor(weights)).sum(), t)
    np.testing.assert_allclose(hessian(lambda x: np.sum(np.cumprod(x) * weights))(y), theirs, rtol=1e-13, atol=1e-300)


def test_a_long_running_product_takes_steps_in_proportion_to_the_logarithm(judge):
    torch = judge("torch")
    x = np.random.default_rng(0).uniform(0.5, 1.6, 10_000)
    x[[5000, 7000]] = 0
    t = torch.tensor(x, requires_grad=True)
    torch.cumprod(t, 0).sum().backward()
    np.testing.assert_allclose(grad(lambda x: np.sum(np.cumprod(x)))(x), t.grad, rtol=1e-9, atol=1e-300)
