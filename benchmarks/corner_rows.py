"""The questions of `corners.py`: functions at kinks, ties, poles, infinities and singular matrices.

Each says in one sentence what is mathematically true, and why our answer is what it is. ``right`` is there where only
one answer is: one gradient for each argument. Several results are added up, with weights where it says so.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

INF, NAN = math.inf, math.nan
array = np.array

RANK_2 = array([[1.0, 2, 3], [4, 5, 6], [5, 7, 9]])
RANK_1 = array([[1.0, 2, 3], [2, 4, 6], [3, 6, 9]])
POSITIVE = array([[4.0, 1], [1, 3]])
TWICE = array([[2.0, 0], [0, 2]])
COLUMNS = array([[1.0, 1], [1, 1], [1, 1]])
ZEROS = np.zeros((2, 2))
TALL = array([[2.0, 0], [1, 1], [0, 2]])


def of_cross_product(a: Any, b: Any, weights: Any) -> Any:
    """The gradient of the weighted sum of the squares of ``n``, for the columns a and b; n = a × b over its length."""
    c = np.cross(a, b)
    n = c / np.sqrt(c @ c)
    of_c = 2 * (weights * n - n * (weights @ n**2)) / np.sqrt(c @ c)
    return np.stack((np.cross(b, of_c), np.cross(of_c, a)), 1)


@dataclass(frozen=True)
class Row:
    """A function at a point; ``second`` is the sentence about its second derivative, if that is asked for as well."""

    what: str
    f: Callable[..., Any]
    at: tuple[Any, ...]
    says: str
    right: tuple[Any, ...] | None = None
    second: str | None = None
    right_second: tuple[Any, ...] | None = None


# fmt: off
POWERS = (
    Row("`x ** 0` at 0", lambda m, x: m.number_power(x, 0), (0.0,), "x⁰ is 1 everywhere, so its slope is 0.", (0.0,),
        "The slope is 0 everywhere, and so is its slope.", (0.0,)),
    Row("`x ** 0.0` at 0", lambda m, x: m.number_power(x, 0.0), (0.0,),
        "As with a whole exponent the function is 1, and its slope 0; a rule that computes y · x^(y − 1) meets 0 · ∞.",
        (0.0,), "The slope is 0 everywhere.", (0.0,)),
    Row("`x ** 1` at 0", lambda m, x: m.number_power(x, 1), (0.0,), "A line: 1.", (1.0,), "A line has no curvature.",
        (0.0,)),
    Row("`x ** 2.0` at 0", lambda m, x: m.number_power(x, 2.0), (0.0,), "2x = 0.", (0.0,), "2.", (2.0,)),
    Row("`x ** 2` at −3", lambda m, x: m.number_power(x, 2), (-3.0,), "2x = −6; no logarithm of x is needed.", (-6.0,),
        "2.", (2.0,)),
    Row("`x ** 0.5` at 0", lambda m, x: m.number_power(x, 0.5), (0.0,), "The slope grows without bound.", (INF,)),
    Row("`x ** -1` at 0", lambda m, x: m.number_power(x, -1), (0.0,), "A pole: −∞ from either side.", (-INF,)),
    Row("`x ** y` at 0, 0", lambda m, x, y: m.power(x, y), (0.0, 0.0),
        "With y = 0 the function is constant in x: 0. With x = 0 it is 0 for y > 0 and 1 at 0: a jump in y, and ours "
        "is the slope to its right."),
    Row("`x ** y` at 0, 1", lambda m, x, y: m.power(x, y), (0.0, 1.0), "1 in x; in y the function is 0 all around.",
        (1.0, 0.0)),
    Row("`x ** y` at 0, ½", lambda m, x, y: m.power(x, y), (0.0, 0.5), "The slope in x is infinite; in y it is 0.",
        (INF, 0.0)),
    Row("`x ** y` at 0, 2", lambda m, x, y: m.power(x, y), (0.0, 2.0), "Both 0.", (0.0, 0.0)),
    Row("`x ** y` at 0, −1", lambda m, x, y: m.power(x, y), (0.0, -1.0),
        "A pole. In y ours is the limit of x^y ln x from inside, −∞; a guard that sets ln 0 to 0 makes ∞ · 0 of it."),
    Row("`x ** y` at −2, 2", lambda m, x, y: m.power(x, y), (-2.0, 2.0),
        "−4 in x. Powers of a negative number exist at whole y only, so there is no slope in y: NaN, and no 0 that "
        "would hide it."),
    Row("`2 ** y` at 0", lambda m, y: m.power_of(2.0, y), (0.0,), "ln 2.", (math.log(2),), "(ln 2)².",
        (math.log(2) ** 2,)),
    Row("`0 ** y` at 0", lambda m, y: m.power_of(0.0, y), (0.0,),
        "0 for y > 0 and 1 at 0: a jump; ours is the slope to its right.", None, "To the right of the jump: 0."),
    Row("`0 ** y` at 2", lambda m, y: m.power_of(0.0, y), (2.0,), "Constant around 2.", (0.0,),
        "Constant around 2; ln 0 twice makes 0 · ∞.", (0.0,)),
    Row("√x at 0", lambda m, x: m.sqrt(x), (0.0,), "The slope grows without bound.", (INF,),
        "The slope falls without bound: −∞.", (-INF,)),
    Row("1/√x at 0", lambda m, x: m.rsqrt(x), (0.0,), "A pole.", (-INF,)),
    Row("∛x at 0", lambda m, x: m.cbrt(x), (0.0,), "The slope grows without bound.", (INF,),
        "From the right −∞, from the left +∞; ours is what the formula gives at +0."),
    Row("x / y at 0, 0", lambda m, x, y: x / y, (0.0, 0.0), "No value there; 1/y is infinite, and x/y² is 0/0."),
    Row("x / y at 1, 0", lambda m, x, y: x / y, (1.0, 0.0), "A pole, from the side of +0.", (INF, -INF)),
    Row("1 / x at 0", lambda m, x: 1.0 / x, (0.0,), "A pole: −∞ from either side.", (-INF,)),
    Row("x · x at ∞", lambda m, x: x * x, (INF,), "2x.", (INF,)),
)

KINKS = (
    Row("|x| at 0", lambda m, x: m.abs(x), (0.0,),
        "Every number from −1 to 1 is a subgradient; ours is sign x, the middle, as PyTorch and TensorFlow have it.",
        None, "0 on both sides."),
    Row("|x| at −0", lambda m, x: m.abs(x), (-0.0,), "−0 is the number 0."),
    Row("sign x at 0", lambda m, x: m.sign(x), (0.0,), "A jump; 0 is the slope on both sides."),
    Row("relu at 0", lambda m, x: m.relu(x), (0.0,), "Any number from 0 to 1; the whole field takes 0.", None,
        "0 on both sides."),
    Row("relu at NaN", lambda m, x: m.relu(x), (NAN,),
        "No truth; the indicator of x > 0 is 0. The value stays NaN, so that the loss shows it."),
    Row("leaky relu, slope 0.2, at 0", lambda m, x: m.leaky_relu(x), (0.0,),
        "Any number from 0.2 to 1; ours takes the left, as relu does, and as Keras, whose name it bears."),
    Row("elu at 0", lambda m, x: m.elu(x), (0.0,), "eˣ − 1 and x meet with the slope 1: no kink.", (1.0,),
        "1 on the left, 0 on the right; ours is the left, whose formula is taken at 0."),
    Row("selu at 0", lambda m, x: m.selu(x), (0.0,),
        "A kink: from 1.0507 (right) to 1.7581 (left); ours is that of Keras, whose name it bears."),
    Row("relu6 at 0", lambda m, x: m.relu6(x), (0.0,), "Any number from 0 to 1; 0 as for relu."),
    Row("relu6 at 6", lambda m, x: m.relu6(x), (6.0,),
        "Any number from 0 to 1; 0, the outer side as at 0, as in Keras."),
    Row("hard sigmoid at −3", lambda m, x: m.hard_sigmoid(x), (-3.0,),
        "Any number from 0 to 1/6; 0, the outer side, as in Keras."),
    Row("hard sigmoid at 3", lambda m, x: m.hard_sigmoid(x), (3.0,),
        "Any number from 0 to 1/6; 0, the outer side, as in Keras."),
    Row("softsign at 0", lambda m, x: m.softsign(x), (0.0,), "1 on both sides.", (1.0,),
        "It jumps from 2 to −2; ours is the middle."),
    Row("huber loss, δ = 1, at an error of 1", lambda m, x: m.huber(x), (1.0,),
        "The two pieces meet with the slope 1.", (1.0,), "1 inside, 0 outside; ours is that of Keras."),
    Row("huber loss at an error of 0", lambda m, x: m.huber(x), (0.0,), "A parabola: 0.", (0.0,), "A parabola: 1.",
        (1.0,)),
    Row("mean absolute error at an error of 0", lambda m, x: m.abs_error(x), (0.0,),
        "Any number from −1 to 1; ours is 0, as of |x|."),
    Row("2-norm at [0 0]", lambda m, x: m.norm(x), (array([0.0, 0]),),
        "Every vector of length at most 1 is a subgradient; NaN is none. 0 is the shortest.", None,
        "In each direction a kink; ours says 0, as of |x|."),
    Row("|x| squared, at 0", lambda m, x: m.abs(x) * m.abs(x), (0.0,), "The parabola x²: 0.", (0.0,),
        "2: x² has no kink. The 0 that |x| is given at its kink hides it; write x · x.", (2.0,)),
    Row("2-norm squared, at [0 0]", lambda m, x: m.norm(x) * m.norm(x), (array([0.0, 0]),),
        "Twice the vector: 0. The square is smooth, though the norm is not.", (np.zeros(2),),
        "2 in each: behind the kink ours says 0, where NaN would show it. Write the sum of x · x.", (np.full(2, 2.0),)),
    Row("1-norm at [0 −2]", lambda m, x: m.norm_1(x), (array([0.0, -2]),), "For the 0 as |x|: ours is 0, the middle."),
    Row("3-norm at [0 0]", lambda m, x: m.norm_3(x), (array([0.0, 0]),),
        "0 is a subgradient, as of the 2-norm; NaN is none."),
    Row("3-norm at [0 2]", lambda m, x: m.norm_3(x), (array([0.0, 2]),), "Smooth there.", (array([0.0, 1]),)),
    Row("∞-norm at [2 −2]", lambda m, x: m.norm_inf(x), (array([2.0, -2]),),
        "Shares that add up to 1, with the signs; ours are equal, as for max."),
    Row("2-norm at [∞ 1]", lambda m, x: m.norm(x), (array([INF, 1]),),
        "x over the norm: the limit is 1 for what grows, and 0 beside it.", (array([1.0, 0]),)),
    Row("√(x² + y²), hypot, at 0, 0", lambda m, x, y: m.hypot(x, y), (0.0, 0.0),
        "The tip of a cone: every pair of length at most 1, and no NaN; 0, 0 is the shortest."),
    Row("hypot at ∞, 1", lambda m, x, y: m.hypot(x, y), (INF, 1.0), "The limits are 1 and 0, as of the 2-norm.",
        (1.0, 0.0)),
    Row("arctan2 at 0, 0", lambda m, y, x: m.arctan2(y, x), (0.0, 0.0),
        "There is no derivative: the angle takes every value near 0. Ours is 0, so that a point at the origin stops "
        "nothing."),
    Row("standard deviation of [2 2 2]", lambda m, x: m.std(x), (array([2.0, 2, 2]),),
        "The tip of a cone, as a norm: 0 is a subgradient, NaN is none."),
    Row("largest minus smallest of [2 2]", lambda m, x: m.max(x) - m.min(x), (array([2.0, 2]),),
        "What both receive cancels."),
)

TIES = (
    Row("maximum at 1, 1", lambda m, x, y: m.maximum(x, y), (1.0, 1.0),
        "Shares that add up to 1: at 1, 1 and its mirror image the same. Ours are equal; 0, 0 loses the gradient."),
    Row("minimum at 1, 1", lambda m, x, y: m.minimum(x, y), (1.0, 1.0), "Shares that add up to 1, as of maximum."),
    Row("maximum of x and the number 1, at 1", lambda m, x: m.maximum_with(x, 1.0), (1.0,),
        "Any number from 0 to 1; the half that x would have beside a variable."),
    Row("fmax at 1, 1", lambda m, x, y: m.fmax(x, y), (1.0, 1.0),
        "Shares that add up to 1; ours are the same as of maximum."),
    Row("max of [1 1]", lambda m, x: m.max(x), (array([1.0, 1]),),
        "Shares that add up to 1; equal ones do not depend on the order of the elements."),
    Row("max of [3 1 3 3] over its axis", lambda m, x: m.max_axis(x), (array([3.0, 1, 3, 3]),),
        "Shares that add up to 1; ours are the same with an axis and without. PyTorch shares without one and takes "
        "the first with one."),
    Row("max pooling of 2×2 equal numbers", lambda m, x: m.pooled(x), (array([[1.0, 1], [1, 1]]),),
        "Shares that add up to 1. Ours are equal, since a pooling is the max of a window; the others, Keras among "
        "them, take the first."),
    Row("clip to 0 … 1, at 0", lambda m, x: m.clip(x, 0.0, 1.0), (0.0,),
        "Any number from 0 to 1. Ours is ½, since to clip is to take a maximum and a minimum, which share."),
    Row("clip to 0 … 1, at 1", lambda m, x: m.clip(x, 0.0, 1.0), (1.0,),
        "Any number from 0 to 1; ½ as at the lower bound."),
    Row("clip to 1 … 1, at 1", lambda m, x: m.clip(x, 1.0, 1.0), (1.0,),
        "A constant: 0 would be its derivative in x; ours shares twice, as maximum and minimum do."),
    Row("sort of [1 1 2], weighted 1 2 3", lambda m, x: m.sorted(x), (array([1.0, 1, 2]),),
        "Any exchange among the tied is right; ours keeps their order."),
    Row("median of [1 1 2]", lambda m, x: m.median(x), (array([1.0, 1, 2]),),
        "Any shares of the tied that add up to 1; equal ones do not depend on the order of the elements, as of max."),
    Row("median of [1 1 1 1]", lambda m, x: m.median(x), (array([1.0, 1, 1, 1]),),
        "Any shares of the tied that add up to 1; ours are equal. The two in the middle are tied with the others."),
    Row("median of [1 2 3 4]", lambda m, x: m.median(x), (array([1.0, 2, 3, 4]),),
        "Half for each of the two in the middle; PyTorch's median is another function, the lower of them."),
    Row("quantile ¼ of [5 1 4 2 3]", lambda m, x: m.quantile(x, 0.25), (array([5.0, 1, 4, 2, 3]),),
        "The second smallest, all of it: its neighbours have no part in a place that is exact.",
        (array([0.0, 0, 0, 1, 0]),)),
    Row("interp through (0, 0), (1, 1), (2, 5), at 1", lambda m, x: m.interp(x, array([0.0, 1, 2]), array([0.0, 1, 5])),
        (1.0,), "Any number from 1 to 4, the slopes to its left and right; ours is that to its right."),
)

PRODUCTS = (
    Row("product of [0 2 3]", lambda m, x: m.prod(x), (array([0.0, 2, 3]),),
        "Each receives the product of the others; dividing the whole by an element makes 0/0.", (array([6.0, 0, 0]),),
        "The sums of the products of the others but one.", (array([5.0, 3, 2]),)),
    Row("product of [0 0 3]", lambda m, x: m.prod(x), (array([0.0, 0, 3]),), "All are 0.", (np.zeros(3),),
        "With two zeros each pair of them leaves the third factor.", (array([3.0, 3, 0]),)),
    Row("running products of [0 2 3]", lambda m, x: m.cumprod(x), (array([0.0, 2, 3]),),
        "1 + 2 + 6 for the first, 0 for the others.", (array([9.0, 0, 0]),),
        "Of the second derivatives of x, xy and xyz, the sums.", (array([6.0, 4, 2]),)),
    Row("running products of [0 0 3]", lambda m, x: m.cumprod(x), (array([0.0, 0, 3]),),
        "Only the first has a product without the other zero.", (array([1.0, 0, 0]),)),
    Row("product of nothing", lambda m, x: m.prod(x), (np.zeros(0),), "1, of no arguments."),
    Row("running sum of nothing", lambda m, x: m.cumsum(x), (np.zeros(0),), "Nothing, of no arguments."),
)

EXPONENTIALS = (
    Row("ln x at 0", lambda m, x: m.log(x), (0.0,), "A pole.", (INF,), "A pole.", (-INF,)),
    Row("ln x at −1", lambda m, x: m.log(x), (-1.0,), "No function there; 1/x goes on, and the value NaN tells."),
    Row("x ln x at 0", lambda m, x: x * m.log(x), (0.0,),
        "The limit of ln x + 1 is −∞, but 0 · ∞ has made NaN of the value before; use xlogy where there is one, or "
        "entropy from logits."),
    Row("xlogy(x, x) at 0", lambda m, x: m.xlogy(x, x), (0.0,),
        "−∞, as of x ln x; the two halves of the sum are −∞ and 0/0.", (-INF,)),
    Row("eˣ − 1 at −1", lambda m, x: m.expm1(x), (-1.0,), "1/e.", (math.exp(-1),)),
    Row("eˣ − 1 at 1e-20", lambda m, x: m.expm1(x), (1e-20,), "1.", (1.0,)),
    Row("ln(1 + x) at −1", lambda m, x: m.log1p(x), (-1.0,), "A pole.", (INF,)),
    Row("softplus at 1000", lambda m, x: m.softplus(x), (1000.0,), "1.", (1.0,), "e⁻¹⁰⁰⁰, which is 0.", (0.0,)),
    Row("softplus at −1000", lambda m, x: m.softplus(x), (-1000.0,), "e⁻¹⁰⁰⁰, which is 0.", (0.0,),
        "e⁻¹⁰⁰⁰, which is 0.", (0.0,)),
    Row("softplus at −30", lambda m, x: m.softplus(x), (-30.0,), "e⁻³⁰ / (1 + e⁻³⁰).", (9.357622968839299e-14,)),
    Row("softplus at 21", lambda m, x: m.softplus(x), (21.0,), "1 − 7.6e-10.", (1 - 7.582560422162385e-10,),
        "σ(1 − σ); PyTorch's softplus is a line from 20 on.", (7.582560416412875e-10,)),
    Row("sigmoid at 1000", lambda m, x: m.sigmoid(x), (1000.0,), "e⁻¹⁰⁰⁰, which is 0.", (0.0,), "e⁻¹⁰⁰⁰, which is 0.",
        (0.0,)),
    Row("sigmoid at −1000", lambda m, x: m.sigmoid(x), (-1000.0,), "e⁻¹⁰⁰⁰, which is 0.", (0.0,),
        "e⁻¹⁰⁰⁰, which is 0; a quotient of two overflows is NaN.", (0.0,)),
    Row("sigmoid at 40", lambda m, x: m.sigmoid(x), (40.0,), "e⁻⁴⁰; σ(1 − σ) cancels to 0, σ(x) σ(−x) does not.",
        (4.248354255291589e-18,)),
    Row("tanh at 20", lambda m, x: m.tanh(x), (20.0,), "4e⁻⁴⁰; 1 − tanh² cancels to 0, 1/cosh² does not.",
        (1.6993417021166355e-17,)),
    Row("tanh at ∞", lambda m, x: m.tanh(x), (INF,), "0.", (0.0,)),
    Row("gelu at −1000", lambda m, x: m.gelu(x), (-1000.0,), "0.", (0.0,)),
    Row("gelu at −∞", lambda m, x: m.gelu(x), (-INF,),
        "The limit is 0, but −∞ · 0 has made NaN of the value; nobody has it otherwise."),
    Row("silu at −1000", lambda m, x: m.silu(x), (-1000.0,), "0.", (0.0,)),
    Row("silu at −∞", lambda m, x: m.silu(x), (-INF,),
        "The limit is 0, but −∞ · 0 has made NaN of the value; nobody has it otherwise."),
    Row("logaddexp at −∞, −∞", lambda m, x, y: m.logaddexp(x, y), (-INF, -INF),
        "The shares have no limit, only a sum, 1. Ours are 0: what is impossible in every way stays so, and a masked "
        "state of a hidden Markov model turns no other gradient into NaN."),
    Row("logaddexp at ∞, ∞", lambda m, x, y: m.logaddexp(x, y), (INF, INF),
        "The shares have no limit, only a sum, 1; ours are equal, as of a maximum."),
    Row("logaddexp at ∞, 0", lambda m, x, y: m.logaddexp(x, y), (INF, 0.0), "All of it is of the first.", (1.0, 0.0)),
    Row("logaddexp at 1000, 0", lambda m, x, y: m.logaddexp(x, y), (1000.0, 0.0), "All of it is of the first.",
        (1.0, 0.0)),
    Row("logsumexp of [−∞ −∞]", lambda m, x: m.logsumexp(x), (array([-INF, -INF]),),
        "The shares have no limit, only a sum, 1; ours are 0, as of logaddexp."),
    Row("logsumexp of [∞ 0]", lambda m, x: m.logsumexp(x), (array([INF, 0]),),
        "All of it is of the first, as of logaddexp; ∞ − ∞ makes NaN of the 1.", (array([1.0, 0]),)),
    Row("logsumexp of [∞ ∞]", lambda m, x: m.logsumexp(x), (array([INF, INF]),),
        "The shares have no limit, only a sum, 1; ours are equal, as of logaddexp."),
    Row("first of softmax [−∞ −∞]", lambda m, x: m.softmax_first(x), (array([-INF, -INF]),),
        "The value has no limit, so the gradient has none: NaN, which shows a row that is masked whole."),
    Row("first of softmax [−∞ 0]", lambda m, x: m.softmax_first(x), (array([-INF, 0]),), "0.", (np.zeros(2),)),
    Row("second of ln softmax [−∞ 0]", lambda m, x: m.log_softmax_last(x), (array([-INF, 0]),), "0.", (np.zeros(2),)),
    Row("√x where x > 0, else 0, at 0", lambda m, x: m.where_positive(x, m.sqrt(x)), (0.0,),
        "To the right the slope is infinite. The branch that is not taken gives 0 · ∞: put the where inside, "
        "√(where(x > 0, x, 1))."),
    Row("√x where x > 0, else 0, at −1", lambda m, x: m.where_positive(x, m.sqrt(x)), (-1.0,),
        "0; the branch that is not taken gives 0 · NaN. TensorFlow's root guards itself, its logarithm does not.",
        (0.0,)),
    Row("ln x where x > 0, else 0, at 0", lambda m, x: m.where_positive(x, m.log(x)), (0.0,),
        "To the right the slope is infinite; the branch that is not taken gives 0 · ∞, and nobody guards it."),
)

ANGLES = (
    Row("arcsin at 1", lambda m, x: m.arcsin(x), (1.0,), "The slope grows without bound.", (INF,),
        "The slope grows ever faster: ∞.", (INF,)),
    Row("arccos at 1", lambda m, x: m.arccos(x), (1.0,), "−∞.", (-INF,)),
    Row("arcosh at 1", lambda m, x: m.arccosh(x), (1.0,), "The slope grows without bound.", (INF,), "−∞.", (-INF,)),
    Row("artanh at 1", lambda m, x: m.arctanh(x), (1.0,), "A pole.", (INF,)),
    Row("arsinh at 1e200", lambda m, x: m.arcsinh(x), (1e200,), "1/x; x² is beyond the largest number.", (1e-200,)),
    Row("arcosh at 1e200", lambda m, x: m.arccosh(x), (1e200,), "1/x; x² is beyond the largest number.", (1e-200,)),
    Row("tan at the float nearest to π/2", lambda m, x: m.tan(x), (math.pi / 2,), "1 + tan².",
        (2.6670937881135714e32,)),
    Row("sin(πx) / πx, sinc, at 0", lambda m, x: m.sinc(x), (0.0,), "0: it is even, and smooth.", (0.0,), "−π²/3.",
        (-(math.pi**2) / 3,)),
    Row("sinc at 1e-6", lambda m, x: m.sinc(x), (1e-6,), "−π²x/3.", (-3.289868133693e-06,),
        "−π²/3; in closed form a difference of numbers of 1e12.", (-(math.pi**2) / 3,)),
)

STEPS = (
    Row("trunc at 2", lambda m, x: m.trunc(x), (2.0,), "A jump; 0 is the slope on both sides."),
    Row("floor at 2", lambda m, x: m.floor(x), (2.0,), "A jump; 0 is the slope on both sides."),
    Row("round at ½", lambda m, x: m.round(x), (0.5,), "A jump; 0 is the slope on both sides."),
    Row("fmod at 7, 2", lambda m, x, y: m.fmod(x, y), (7.0, 2.0), "x − 3y.", (1.0, -3.0)),
    Row("fmod at −7, 2", lambda m, x, y: m.fmod(x, y), (-7.0, 2.0), "x + 3y.", (1.0, 3.0)),
    Row("fmod at 1, 0.1", lambda m, x, y: m.fmod(x, y), (1.0, 0.1),
        "The float 0.1 is a little more than a tenth and goes into 1 nine times, as the value, 0.09999999999999995, "
        "says.", (1.0, -9.0)),
    Row("remainder at 6, 2", lambda m, x, y: m.remainder(x, y), (6.0, 2.0),
        "A jump in both; ours is the side on which the value 0 lies."),
    Row("remainder at −7, 2", lambda m, x, y: m.remainder(x, y), (-7.0, 2.0), "x + 4y.", (1.0, 4.0)),
    Row("remainder at 1, 0.1", lambda m, x, y: m.remainder(x, y), (1.0, 0.1),
        "1 − 9 · 0.1: a little more than a tenth goes into 1 nine times, as of fmod.", (1.0, -9.0)),
    Row("copysign at 0, 1", lambda m, x, y: m.copysign(x, y), (0.0, 1.0),
        "|x| with a sign: any number from −1 to 1 in x; ours is 0, as of |x|."),
    Row("copysign at 2, 0", lambda m, x, y: m.copysign(x, y), (2.0, 0.0), "1: the sign of 0 is plus."),
    Row("copysign at 2, −0", lambda m, x, y: m.copysign(x, y), (2.0, -0.0), "−1: the sign of −0 is minus."),
)

MATRICES = (
    Row("determinant of a 3×3 of rank 2", lambda m, x: m.det(x), (RANK_2,),
        "A polynomial of the elements, whose gradient are the cofactors; det(A)·A⁻ᵀ would divide by 0.",
        (array([[3.0, -6, 3], [3, -6, 3], [-3, 6, -3]]),)),
    Row("determinant of a 3×3 of rank 1", lambda m, x: m.det(x), (RANK_1,), "All cofactors are 0.",
        (np.zeros((3, 3)),)),
    Row("determinant of 2×2 zeros", lambda m, x: m.det(x), (ZEROS,), "All cofactors are 0.", (ZEROS,)),
    Row("sum of eigenvalues of 2I", lambda m, x: m.eigenvalues(x), (TWICE,),
        "The trace, whatever coincides: I.", (np.eye(2),)),
    Row("eigenvectors of 2I, weighted", lambda m, x: m.eigenvectors(x), (TWICE,),
        "No derivative: any basis is one of eigenvectors. A 0 would hide it. Ours is NaN also where eigenvalues differ "
        "by no more than rounding, where a quotient would be huge and have no right digit."),
    Row("sum of singular values of 2I", lambda m, x: m.singular_values(x), (TWICE,),
        "I.", (np.eye(2),)),
    Row("left singular vectors of 2I, weighted", lambda m, x: m.singular_vectors(x), (TWICE,),
        "No derivative, as of eigenvectors."),
    Row("nuclear norm of zeros", lambda m, x: m.singular_values(x), (ZEROS,),
        "Every matrix of spectral norm at most 1 is a subgradient; ours is 0, the shortest, as of |x|."),
    Row("spectral norm of 2I", lambda m, x: m.max(m.singular_values(x)), (TWICE,),
        "Any U diag(s) Vᵀ with shares s that add up to 1; ours are equal, as of max, and do not depend on the vectors "
        "found."),
    Row("null vector of a 3×2, squared, weighted", lambda m, x: m.null_vector(x), (TALL,),
        "The last left singular vector is the cross product of the columns over its length, which has a derivative.",
        (of_cross_product(*TALL.T, array([1.0, 2, 3])),)),
    Row("pseudo-inverse of a 3×2 of rank 1, weighted", lambda m, x: m.weighted_pinv(x), (COLUMNS,),
        "Not continuous where the rank changes; this is the derivative among matrices of rank 1."),
    Row("larger eigenvalue of a symmetric matrix", lambda m, x: m.eigenvalues(x)[1], (POSITIVE,),
        "Only the lower triangle is read, so only that has a gradient, and twice of it beside the diagonal: finite "
        "differences agree. Others spread it over both triangles; along symmetric changes both say the same."),
    Row("sum of a Cholesky factor", lambda m, x: m.cholesky(x), (POSITIVE,),
        "The factor is computed from the lower triangle alone, so the upper one has no gradient: finite differences "
        "agree. The others give its symmetric part; along symmetric changes both say the same."),
    Row("inverse of a symmetric matrix, weighted", lambda m, x: m.weighted_inv(x), (POSITIVE,), "−A⁻ᵀ W A⁻ᵀ.",
        (-np.linalg.inv(POSITIVE).T @ array([[1.0, 2], [3, 5]]) @ np.linalg.inv(POSITIVE).T,)),
)

NOT_FINITE = (
    Row("max of [1 NaN]", lambda m, x: m.max(x), (array([1.0, NAN]),),
        "No truth; the NaN of the value reaches all, so that nothing looks as if it were well."),
    Row("maximum at NaN, 1", lambda m, x, y: m.maximum(x, y), (NAN, 1.0),
        "No truth; neither is the larger: 0, and the value NaN tells. 1, 1 adds up to 2."),
    Row("maximum at NaN, NaN", lambda m, x, y: m.maximum(x, y), (NAN, NAN), "No truth; neither is the larger."),
    Row("fmax at NaN, 1", lambda m, x, y: m.fmax(x, y), (NAN, 1.0), "It ignores NaN: all of it is of the second.",
        (0.0, 1.0)),
    Row("fmax at NaN, NaN", lambda m, x, y: m.fmax(x, y), (NAN, NAN), "No truth; neither is taken: 0."),
    Row("median of [1 NaN 2]", lambda m, x: m.median(x), (array([1.0, NAN, 2]),),
        "No truth; the NaN of the value reaches all, as of max."),
    Row("nansum of [1 NaN]", lambda m, x: m.nansum(x), (array([1.0, NAN]),),
        "It passes over NaN: all of it is of the first.", (array([1.0, 0]),)),
    Row("nanmean of [NaN NaN]", lambda m, x: m.nanmean(x), (array([NAN, NAN]),),
        "No truth; what is passed over gets nothing, as of fmax, and the value NaN tells."),
    Row("nanmax of [NaN NaN]", lambda m, x: m.nanmax(x), (array([NAN, NAN]),),
        "No truth; none is taken: 0, as of fmax."),
    Row("nanmedian of [NaN NaN]", lambda m, x: m.nanmedian(x), (array([NAN, NAN]),),
        "No truth; none is taken: 0, as of nanmax."),
    Row("clip to 0 … 1, at NaN", lambda m, x: m.clip(x, 0.0, 1.0), (NAN,), "No truth; 0 as of maximum."),
    Row("nan_to_num at NaN", lambda m, x: m.nan_to_num(x), (NAN,), "The value is the constant 0.", (0.0,)),
    Row("nan_to_num at ∞", lambda m, x: m.nan_to_num(x), (INF,), "The value is a constant, the largest number.",
        (0.0,)),
    Row("variance of one number, ddof = 1", lambda m, x: m.var_1(x), (array([5.0]),), "0/0."),
    Row("standard deviation of one number, ddof = 1", lambda m, x: m.std_1(x), (array([5.0]),),
        "0/0: a NaN of the value has no gradient of 0."),
    Row("mean of nothing", lambda m, x: m.mean(x), (np.zeros(0),), "0/0, of no arguments."),
    Row("means over an axis of none", lambda m, x: m.mean_axis(x), (np.zeros((2, 0)),), "0/0, of no arguments."),
)

# fmt: on
GROUPS: dict[str, tuple[Row, ...]] = {
    "Powers, roots and quotients": POWERS,
    "Kinks": KINKS,
    "Ties": TIES,
    "Products": PRODUCTS,
    "Exponentials and logarithms": EXPONENTIALS,
    "Angles": ANGLES,
    "Steps and remainders": STEPS,
    "Singular matrices": MATRICES,
    "Not a number, and nothing": NOT_FINITE,
}
