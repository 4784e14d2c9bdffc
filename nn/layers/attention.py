"""Attention without weights of its own, or with one."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import activations
from ..masks import truth
from .dropout import Dropout
from .layer import Layer
from .merging import several


class Attention(Layer):
    """Means of values, for each query weighted by ``softmax(query · key)``.

    Called on a list ``[query, value]`` or ``[query, value, key]``, of the shapes (batch, targets, features) and
    (batch, sources, features), it gives (batch, targets, features of the values). Keys are the values, if there are no
    others. With ``return_attention_scores`` the weights, (batch, targets, sources), come out as well; with
    ``use_causal_mask`` nothing counts that comes after a target.

    Parameters
    ----------
    use_scale : bool
        Whether the products are multiplied by a number that trains.
    score_mode : str
        "dot", or "concat" for ``Σ tanh(query + key)`` times a number that trains.
    dropout : float
        Which share of the weights is left out while training, from 0 to 1.
    seed : int, optional
        That of the dropout.
    **kwargs
        As in `Layer`.

    Raises
    ------
    ValueError
        For another ``score_mode``; in a call, for what is no list of two or three.

    Examples
    --------
    >>> Attention()([np.ones((2, 5, 8)), np.ones((2, 3, 8))]).shape
    (2, 5, 8)
    """

    def __init__(
        self,
        use_scale: bool = False,
        score_mode: str = "dot",
        dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if score_mode not in ("dot", "concat"):
            raise ValueError(f"score_mode: expected 'dot' or 'concat', got {score_mode!r}")
        self.use_scale, self.score_mode, self.seed = use_scale, score_mode, seed
        self.dropout_layer = Dropout(dropout, seed=seed, name="attention_dropout")
        self.dropout = self.dropout_layer.rate

    def build(self, input_shape: Any) -> None:
        self._check(several(input_shape), input_shape)
        if self.use_scale:
            self.scale = self.add_weight((), "ones", name="scale")
        if self.score_mode == "concat":
            self.concat_score_weight = self.add_weight((), "ones", name="concat_score_weight")

    def _check(self, parts: Any, given: Any) -> None:
        if not isinstance(parts, list | tuple) or len(parts) not in (2, 3):
            raise ValueError(
                f"layer {self.name!r}: expected a list of query, value and perhaps key, and as many masks, got {given}"
            )

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """That of the queries; ValueError for other than two or three inputs and masks."""
        self._check(inputs, f"inputs of type {type(inputs).__name__}")
        if mask is not None:
            self._check(mask, f"masks of type {type(mask).__name__}")
        return None if mask is None or mask[0] is None else truth(mask[0])

    def call(
        self, inputs: Any, mask: Any = None, return_attention_scores: bool = False, use_causal_mask: bool = False
    ) -> Any:
        query, value, *others = inputs
        key = others[0] if others else value
        of_query, of_value = (None, None) if mask is None else mask[:2]
        if self.score_mode == "dot":
            scores = query @ np.swapaxes(key, -2, -1)
            scores = scores * self.scale if self.use_scale else scores
        else:
            total = np.expand_dims(query, -2) + np.expand_dims(key, -3)
            total = total * self.scale if self.use_scale else total
            scores = self.concat_score_weight * np.sum(np.tanh(total), axis=-1)
        counts = None if of_value is None else truth(of_value)[:, None]
        if use_causal_mask:
            causal = truth(np.tril(np.ones(scores.shape[-2:], bool))[None])
            counts = causal if counts is None else counts & causal
        if counts is not None:
            scores = np.where(counts, scores, scores - scores.dtype.type(3e4 if scores.dtype == np.float16 else 1e9))
        weights = self.dropout_layer(activations.softmax(scores))
        result = weights @ value
        if of_query is not None:
            result = np.where(truth(of_query)[..., None], result, result.dtype.type(0))
        return (result, weights) if return_attention_scores else result
