"""The libraries that `corners.py` asks, each under one set of names: that of `corner_rows.py`.

A library is a few modules to look a name up in, the names that differ, and how it computes gradients. What it has
under no name raises `Missing`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial
from importlib.metadata import version
from typing import Any

import numpy as np

W_2, W_6 = np.array([[1.0, 2], [3, 5]]), np.array([[1.0, 2, 3], [4, 5, 7]])
W_3 = np.array([1.0, 2, 3])


class Missing(Exception):
    """The library has no such function, or none with a derivative of that order."""


# What takes more than one call, in libraries that look like NumPy.
COMPOSED: dict[str, Callable[..., Any]] = {
    "number_power": lambda m, x, n: x**n,
    "power_of": lambda m, base, y: base**y,
    "maximum_with": lambda m, x, number: m.maximum(x, number),
    "max_axis": lambda m, x: m.max(x, axis=0),
    "rsqrt": lambda m, x: 1 / m.sqrt(x),
    "norm_1": lambda m, x: m.norm(x, 1),
    "norm_3": lambda m, x: m.norm(x, 3),
    "norm_inf": lambda m, x: m.norm(x, np.inf),
    "where_positive": lambda m, x, y: m.where(x > 0, y, 0.0),
    "sorted": lambda m, x: m.sort(x) * m.constant(W_3),
    "var_1": lambda m, x: m.var(x, ddof=1),
    "std_1": lambda m, x: m.std(x, ddof=1),
    "mean_axis": lambda m, x: m.mean(x, axis=1),
    "softmax_first": lambda m, x: m.softmax(x)[0],
    "log_softmax_last": lambda m, x: m.log_softmax(x)[1],
    "eigenvalues": lambda m, x: m.eigh(x)[0],
    "eigenvectors": lambda m, x: m.eigh(x)[1] * m.constant(W_2),
    "singular_values": lambda m, x: m.svd(x, compute_uv=False),
    "singular_vectors": lambda m, x: m.svd(x)[0] * m.constant(W_2),
    "null_vector": lambda m, x: m.svd(x, full_matrices=True)[0][:, 2] ** 2 * m.constant(W_3),
    "weighted_pinv": lambda m, x: m.pinv(x) * m.constant(W_6),
    "weighted_inv": lambda m, x: m.inv(x) * m.constant(W_2),
}


class Library:
    """Functions by their common names, and `gradients`."""

    name = ""
    distribution = ""

    def __init__(self, *modules: Any, **names: Any):
        self.modules, self.names = modules, names

    def __getattr__(self, name: str) -> Any:
        if name in COMPOSED and name not in self.names:
            return partial(COMPOSED[name], self)
        found = self.names.get(name, name)
        if found is None:
            raise Missing(name)
        if not isinstance(found, str):
            return found
        for module in self.modules:
            if hasattr(module, found):
                return getattr(module, found)
        raise Missing(name)

    @property
    def version(self) -> str:
        """The name of the library with its version."""
        return f"{self.name} {version(self.distribution)}"

    def constant(self, array: Any) -> Any:
        """An array of weights in the library's own form."""
        return array

    def gradients(self, f: Callable[..., Any], at: Sequence[Any], second: bool) -> list[Any]:
        """The gradient of ``sum(f(self, *at))`` for each argument, or that of the sum of the first one."""
        raise NotImplementedError(f"{type(self).__name__} must define gradients")


class Ours(Library):
    name, distribution = "ours", "autograd-core"

    def __init__(self) -> None:
        import autograd_core
        import nn

        def pooled(x: Any) -> Any:
            return nn.layers.MaxPooling2D(2, dtype="float64")(np.reshape(x, (1, 2, 2, 1)))

        super().__init__(
            np, np.linalg, autograd_core, nn.activations,
            relu6=lambda x: nn.activations.relu(x, max_value=6.0),
            huber=lambda x: nn.losses.huber(np.zeros(1), np.reshape(x, (1,))),
            abs_error=lambda x: nn.losses.mean_absolute_error(np.zeros(1), np.reshape(x, (1,))),
            xlogy=None, pooled=pooled,
        )  # fmt: skip
        self.engine = autograd_core

    def gradients(self, f: Callable[..., Any], at: Sequence[Any], second: bool) -> list[Any]:
        grad = self.engine.grad

        def total(*xs: Any) -> Any:
            return np.sum(f(self, *xs))

        try:
            if second:
                return [grad(lambda x: np.sum(grad(total)(x)))(*at)]
            return list(grad(total, tuple(range(len(at))))(*at))
        except TypeError as error:  # a function without a rule, as its message says
            raise Missing(str(error)) from error


class Torch(Library):
    name, distribution = "PyTorch", "torch"

    def __init__(self) -> None:
        import torch

        torch.set_num_threads(1)
        functional, linalg = torch.nn.functional, torch.linalg

        super().__init__(
            torch, functional, linalg,
            power="pow", arctan2="atan2", arcsin="asin", arccos="acos", arccosh="acosh", arctanh="atanh",
            arcsinh="asinh", clip="clamp", hard_sigmoid="hardsigmoid", norm=linalg.vector_norm, cbrt=None,
            pooled=lambda x: functional.max_pool2d(x.reshape(1, 1, 2, 2), 2),
        )  # fmt: skip
        self.torch, self.functional = torch, functional

    def constant(self, array: Any) -> Any:
        return self.torch.tensor(array)

    def gradients(self, f: Callable[..., Any], at: Sequence[Any], second: bool) -> list[Any]:
        torch = self.torch
        xs = [torch.tensor(a, dtype=torch.float64, requires_grad=True) for a in at]
        found = torch.autograd.grad(f(self, *xs).sum(), xs, create_graph=second, allow_unused=True)
        if second:
            if not found[0].requires_grad:
                raise Missing("a gradient that is recorded")
            found = torch.autograd.grad(found[0].sum(), xs, allow_unused=True)
        return [None if g is None else g.numpy(force=True) for g in found]

    def maximum_with(self, x: Any, number: float) -> Any:
        return self.torch.maximum(x, self.torch.tensor(number, dtype=self.torch.float64))

    def max_axis(self, x: Any) -> Any:
        return self.torch.max(x, 0).values

    def cumprod(self, x: Any) -> Any:
        return self.torch.cumprod(x, 0)

    def cumsum(self, x: Any) -> Any:
        return self.torch.cumsum(x, 0)

    def logsumexp(self, x: Any) -> Any:
        return self.torch.logsumexp(x, 0)

    def softmax(self, x: Any) -> Any:
        return self.torch.softmax(x, 0)

    def log_softmax(self, x: Any) -> Any:
        return self.torch.log_softmax(x, 0)

    def sorted(self, x: Any) -> Any:
        return self.torch.sort(x).values * self.constant(W_3)

    def std(self, x: Any) -> Any:
        return self.torch.std(x, correction=0)

    def std_1(self, x: Any) -> Any:
        return self.torch.std(x, correction=1)

    def var_1(self, x: Any) -> Any:
        return self.torch.var(x, correction=1)

    def mean_axis(self, x: Any) -> Any:
        return self.torch.mean(x, 1)

    def leaky_relu(self, x: Any) -> Any:
        return self.functional.leaky_relu(x, 0.2)

    def huber(self, x: Any) -> Any:
        return self.functional.huber_loss(x, self.torch.zeros_like(x))

    def abs_error(self, x: Any) -> Any:
        return self.functional.l1_loss(x, self.torch.zeros_like(x))

    def singular_values(self, x: Any) -> Any:
        return self.torch.linalg.svdvals(x)

    def null_vector(self, x: Any) -> Any:
        return self.torch.linalg.svd(x, full_matrices=True)[0][:, 2] ** 2 * self.constant(W_3)


class Jax(Library):
    name, distribution = "JAX", "jax"

    def __init__(self) -> None:
        import jax
        import jax.numpy as jnp

        jax.config.update("jax_enable_x64", True)

        def pooled(x: Any) -> Any:
            return jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (2, 2), (2, 2), "VALID")

        super().__init__(
            jnp, jnp.linalg, jax.nn, jax.scipy.special,
            rsqrt=jax.lax.rsqrt, softsign="soft_sign", pooled=pooled,
            leaky_relu=lambda x: jax.nn.leaky_relu(x, 0.2), gelu=lambda x: jax.nn.gelu(x, approximate=False),
        )  # fmt: skip
        self.jax, self.jnp = jax, jnp

    def gradients(self, f: Callable[..., Any], at: Sequence[Any], second: bool) -> list[Any]:
        grad = self.jax.grad
        at = [self.jnp.asarray(a) for a in at]

        def total(*xs: Any) -> Any:
            return self.jnp.sum(f(self, *xs))

        if second:
            return [grad(lambda x: self.jnp.sum(grad(total)(x)))(*at)]
        return list(grad(total, tuple(range(len(at))))(*at))


class TensorFlow(Library):
    name, distribution = "TensorFlow", "tensorflow"

    def __init__(self) -> None:
        os.environ |= {"TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": "tensorflow", "CUDA_VISIBLE_DEVICES": ""}
        import keras
        import tensorflow as tf

        super().__init__(
            tf, tf.math, tf.nn, tf.linalg, keras.ops,
            power="pow", max="reduce_max", min="reduce_min", prod="reduce_prod", mean="reduce_mean", std="reduce_std",
            clip="clip_by_value", arctan2="atan2", logsumexp="reduce_logsumexp", remainder="floormod",
            arcsin="asin", arccos="acos", arccosh="acosh", arctanh="atanh", arcsinh="asinh", rsqrt=tf.math.rsqrt,
            softmax=tf.nn.softmax, log_softmax=tf.nn.log_softmax, gelu=tf.nn.gelu, norm=tf.norm, cbrt=None,
            copysign=None, fmax=None, fmod=None, var_1=None, std_1=None, elu=keras.activations.elu,
            selu=keras.activations.selu,
            leaky_relu=keras.activations.leaky_relu, relu6=keras.activations.relu6, relu=keras.activations.relu,
            hard_sigmoid=keras.activations.hard_sigmoid, softsign=keras.activations.softsign,
            silu=keras.activations.silu,
        )  # fmt: skip
        self.tf, self.keras = tf, keras

    @property
    def version(self) -> str:
        return f"TensorFlow {self.tf.__version__} with Keras {self.keras.__version__}"

    def gradients(self, f: Callable[..., Any], at: Sequence[Any], second: bool) -> list[Any]:
        tf = self.tf
        xs = [tf.constant(a, tf.float64) for a in at]
        with tf.GradientTape() as outer:
            outer.watch(xs)
            with tf.GradientTape() as inner:
                inner.watch(xs)
                z = tf.reduce_sum(f(self, *xs))
            found = inner.gradient(z, xs)
            first = None if found[0] is None or not second else tf.reduce_sum(found[0])
        if second:
            found = [None if first is None else outer.gradient(first, xs[0])]
        return [None if g is None else np.asarray(tf.convert_to_tensor(g)) for g in found]

    def maximum_with(self, x: Any, number: float) -> Any:
        return self.tf.maximum(x, self.tf.constant(number, self.tf.float64))

    def max_axis(self, x: Any) -> Any:
        return self.tf.reduce_max(x, 0)

    def mean_axis(self, x: Any) -> Any:
        return self.tf.reduce_mean(x, 1)

    def where_positive(self, x: Any, y: Any) -> Any:
        return self.tf.where(x > 0, y, self.tf.zeros_like(y))

    def pooled(self, x: Any) -> Any:
        return self.tf.nn.max_pool2d(self.tf.reshape(x, (1, 2, 2, 1)), 2, 2, "VALID")

    def huber(self, x: Any) -> Any:
        return self.keras.losses.huber(self.tf.zeros((1,), self.tf.float64), self.tf.reshape(x, (1,)))

    def abs_error(self, x: Any) -> Any:
        return self.keras.losses.mean_absolute_error(self.tf.zeros((1,), self.tf.float64), self.tf.reshape(x, (1,)))

    def singular_vectors(self, x: Any) -> Any:
        return self.tf.linalg.svd(x)[1] * W_2

    def null_vector(self, x: Any) -> Any:
        return self.tf.linalg.svd(x, full_matrices=True)[1][:, 2] ** 2 * W_3


class Hips(Library):
    name, distribution = "HIPS autograd", "autograd"

    def __init__(self) -> None:
        import autograd
        import autograd.numpy as anp
        import autograd.scipy.special as special

        names = dict.fromkeys(("relu", "elu", "selu", "softplus", "softmax", "log_softmax", "gelu", "silu", "xlogy"))
        super().__init__(anp, anp.linalg, special, **names, sigmoid="expit")
        self.autograd, self.numpy = autograd, anp

    def gradients(self, f: Callable[..., Any], at: Sequence[Any], second: bool) -> list[Any]:
        grad = self.autograd.grad
        at = [np.asarray(a) for a in at]  # of Python's own numbers 0.0 ** -0.5 is Python's, which raises

        def total(*xs: Any) -> Any:
            return self.numpy.sum(f(self, *xs))

        if second:
            return [grad(lambda x: self.numpy.sum(grad(total)(x)))(*at)]
        return [grad(total, i)(*at) for i in range(len(at))]


class MyGrad(Library):
    name, distribution = "MyGrad", "mygrad"

    def __init__(self) -> None:
        import mygrad
        from mygrad import nnet
        from mygrad.nnet import activations

        # It has NumPy's other functions too, for constants.
        names = dict.fromkeys(
            ("norm_inf", "sort", "median", "quantile", "interp", "nansum", "nanmean", "nanmax", "nanmedian", "det",
             "slogdet", "eigh", "svd", "pinv", "cholesky", "inv", "gelu",
             "silu", "softplus", "copysign", "trunc", "floor", "sign", "fmod", "remainder")
        )  # fmt: skip
        super().__init__(
            mygrad, mygrad.linalg, activations, **names,
            elu=lambda x: activations.elu(x, 1.0), leaky_relu=lambda x: activations.leaky_relu(x, 0.2),
            softsign="soft_sign",
            softmax_first=lambda x: activations.softmax(mygrad.reshape(x, (1, -1)))[0, 0],
            log_softmax_last=lambda x: activations.logsoftmax(mygrad.reshape(x, (1, -1)))[0, 1],
            pooled=lambda x: nnet.layers.max_pool(mygrad.reshape(x, (1, 1, 2, 2)), (2, 2), 2),
        )  # fmt: skip
        self.mygrad = mygrad

    def gradients(self, f: Callable[..., Any], at: Sequence[Any], second: bool) -> list[Any]:
        if second:
            raise Missing("second derivatives")
        xs = [self.mygrad.tensor(a) for a in at]
        z = f(self, *xs)
        self.mygrad.sum(z).backward()
        return [x.grad for x in xs]


class Tinygrad(Library):
    name, distribution = "tinygrad", "tinygrad"

    def __init__(self) -> None:
        os.environ.setdefault("DEV", "PYTHON")  # the same rules, and no compiler
        from tinygrad import Tensor

        super().__init__(
            Tensor,
            arcsin="asin", arccos="acos", arccosh="acosh", arctanh="atanh", arcsinh="asinh",
            hard_sigmoid="hardsigmoid", remainder="mod", power="pow", svd=None,
        )  # fmt: skip
        self.tensor = Tensor

    @property
    def version(self) -> str:
        return f"{super().version} (DEV=PYTHON)"

    def constant(self, array: Any) -> Any:
        return self.tensor(array)

    def gradients(self, f: Callable[..., Any], at: Sequence[Any], second: bool) -> list[Any]:
        xs = [self.tensor(np.atleast_1d(np.asarray(a, np.float64))) for a in at]  # it needs an axis
        found = f(self, *xs).sum().gradient(*xs)
        if second:
            found = found[0].sum().gradient(xs[0])
        # A gradient that is a constant lies on no device, until something that does is added to it.
        there = [g + self.tensor(np.zeros(g.shape)) for g in found]
        return [g.numpy().reshape(np.shape(a)) for g, a in zip(there, at, strict=False)]

    def where_positive(self, x: Any, y: Any) -> Any:
        return (x > 0).where(y, 0.0)

    def max_axis(self, x: Any) -> Any:
        return x.max(0)

    def cumprod(self, x: Any) -> Any:
        return x.cumprod(0)

    def cumsum(self, x: Any) -> Any:
        return x.cumsum(0)

    def sorted(self, x: Any) -> Any:
        return x.sort()[0] * self.tensor(W_3)

    def std(self, x: Any) -> Any:
        return x.std(correction=0)

    def std_1(self, x: Any) -> Any:
        return x.std(correction=1)

    def var_1(self, x: Any) -> Any:
        return x.var(correction=1)

    def mean_axis(self, x: Any) -> Any:
        return x.mean(1)

    def leaky_relu(self, x: Any) -> Any:
        return x.leaky_relu(0.2)

    def pooled(self, x: Any) -> Any:
        return x.reshape(1, 1, 2, 2).max_pool2d(2)

    def gelu(self, x: Any) -> Any:
        raise Missing("gelu without an approximation")


LIBRARIES: tuple[type[Library], ...] = (Ours, Torch, Jax, TensorFlow, Hips, MyGrad, Tinygrad)
