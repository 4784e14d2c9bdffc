"""Initializers: from a shape to the first values of a weight."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd_core.tensor import Tensor

from . import absent, config, random
from .checks import axis_in, number, real, whole

__all__ = [
    "Constant",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Initializer",
    "LecunNormal",
    "LecunUniform",
    "Ones",
    "Orthogonal",
    "RandomNormal",
    "RandomUniform",
    "TruncatedNormal",
    "VarianceScaling",
    "Zeros",
    "constant",
    "deserialize",
    "get",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "lecun_normal",
    "lecun_uniform",
    "ones",
    "orthogonal",
    "random_normal",
    "random_uniform",
    "serialize",
    "truncated_normal",
    "variance_scaling",
    "zeros",
]


class Initializer(config.Configurable):
    """A function ``(shape, dtype) -> array``.

    One of your own defines ``__call__(shape, dtype)``. TypeError when it does not.

    >>> import nn
    >>> class Ramp(nn.initializers.Initializer):
    ...     def __call__(self, shape, dtype="float32"):
    ...         return np.linspace(0, 1, int(np.prod(shape)), dtype=dtype).reshape(shape)
    >>> nn.layers.Dense(3, kernel_initializer=Ramp())(np.ones((1, 1), "float32")).numpy()
    array([[0. , 0.5, 1. ]], dtype=float32)
    """

    keras_module = "keras.initializers"

    def __call__(self, shape: tuple[int, ...], dtype: Any = np.float32) -> Any:
        raise TypeError(f"{type(self).__name__} must define __call__(shape, dtype)")


class Zeros(Initializer):
    """All zero.

    Gives the shape that is asked for; ValueError for lengths below 0.

    >>> import nn
    >>> nn.initializers.Zeros()((2, 2))
    array([[0., 0.],
           [0., 0.]], dtype=float32)
    """

    def __call__(self, shape: tuple[int, ...], dtype: Any = np.float32) -> Any:
        return np.zeros(shape, dtype)


class Ones(Initializer):
    """All one.

    Gives the shape that is asked for; ValueError for lengths below 0.

    >>> import nn
    >>> nn.initializers.Ones()((2, 2))
    array([[1., 1.],
           [1., 1.]], dtype=float32)
    """

    def __call__(self, shape: tuple[int, ...], dtype: Any = np.float32) -> Any:
        return np.ones(shape, dtype)


class Constant(Initializer):
    """All one value, or an array of the weight's shape.

    ValueError for an array of another shape, or what is no number.

    >>> import nn
    >>> nn.initializers.Constant(0.5)((2, 2))
    array([[0.5, 0.5],
           [0.5, 0.5]], dtype=float32)
    """

    def __init__(self, value: Any = 0.0):
        if np.asarray(value).dtype.kind not in "biuf":
            raise ValueError(f"the value of a Constant: expected a number, or an array of them, got {value!r}")
        self.value = value

    def __call__(self, shape: tuple[int, ...], dtype: Any = np.float32) -> Any:
        value = np.asarray(self.value, dtype)
        if value.shape not in ((), tuple(shape)):
            raise ValueError(
                f"a Constant: expected values that fill a weight of shape {tuple(shape)}, got {value.shape}"
            )
        return np.broadcast_to(value, shape).copy()


class Random(Initializer):
    """One that draws. With a seed each call gives the same values, without one they come from the common source."""

    def __init__(self, seed: int | None = None):
        self.seed = None if seed is None else whole(seed, "a seed")

    def draw(self, dtype: Any) -> np.random.Generator:
        """The generator to draw the next values from; TypeError for complex ones, whose size is of two parts."""
        real(dtype, type(self).__name__)
        return random.generator if self.seed is None else np.random.default_rng(self.seed)


class RandomNormal(Random):
    """Normally distributed values.

    Parameters
    ----------
    mean, stddev : float
        Of the distribution; ``stddev`` from 0 on.
    seed : int, optional
        A whole number from 0 on gives the same values at each call; None draws new ones.

    Raises
    ------
    ValueError
        When ``stddev`` is below 0, or ``seed`` no whole number from 0 on.

    Examples
    --------
    >>> import nn
    >>> nn.initializers.RandomNormal(mean=1.0, stddev=0.1, seed=0)((2, 2))
    array([[1.012573 , 0.9867895],
           [1.0640422, 1.0104901]], dtype=float32)
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | None = None):
        super().__init__(seed)
        self.mean, self.stddev = number(mean, "mean"), number(stddev, "stddev", 0)

    def __call__(self, shape: tuple[int, ...], dtype: Any = np.float32) -> Any:
        return self.draw(dtype).normal(self.mean, self.stddev, shape).astype(dtype)


class TruncatedNormal(RandomNormal):
    """Normally distributed values, drawn again where they are beyond two standard deviations.

    Parameters
    ----------
    mean, stddev, seed
        As in `RandomNormal`; ``stddev`` is that before values are left out.

    Raises
    ------
    ValueError
        As in `RandomNormal`.

    Examples
    --------
    >>> import nn
    >>> bool(np.all(np.abs(nn.initializers.TruncatedNormal(stddev=0.1, seed=0)((1000,))) <= 0.2))
    True
    """

    def __call__(self, shape: tuple[int, ...], dtype: Any = np.float32) -> Any:
        return (self.mean + self.stddev * truncated(self.draw(dtype), shape)).astype(dtype)


class RandomUniform(Random):
    """Values spread evenly between two bounds.

    Parameters
    ----------
    minval, maxval : float
        The bounds, of which the second is not below the first.
    seed
        As in `RandomNormal`.

    Raises
    ------
    ValueError
        When ``maxval`` is below ``minval``, or ``seed`` no whole number from 0 on.

    Examples
    --------
    >>> import nn
    >>> bool(np.all(np.abs(nn.initializers.RandomUniform(-1.0, 1.0, seed=0)((1000,))) <= 1))
    True
    """

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: int | None = None):
        super().__init__(seed)
        self.minval = number(minval, "minval")
        self.maxval = number(maxval, "maxval", self.minval)

    def __call__(self, shape: tuple[int, ...], dtype: Any = np.float32) -> Any:
        return self.draw(dtype).uniform(self.minval, self.maxval, shape).astype(dtype)


class VarianceScaling(Random):
    """Values whose variance is ``scale / n``, n being the number of inputs, of outputs, or their average.

    Parameters
    ----------
    scale : float
        Above 0.
    mode : str
        What n is: "fan_in", "fan_out" or "fan_avg".
    distribution : str
        "truncated_normal", "untruncated_normal" or "uniform".
    seed
        As in `RandomNormal`.
    input_axes, output_axes : sequence of int, optional
        Along which axes of a weight the inputs and the outputs lie, where it has several for them. None: the last axis
        but one and the last, each times all that come before these.

    Raises
    ------
    ValueError
        For a ``scale`` that is not above 0, an unknown ``mode`` or ``distribution``, and axes of one kind only; in a
        call, for axes that a weight does not have.

    Examples
    --------
    >>> import nn
    >>> weights = nn.initializers.VarianceScaling(scale=2.0, mode="fan_in", seed=0)((100, 1000))
    >>> round(float(np.var(weights)), 3)
    0.02
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: int | None = None,
        input_axes: Any = None,
        output_axes: Any = None,
    ):
        super().__init__(seed)
        if (input_axes is None) != (output_axes is None):
            raise ValueError(f"input_axes and output_axes: expected both or none, got {input_axes} and {output_axes}")
        self.input_axes, self.output_axes = input_axes, output_axes
        if mode not in ("fan_in", "fan_out", "fan_avg"):
            raise ValueError(f"mode: expected 'fan_in', 'fan_out' or 'fan_avg', got {mode!r}")
        if distribution not in ("truncated_normal", "untruncated_normal", "uniform"):
            raise ValueError(
                f"distribution: expected 'truncated_normal', 'untruncated_normal' or 'uniform', got {distribution!r}"
            )
        self.scale, self.mode, self.distribution = number(scale, "scale", 0, above=True), mode, distribution

    def __call__(self, shape: tuple[int, ...], dtype: Any = np.float32) -> Any:
        inputs, outputs = fans(shape, self.input_axes, self.output_axes)
        n = {"fan_in": inputs, "fan_out": outputs, "fan_avg": (inputs + outputs) / 2}[self.mode]
        variance = self.scale / max(1.0, n)
        if self.distribution == "uniform":
            limit = math.sqrt(3 * variance)
            return self.draw(dtype).uniform(-limit, limit, shape).astype(dtype)
        if self.distribution == "untruncated_normal":
            return (math.sqrt(variance) * self.draw(dtype).normal(size=shape)).astype(dtype)
        # 0.8796… is the standard deviation of a normal distribution cut off at ±2.
        return (math.sqrt(variance) / 0.87962566103423978 * truncated(self.draw(dtype), shape)).astype(dtype)

    def along(self, input_axes: Any, output_axes: Any) -> VarianceScaling:
        """One like this for a weight whose inputs and outputs lie along these axes, unless it was told which."""
        if self.input_axes is not None:
            return self
        return VarianceScaling(self.scale, self.mode, self.distribution, self.seed, input_axes, output_axes)


class _Scaled(VarianceScaling):
    """A `VarianceScaling` with everything but the seed decided."""

    recipe: tuple[float, str, str]

    def __init__(self, seed: int | None = None):
        super().__init__(*self.recipe, seed=seed)


class GlorotUniform(_Scaled):
    """Uniform, variance 2 / (inputs + outputs): Glorot and Bengio, 2010.

    Inputs are all axes but the last, outputs all but the last but one. ValueError unless ``seed`` is a whole number
    from 0 on.

    >>> import nn
    >>> round(float(np.var(nn.initializers.GlorotUniform(seed=0)((100, 300)))), 4)
    0.005
    """

    recipe = (1.0, "fan_avg", "uniform")


class GlorotNormal(_Scaled):
    """Truncated normal, variance 2 / (inputs + outputs): Glorot and Bengio, 2010.

    Inputs are all axes but the last, outputs all but the last but one. ValueError unless ``seed`` is a whole number
    from 0 on.

    >>> import nn
    >>> round(float(np.var(nn.initializers.GlorotNormal(seed=0)((100, 300)))), 4)
    0.005
    """

    recipe = (1.0, "fan_avg", "truncated_normal")


class HeUniform(_Scaled):
    """Uniform, variance 2 / inputs: He et al., 2015.

    Inputs are all axes but the last, outputs all but the last but one. ValueError unless ``seed`` is a whole number
    from 0 on.

    >>> import nn
    >>> round(float(np.var(nn.initializers.HeUniform(seed=0)((100, 300)))), 4)
    0.0199
    """

    recipe = (2.0, "fan_in", "uniform")


class HeNormal(_Scaled):
    """Truncated normal, variance 2 / inputs: He et al., 2015.

    Inputs are all axes but the last, outputs all but the last but one. ValueError unless ``seed`` is a whole number
    from 0 on.

    >>> import nn
    >>> round(float(np.var(nn.initializers.HeNormal(seed=0)((100, 300)))), 4)
    0.0198
    """

    recipe = (2.0, "fan_in", "truncated_normal")


class LecunUniform(_Scaled):
    """Uniform, variance 1 / inputs: LeCun et al., 1998.

    Inputs are all axes but the last, outputs all but the last but one. ValueError unless ``seed`` is a whole number
    from 0 on.

    >>> import nn
    >>> round(float(np.var(nn.initializers.LecunUniform(seed=0)((100, 300)))), 4)
    0.0099
    """

    recipe = (1.0, "fan_in", "uniform")


class LecunNormal(_Scaled):
    """Truncated normal, variance 1 / inputs: LeCun et al., 1998.

    Inputs are all axes but the last, outputs all but the last but one. ValueError unless ``seed`` is a whole number
    from 0 on.

    >>> import nn
    >>> round(float(np.var(nn.initializers.LecunNormal(seed=0)((100, 300)))), 4)
    0.0099
    """

    recipe = (1.0, "fan_in", "truncated_normal")


class Orthogonal(Random):
    """Columns, or rows, at right angles to each other, each of length ``gain``: Saxe et al., 2014.

    All axes but the last count as one. ValueError unless ``seed`` is a whole number from 0 on; in a call, for fewer
    than two axes.

    >>> import nn
    >>> w = nn.initializers.Orthogonal(seed=0)((3, 2))
    >>> np.allclose(w.T @ w, np.eye(2), atol=1e-6)
    True
    """

    def __init__(self, gain: float = 1.0, seed: int | None = None):
        super().__init__(seed)
        self.gain = number(gain, "gain of an Orthogonal")

    def __call__(self, shape: tuple[int, ...], dtype: Any = np.float32) -> Any:
        if len(shape) < 2:
            raise ValueError(f"an Orthogonal: expected a weight of two axes at least, got the shape {tuple(shape)}")
        rows, columns = math.prod(shape[:-1]), shape[-1]
        q, r = np.linalg.qr(self.draw(dtype).normal(size=(max(rows, columns), min(rows, columns))))
        q = q * np.sign(np.diag(r))  # any such matrix is as likely as any other
        return (self.gain * (q.T if rows < columns else q)).reshape(shape).astype(dtype)


def fans(shape: tuple[int, ...], input_axes: Any = None, output_axes: Any = None) -> tuple[float, float]:
    """How many inputs meet in an output of a weight of this shape, and how many outputs an input goes to.

    >>> fans((784, 10)), fans((3, 3, 32, 64))
    ((784, 10), (288, 576))
    >>> fans((32, 8, 16), input_axes=[0], output_axes=[1, 2])  # to 8 heads of 16 each
    (32, 128)
    """
    if input_axes is not None and output_axes is not None:
        places = [[axis_in(axis, len(shape), "fans") for axis in axes] for axes in (input_axes, output_axes)]
        inputs, outputs = (math.prod(shape[axis] for axis in axes) for axes in places)
        return inputs, outputs
    if not shape:
        return 1, 1
    if len(shape) == 1:
        return shape[0], shape[0]
    field = math.prod(shape[:-2])
    return shape[-2] * field, shape[-1] * field


def truncated(source: np.random.Generator, shape: tuple[int, ...]) -> Any:
    """Standard normal values, those beyond ±2 drawn again."""
    values = source.normal(size=shape)
    while np.any(far := np.abs(values) > 2):
        values[far] = source.normal(size=np.count_nonzero(far))
    return values


# Keras has a second name for each.
constant = Constant
glorot_normal = GlorotNormal
glorot_uniform = GlorotUniform
he_normal = HeNormal
he_uniform = HeUniform
lecun_normal = LecunNormal
lecun_uniform = LecunUniform
ones = Ones
orthogonal = Orthogonal
random_normal = RandomNormal
random_uniform = RandomUniform
truncated_normal = TruncatedNormal
variance_scaling = VarianceScaling
zeros = Zeros

CLASSES = (
    Zeros, Ones, Constant, RandomNormal, TruncatedNormal, RandomUniform, VarianceScaling, GlorotUniform, GlorotNormal,
    HeUniform, HeNormal, LecunUniform, LecunNormal,
    Orthogonal,
)  # fmt: skip
registry = config.registry("initializer").add(
    *CLASSES, uniform=RandomUniform, normal=RandomNormal, OrthogonalInitializer=Orthogonal
)
registry.accepted = {np.ndarray: Constant, Tensor: lambda t: Constant(t.data), type(None): lambda _: None}
get, serialize, deserialize = registry.functions(__name__, "Constant(0.5)", "value == 0.5", serialize="initializer")

__getattr__ = absent.getattr_of("initializers")
