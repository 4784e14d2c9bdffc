"""Pictures of what a model does. They need Matplotlib: ``pip install "autograd-core[plots]"``."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_core.arrays import to_numpy
from autograd_core.optional import needed

from .tensors import plain

MARKERS = "os^DvP*X<>"
BATCH = 4096


def plot_decision_boundary(model: Any, x: Any, y: Any, *, ax: Any = None, resolution: int = 200) -> Any:
    """Which class a model gives to each point of the plane, with the data on top. A class is a colour and a marker.

    Parameters
    ----------
    model : Model
        It gives one number an example (a probability, or a margin, whose boundary is 0: told apart by whether any
        leaves 0 … 1) or one for each class.
    x : array_like
        The points, (examples, 2).
    y : array_like
        Their classes: whole numbers, or one-hot rows.
    ax : Axes, optional
        The Matplotlib axes to draw into; None makes a figure.
    resolution : int
        How many points the plane is divided into along each axis.

    Returns
    -------
    matplotlib.axes.Axes
        What was drawn into.

    Raises
    ------
    ValueError
        When the points are not of the plane, or there is not one class for each.
    ImportError
        Without Matplotlib.

    Examples
    --------
    >>> import nn
    >>> from nn.plots import plot_decision_boundary
    >>> model = nn.Sequential([nn.Input(shape=(2,)), nn.layers.Dense(1, "sigmoid")])
    >>> x = np.array([[0.0, 0.0], [1.0, 1.0]])
    >>> axes = plot_decision_boundary(model, x, np.array([0, 1]), resolution=20)
    >>> type(axes).__name__
    'Axes'
    """
    x, y = to_numpy(plain(x)), to_numpy(plain(y))
    if x.ndim != 2 or x.shape[1] != 2:
        raise ValueError(
            f"x: expected points of the plane, shape (examples, 2), to draw a decision boundary for, got {x.shape}"
        )
    if y.ndim == 2:
        y = np.argmax(y, axis=1) if y.shape[1] > 1 else y[:, 0]
    if y.shape != x.shape[:1]:
        raise ValueError(f"y: expected one class for each of the {len(x)} points, got shape {y.shape}")
    colors = needed("matplotlib.colors", "A picture of a decision boundary", "plots")
    figure = needed("matplotlib.figure", "A picture of a decision boundary", "plots")
    axes = figure.Figure(figsize=(5, 4.5), layout="constrained").add_subplot() if ax is None else ax
    low, high = x.min(axis=0), x.max(axis=0)
    margin = 0.1 * np.where(high > low, high - low, 1.0)
    across = [np.linspace(low[i] - margin[i], high[i] + margin[i], resolution) for i in (0, 1)]
    a, b = np.meshgrid(*across)
    chosen = predicted_classes(model, np.stack([a.ravel(), b.ravel()], axis=1)).reshape(a.shape)
    classes = np.unique(np.concatenate([np.unique(y), np.unique(chosen)]))
    colours = [
        "#4c78a8",
        "#f58518",
        "#54a24b",
        "#b279a2",
        "#e45756",
        "#72b7b2",
        "#eeca3b",
        "#9d755d",
        "#ff9da6",
        "#bab0ac",
    ]
    shades = [colours[i % len(colours)] for i in range(len(classes))]
    regions = np.searchsorted(classes, chosen)
    edges = np.arange(len(classes) + 1) - 0.5
    axes.contourf(a, b, regions, levels=edges, cmap=colors.ListedColormap(shades), alpha=0.25)
    if len(np.unique(regions)) > 1:
        axes.contour(a, b, regions, levels=edges[1:-1], colors="black", linewidths=1)
    for i, name in enumerate(classes):
        points = x[y == name]
        if len(points):
            look: dict[str, Any] = {"color": shades[i], "marker": MARKERS[i % len(MARKERS)], "label": f"class {name:g}"}
            axes.scatter(points[:, 0], points[:, 1], s=24, edgecolor="black", linewidth=0.6, **look)
    axes.set_xlabel("x₁")
    axes.set_ylabel("x₂")
    axes.legend(frameon=True, fontsize="small")
    return axes


def predicted_classes(model: Any, points: Any) -> Any:
    """The class that a model gives to each point: the largest output, or the side of the boundary of one output.

    ``points`` is (examples, numbers), the result (examples,) whole numbers. TypeError for a model that cannot be
    called.

    >>> predicted_classes(lambda p: p[:, :1] - 1.0, np.array([[0.0, 0.0], [3.0, 0.0]]))
    array([0, 1])
    """
    batches = [points[i : i + BATCH] for i in range(0, len(points), BATCH)]
    out = np.concatenate([to_numpy(plain(model(batch))) for batch in batches])
    out = out.reshape(len(points), -1)
    if out.shape[1] > 1:
        return np.argmax(out, axis=1)
    boundary = 0.5 if out.min() >= 0 and out.max() <= 1 else 0.0
    return (out[:, 0] > boundary).astype(int)
