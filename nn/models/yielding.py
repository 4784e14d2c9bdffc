"""Names that a class of somebody's own may use for something else."""

from __future__ import annotations

from typing import Any


class Yielding(property):
    """A property of models whose name is free in a class with a ``call`` of its own, as it is in Keras.

    >>> import nn
    >>> class Twice(nn.Model):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.outputs = nn.layers.Dense(2)
    ...     def call(self, x):
    ...         return self.outputs(x) * 2
    >>> len(Twice().layers)
    1
    """

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is not None and self.name in vars(instance):
            return vars(instance)[self.name]
        return super().__get__(instance, owner)

    def __set__(self, instance: Any, value: Any) -> None:
        if vars(instance).get("_network") is not None:
            super().__set__(instance, value)  # which says that it cannot be set
        vars(instance)[self.name] = value

    def __delete__(self, instance: Any) -> None:
        if vars(instance).pop(self.name, self) is self:
            super().__delete__(instance)
