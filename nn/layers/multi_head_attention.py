"""Attention with several heads."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..activations import sigmoid
from ..checks import whole
from ..masks import truth
from ..tensors import constant
from .dropout import Dropout
from .layer import Layer
from .projection import Projection
from .softmax import Softmax


class MultiHeadAttention(Layer):
    """Means of values, for each query weighted by ``softmax(query · key / √key_dim)``, in several heads at once.

    Called on ``(query, value)`` or ``(query, value, key)``, of the shapes (batch, targets, features) and
    (batch, sources, features), it gives (batch, targets, features of the query). Keys are the values, if there are no
    others. What ``attention_mask``, (batch, targets, sources) or (targets, sources), leaves out has no part in a
    mean, nor with ``use_causal_mask`` what comes after a target, nor what the masks of the inputs leave out. With
    ``return_attention_scores`` the weights, (batch, heads, targets, sources), come out as well.

    Parameters
    ----------
    num_heads : int
        How many heads there are, from 1 on.
    key_dim : int
        How long queries and keys of a head are, from 1 on.
    value_dim : int, optional
        How long values of a head are; None for ``key_dim``.
    dropout : float
        Which share of the weights is left out while training, from 0 to 1.
    use_bias : bool
        Whether the projections have a bias.
    output_shape : int or tuple of int, optional
        The last axes of the result; None for those of the query.
    attention_axes : int, optional
        The axis of the positions: 1, which None means, too.
    sliding_window : int, optional
        How far a query looks, from 1 on: to the sources that are nearer to its own position than that, on both sides.
    kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer, kernel_constraint, bias_constraint
        Those of all projections, as in `Dense`.
    seed : int, optional
        That of the dropout.
    use_gate : bool
        Whether each query says by a sigmoid of a projection of its own how much of each mean comes through.
    **kwargs
        As in `Layer`.

    Raises
    ------
    ValueError
        For numbers below 1, and other ``attention_axes``; in a call, for inputs of another number of axes than three.

    References
    ----------
    A. Vaswani et al.: Attention is all you need. NeurIPS 2017.

    Examples
    --------
    >>> x = np.ones((2, 5, 8))
    >>> MultiHeadAttention(2, 4)(x, x, use_causal_mask=True).shape
    (2, 5, 8)
    """

    supports_masking = True

    def __init__(
        self,
        num_heads: int,
        key_dim: int,
        value_dim: int | None = None,
        dropout: float = 0.0,
        use_bias: bool = True,
        output_shape: Any = None,
        attention_axes: Any = None,
        sliding_window: int | None = None,
        *,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        seed: int | None = None,
        use_gate: bool = False,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.num_heads = whole(num_heads, "the number of heads", 1)
        self.key_dim = whole(key_dim, "key_dim", 1)
        self.value_dim = self.key_dim if value_dim is None else whole(value_dim, "value_dim", 1)
        self.use_bias = use_bias
        given = () if output_shape is None else output_shape
        given = tuple(given) if isinstance(given, list | tuple) else (given,)
        self._last = tuple(whole(n, "a length of the output", 1) for n in given)
        if attention_axes not in (None, 1, (1,), [1]):
            raise ValueError(f"attention_axes: expected 1, that of the positions, or None, got {attention_axes!r}")
        self.attention_axes, self.use_gate = attention_axes, use_gate
        self.sliding_window = None if sliding_window is None else whole(sliding_window, "sliding_window", 1)
        self._plan_weight("kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        self._plan_weight("bias", bias_initializer, bias_regularizer, bias_constraint)
        self.seed = seed
        self.dropout_layer = Dropout(dropout, seed=seed, name="attention_dropout")
        self.dropout = self.dropout_layer.rate
        self.softmax = Softmax(name="attention_softmax")

    def build(self, query_shape: Any, value_shape: Any = None, key_shape: Any = None) -> None:
        shapes = query_shape, key_shape or value_shape, value_shape
        if len(query_shape) != 3:
            raise ValueError(
                f"layer {self.name!r}: expected queries of shape (batch, positions, features), got {tuple(query_shape)}"
            )
        kernel, bias = (
            [getattr(self, f"{weight}_{what}") for what in ("initializer", "regularizer", "constraint")]
            for weight in ("kernel", "bias")
        )

        def projection(name: str, shape: tuple[int, ...], summed: int = 1) -> Projection:
            return Projection(shape, summed, self.use_bias, kernel, bias, name=name, dtype=self.dtype)

        self.query_dense = projection("query", (self.num_heads, self.key_dim))
        self.key_dense = projection("key", (self.num_heads, self.key_dim))
        if self.use_gate:
            # by the name under which Keras stores it
            self._gate_dense = projection("gate", (self.num_heads, self.value_dim))
        self.value_dense = projection("value", (self.num_heads, self.value_dim))
        self.output_dense = projection("attention_output", self._last or (query_shape[-1],), 2)
        if value_shape is not None:  # or else they are built when they are called
            for layer, shape in zip((self.query_dense, self.key_dense, self.value_dense), shapes, strict=True):
                layer.build(shape)
            if self.use_gate:
                self._gate_dense.build(query_shape)
            self.output_dense.build((*query_shape[:-1], self.num_heads, self.value_dim))

    def call(  # type: ignore[override]
        self,
        query: Any,
        value: Any,
        key: Any = None,
        query_mask: Any = None,
        value_mask: Any = None,
        key_mask: Any = None,
        attention_mask: Any = None,
        return_attention_scores: bool = False,
        use_causal_mask: bool = False,
    ) -> Any:
        value = constant(value, self.dtype)
        key = value if key is None else constant(key, self.dtype)
        mask = self._mask(query, key, query_mask, (value_mask, key_mask), attention_mask, use_causal_mask)
        # (batch, positions, heads, …) -> (batch, heads, positions, …)
        q, k, v = (
            np.swapaxes(layer(x), 1, 2)
            for layer, x in ((self.query_dense, query), (self.key_dense, key), (self.value_dense, value))
        )
        scores = (q * q.dtype.type(1 / math.sqrt(self.key_dim))) @ np.swapaxes(k, 2, 3)
        if mask is None or self.dropout or return_attention_scores:
            weights = self.softmax(scores, mask=mask)
        else:  # where all is left out, Keras takes the mean of all here, and nothing above
            weights = self.softmax(
                np.where(mask, scores, scores.dtype.type(-3e4 if scores.dtype == np.float16 else -1e9))
            )
        means = np.swapaxes(self.dropout_layer(weights) @ v, 1, 2)
        result = self.output_dense(means * sigmoid(self._gate_dense(query)) if self.use_gate else means)
        return (result, weights) if return_attention_scores else result

    def _mask(self, query: Any, key: Any, targets: Any, sources: Any, given: Any, causal: bool) -> Any:
        """What counts, with an axis for the heads: (batch, 1, targets, sources); None for all."""
        masks = [] if targets is None else [truth(targets)[:, None, :, None]]
        masks += [truth(mask)[:, None, None, :] for mask in sources if mask is not None]
        if causal:
            masks.append(truth(np.tril(np.ones((query.shape[1], key.shape[1]), bool))[None, None]))
        if self.sliding_window is not None:
            apart = np.subtract.outer(np.arange(query.shape[1]), np.arange(key.shape[1]))
            masks.append(truth(np.abs(apart) < self.sliding_window)[None, None])
        if given is not None:
            given = truth(given)
            masks.append(given[:, None] if given.ndim == 3 else given)
        found = None
        for mask in masks:
            found = mask if found is None else found & mask
        return found

    def get_config(self) -> dict[str, Any]:
        """The arguments that make another one like this, as plain data."""
        return {**super().get_config(), "output_shape": list(self._last) or None}
