"""Names and configurations: from a string to the thing it names, from a thing to plain data and back."""

from __future__ import annotations

import difflib
import functools
import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any, Self

import numpy as np

from autograd_core.replay import freeze

from . import absent, keras_config, random
from .settings import (
    backend,
    epsilon,
    floatx,
    get_numba,
    image_data_format,
    set_floatx,
    set_image_data_format,
    set_numba,
)

__all__ = [
    "backend",
    "epsilon",
    "floatx",
    "get_numba",
    "image_data_format",
    "set_floatx",
    "set_image_data_format",
    "set_numba",
]


def snake_case(name: str) -> str:
    """``MaxPooling2D`` as ``max_pooling2d``, ``PReLU`` as ``p_re_lu``: how Keras names layers."""
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def function_name(fn: Any) -> str:
    """What Keras calls a loss or a metric that is a function, or an object that can be called.

    >>> function_name(lambda y_true, y_pred: 0)
    'lambda'
    """
    return getattr(fn, "name", None) or snake_case(getattr(fn, "__name__", type(fn).__name__))


def suggest(name: str, known: Iterable[str]) -> str:
    """The advice for a name that is not there: what is close to it, or all there is.

    >>> suggest("rleu", ["relu", "tanh"])
    "did you mean 'relu'?"
    """
    known = sorted(known)
    lower = {k.lower(): k for k in known}
    close = [lower[k] for k in difflib.get_close_matches(name.lower(), lower, 3, 0.6)]
    if close:
        return f"did you mean {' or '.join(map(repr, close))}?"
    return f"there are {', '.join(map(repr, known))}" if known else "there are none"


def reject(owner: Any, unknown: Mapping[str, Any]) -> None:
    """Raise for arguments that ``owner`` does not have; one of Keras' may have a value at which it changes nothing."""
    for name, value in unknown.items():
        of_keras = next((why for names, why in absent.ARGUMENTS.items() if name in names.split()), None)
        if of_keras is None or not keras_config.without_effect(name, value):
            hint = of_keras or suggest(name, arguments(type(owner)))
            raise TypeError(f"{type(owner).__name__} has no argument {name!r}; {hint}")


def arguments(cls: type) -> tuple[str, ...]:
    """The names that the constructor of ``cls`` takes, those that it hands to its base classes included.

    Without those that the class decides itself (``decided``).
    """
    names: dict[str, None] = {}
    for base in cls.__mro__:
        if "__init__" not in vars(base):
            continue
        parameters = list(inspect.signature(vars(base)["__init__"]).parameters.values())[1:]
        names.update((p.name, None) for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD))
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            break
    decided: frozenset[str] = getattr(cls, "decided", frozenset())
    return tuple(name for name in names if name not in decided)


class Sharing:
    """What was described, and what was made, inside a ``with sharing():``."""

    def __init__(self) -> None:
        self.described: dict[int, tuple[Any, dict[str, Any]]] = {}
        self.descriptions: set[int] = set()
        self.several: list[dict[str, Any]] = []
        self.made: dict[Any, Any] = {}

    def describe(self, value: Any) -> dict[str, Any]:
        """The description of a thing, the same one where it comes again."""
        if id(value) in self.described:
            found = self.described[id(value)][1]
            if not any(found is other for other in self.several):
                self.several.append(found)
            return found
        found = description(value)
        self.described[id(value)] = value, found  # both live on, so that no others take their ids
        self.descriptions.add(id(found))
        return found


_sharing: ContextVar[Sharing | None] = ContextVar("sharing", default=None)


@contextmanager
def sharing() -> Iterator[Sharing]:
    """Let a layer that stands in several places of a model be one layer in its description, and made from that.

    As in Keras' files, each of its descriptions holds the same number as ``shared_object_id``.
    """
    outer = _sharing.get()
    if outer is not None:
        yield outer
        return
    scope = Sharing()
    token = _sharing.set(scope)
    try:
        yield scope
    finally:
        _sharing.reset(token)
        for number, description in enumerate(scope.several):
            description["shared_object_id"] = number


def _in_one_scope(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def shared(*args: Any, **kwargs: Any) -> Any:
        with sharing():
            return method(*args, **kwargs)

    return shared


def _marking_made(init: Callable[..., None]) -> Callable[..., None]:
    """A constructor after which assignments are checked."""

    @functools.wraps(init)
    def made(self: Configurable, *args: Any, **kwargs: Any) -> None:
        init(self, *args, **kwargs)
        if type(self).__init__ is made:
            self.__dict__["_made"] = True

    return made


def is_ours(thing: Any) -> bool:
    """Whether a class or a function is this package's.

    >>> import nn
    >>> is_ours(nn.layers.Dense), is_ours(print)
    (True, False)
    """
    return str(thing.__module__).partition(".")[0] == __name__.partition(".")[0]


def _is_kept_by_ours(kind: type, name: str) -> bool:
    """Whether a property of one of our classes takes what is assigned to ``name``."""
    return next((base for base in kind.__mro__ if name in vars(base)), None) in freeze.OURS


class Configurable(metaclass=freeze.Watched):
    """Something made from plain arguments, each kept in the attribute of the same name.

    Assigning to such an attribute is checked as the argument is, and means what it means: a name becomes what it names.
    Attributes are settings: a list that is assigned to one of ours becomes a tuple, a dictionary and an array become
    read-only, so that nothing changes without an assignment. Those of a class of one's own stay what they are.
    """

    # Attributes that are no settings, such as results; None says that all are none.
    untracked: frozenset[str] | None = frozenset()

    # Arguments of a class above that this one gives itself.
    decided: frozenset[str] = frozenset()

    # Whether it stays one thing where several others hold it.
    shared = False

    # Where Keras has the classes of this kind, and what it calls this one if not by its name.
    keras_module: str | None = None
    keras_name: str | None = None

    _settable: frozenset[str] = frozenset()

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        own = vars(cls)
        if "get_config" in own:
            cls.get_config = _in_one_scope(own["get_config"])  # type: ignore[method-assign]
        if isinstance(own.get("from_config"), classmethod):
            cls.from_config = classmethod(_in_one_scope(own["from_config"].__func__))  # type: ignore[assignment, method-assign]
        if "__init__" in own and is_ours(cls):
            cls.__init__ = _marking_made(own["__init__"])  # type: ignore[method-assign]
        constructor = next(base for base in cls.__mro__ if "__init__" in vars(base))
        # One that somebody else has written may do more than to check and to keep, so it is not run again.
        names = arguments(cls) if constructor is not object and is_ours(constructor) else ()
        untracked = cls.untracked or ()
        cls._settable = frozenset(
            n for n in names if n not in untracked and not isinstance(getattr(cls, n, None), property)
        )
        cls._remembers_given = not is_ours(constructor)
        if cls.untracked is not None:
            cls.untracked = cls.untracked | {"_given"}

    # Whether the arguments are remembered: a constructor of somebody else need not keep them in attributes.
    _remembers_given = False

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        self = super().__new__(cls)
        if cls._remembers_given:
            self.__dict__["_given"] = args, kwargs
        return self

    def __setattr__(self, name: str, value: Any) -> None:
        kind = type(self)
        if name in kind._settable and "_made" in self.__dict__:
            value = self._as_if_made_with(name, value)
        untracked = kind.untracked
        if untracked is None or name in untracked:
            object.__setattr__(self, name, value)
            if untracked is None and freeze.PROMISED.get():
                freeze.refuse_assignment(self, name)
            return
        if kind in freeze.OURS:
            value = freeze.settled(value)
        before = self.__dict__.get(name, freeze)
        object.__setattr__(self, name, value)
        if name not in self.__dict__ and kind not in freeze.OURS and not _is_kept_by_ours(kind, name):
            # In a slot, or wherever a descriptor of one's own keeps it: no walk sees it there, but that it was set.
            self.__dict__["_set_elsewhere"] = self.__dict__.get("_set_elsewhere", 0) + 1
        if before is not value:
            freeze.assigned(self, name)

    def _as_if_made_with(self, name: str, value: Any) -> Any:
        """What the constructor would make of this value beside the other settings; its error where it refuses it."""
        cls = next(base for base in type(self).__mro__ if is_ours(base))
        given = self._given_settings()
        before = random.get_state(random.generator)
        try:
            other = cls(**{**given, name: value})
            self._agree(other, name)
        finally:
            random.generator.bit_generator.state = before
        return vars(other).get(name, value)

    def _given_settings(self) -> dict[str, Any]:
        """The arguments that the constructor would be given now."""
        return {n: self.__dict__[n] for n in self._settable if n in self.__dict__}

    def _agree(self, other: Any, name: str) -> None:
        """Follow ``other``, which was made with another value of one setting, or raise where that is too late."""

    def __delattr__(self, name: str) -> None:
        object.__delattr__(self, name)
        freeze.touch()

    def __setstate__(self, state: dict[str, Any]) -> None:
        # A copy's lists and arrays are new ones, which have to become values again.
        untracked = type(self).untracked
        settles = untracked is not None and type(self) in freeze.OURS
        for name, value in state.items():
            self.__dict__[name] = freeze.settled(value) if settles and name not in (untracked or ()) else value
        freeze.touch()

    @_in_one_scope
    def get_config(self) -> dict[str, Any]:
        """The arguments that make another one like this, as plain data."""
        kept = {name: getattr(self, name) for name in arguments(type(self)) if hasattr(self, name)}
        given, more = self.__dict__.get("_given", ((), {}))
        names = (p.name for p in inspect.signature(type(self)).parameters.values() if p.kind is p.POSITIONAL_OR_KEYWORD)
        given = {**dict(zip(names, given, strict=False)), **more}  # what no attribute tells
        return {name: serialize(value) for name, value in {**given, **kept}.items()}

    @classmethod
    @_in_one_scope
    def from_config(cls, config: dict[str, Any]) -> Self:
        """One made from what `get_config` gave."""
        known = keras_config.arguments_of(config, arguments(cls), ours=is_ours(cls))
        return cls(**(_revived(known) if cls._remembers_given else known))


DESCRIPTION = {"module", "class_name", "config", "registered_name", "build_config", "shared_object_id"}


def _revived(value: Any) -> Any:
    """Plain data with the layers in it made again, for a constructor that takes layers."""
    if isinstance(value, list):
        return [_revived(v) for v in value]
    if not isinstance(value, dict):
        return value
    if {"class_name", "config"} <= value.keys() <= DESCRIPTION:
        known = {**registry("layer").known, **_custom.get()}
        if getattr(known.get(value["class_name"]), "shared", False):  # what else is described, a constructor resolves
            return registry("layer").from_description(value)
    return {k: _revived(v) for k, v in value.items()}


def serialize(value: Any) -> Any:
    """``value`` as plain data for JSON; functions become their names."""
    if isinstance(value, Configurable):
        with sharing() as scope:
            return scope.describe(value) if type(value).shared else description(value)
    if isinstance(value, type):
        return value.__name__
    if isinstance(value, np.dtype):
        return value.name
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, list | tuple):
        return [serialize(v) for v in value]
    if isinstance(value, dict):
        outer = _sharing.get()
        if outer is not None and id(value) in outer.descriptions:
            return value  # itself and no copy, because it is told when what it describes comes again
        return {str(k): serialize(v) for k, v in value.items()}
    if callable(value):
        name, package = registered_name(value), str(getattr(value, "__module__", "")).partition(".")[0]
        known = package in (__name__.partition(".")[0], "autograd_core", "numpy") or isinstance(value, np.ufunc)
        return name if known and ">" not in name else keras_config.of_function(name)
    return value


def description(value: Configurable) -> dict[str, Any]:
    """What a thing is and the arguments that make another one, as Keras writes it.

    >>> import nn
    >>> description(nn.regularizers.L2(0.5))
    {'module': 'keras.regularizers', 'class_name': 'L2', 'config': {'l2': 0.5}, 'registered_name': None}
    """
    kind = type(value)
    known = is_ours(kind)
    return {
        "module": value.keras_module if known else None,
        "class_name": value.keras_name if known and value.keras_name else kind.__name__,
        "config": value.get_config() if known else serialize(value.get_config()),
        "registered_name": None if known else registered_name(kind),
    }


_custom: ContextVar[Mapping[str, Any]] = ContextVar("custom objects", default=MappingProxyType({}))


@contextmanager
def custom_object_scope(custom_objects: Mapping[str, Any] | None) -> Iterator[None]:
    """Let strings and configurations name your own classes and functions inside a ``with`` block.

    TypeError unless it is a mapping of names.

    >>> import nn
    >>> def cube(x):
    ...     return x**3
    >>> with nn.utils.custom_object_scope({"cube": cube}):
    ...     layer = nn.layers.Activation("cube")
    >>> layer(np.array([2.0])).numpy()
    array([8.], dtype=float32)
    """
    if not isinstance(custom_objects, Mapping | None):
        raise TypeError(f"custom_objects: expected a dict from names to classes and functions, got {custom_objects!r}")
    before = _custom.set({**_custom.get(), **(custom_objects or {})})
    try:
        yield
    finally:
        _custom.reset(before)


_of_users: dict[str, Any] = {}


def register_keras_serializable(package: str = "Custom", name: str | None = None) -> Callable[[Any], Any]:
    """Decorate a class or a function of your own, so that files with it are loaded without ``custom_objects``.

    It stands in files as ``package>name``; ``name`` is its own one by default. It counts for the whole process.
    ValueError for a class without ``get_config``.

    >>> import nn
    >>> @nn.saving.register_keras_serializable(package="mine")
    ... def cube(x):
    ...     return x**3
    >>> nn.saving.get_registered_name(cube)
    'mine>cube'
    >>> nn.layers.deserialize(nn.layers.serialize(nn.layers.Activation(cube))).activation is cube
    True
    """

    def decorate(thing: Any) -> Any:
        if isinstance(thing, type) and not hasattr(thing, "get_config"):
            raise ValueError(f"expected a class with get_config(), from which it can be made anew, got {thing!r}")
        _of_users[f"{package}>{name or thing.__name__}"] = thing
        return thing

    return decorate


def registered_name(obj: Any) -> str:
    """What a class or a function is called in files: ``package>name`` where it was registered.

    >>> registered_name(len)
    'len'
    """
    for key, value in _of_users.items():
        if value is obj:
            return key
    return str(getattr(obj, "__name__", type(obj).__name__))


def custom_object(name: str, otherwise: Any = None) -> Any:
    """What is called so in a `custom_object_scope`, or was registered, with its package or without.

    >>> custom_object("nothing") is None
    True
    """
    known = {**{key.rpartition(">")[2]: value for key, value in _of_users.items()}, **_of_users, **_custom.get()}
    return known.get(name, otherwise)


def unknown_registration(name: str, registered: Any) -> str:
    """What is wrong where something was registered under a name that is not known, and is called as one of ours is."""
    return (
        f"{name!r}: expected what was registered as {registered!r}, which is not the one of this package, and is not "
        f"known here; register it, or hand it in: custom_objects={{{registered!r}: it}}"
    )


def registered_object(name: str) -> Any:
    """What was registered under ``package>name``, or None.

    >>> registered_object("nobody>nothing") is None
    True
    """
    return _of_users.get(name)


class Registry:
    """Things of one kind, such as "layer", by name: from a name or plain data to the thing, and back.

    The modules that define the things fill it. So a layer is found by its name where no layer can be imported, because
    layers need what is defined there.
    """

    def __init__(self, kind: str):
        self.kind = kind
        self.one = f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"
        self.known: dict[str, Any] = {}
        # Further types that `get` takes, and what it makes of them.
        self.accepted: dict[type, Callable[[Any], Any]] = {}
        # The only type that `get` gives, where a function will not do.
        self.base: type | None = None

    def add(self, *things: Any, **names: Any) -> Self:
        """Let things be found under their own names, and others under the names that are given."""
        self.known.update({thing.__name__: thing for thing in things}, **names)
        return self

    def lookup(self, name: str) -> Any:
        """What a name names here or in a `custom_object_scope`; ValueError with near matches."""
        custom = _custom.get()
        if name in custom:
            return custom[name]
        if name in self.known:
            return self.known[name]
        own = custom_object(name)
        if own is not None:
            return own
        for key, value in self.known.items():
            if name.lower() == key.lower() or name == snake_case(key):
                return value
        raise ValueError(f"unknown {self.kind} {name!r}; {suggest(name, {*self.known, *custom})}")

    def get(self, identifier: Any) -> Any:
        """The thing that a name, class, configuration or function means."""
        for kind, made in self.accepted.items():
            if isinstance(identifier, kind):
                return made(identifier)
        found = identifier
        if isinstance(identifier, dict):
            found = self.from_description(identifier)
        elif isinstance(identifier, str | type):
            found = self.lookup(identifier) if isinstance(identifier, str) else identifier
            found = found() if isinstance(found, type) else found
        if isinstance(found, self.base) if self.base else callable(found) or isinstance(found, Configurable):
            return found
        ways = "name, class or configuration" if self.base else "name, function, class or configuration"
        raise ValueError(f"expected {self.one}, given by {ways}, got {identifier!r}")

    def from_description(self, description: Any) -> Any:
        """The thing that ``{"class_name": …, "config": {…}}``, of ours or of Keras, describes."""
        description = keras_config.plain(description)
        if isinstance(description, str):  # a function
            return self.lookup(description)
        if not (isinstance(description, dict) and isinstance(description.get("class_name"), str)):
            raise ValueError(
                f'expected the configuration of {self.one}, {{"class_name": …, "config": {{…}}}}, got {description!r}'
            )
        name, registered = description["class_name"], description.get("registered_name")
        own = None if registered in (None, "", name) else custom_object(str(registered))
        cls = self.lookup(name) if own is None else own
        if own is None and registered not in (None, "", name) and is_ours(cls):
            raise ValueError(unknown_registration(name, registered))
        settings = description.get("config") or {}
        if not isinstance(settings, dict):
            whose = f"the {self.kind} {name!r}"
            raise ValueError(f"expected a dict as the config of {whose}, got {settings!r}")
        if not (isinstance(cls, type) and issubclass(cls, Configurable)):
            return cls
        number = description.get("shared_object_id")
        if not isinstance(number, int | None):
            raise ValueError(f"expected a whole number as shared_object_id, got {number!r}")
        with sharing() as scope:
            if number in scope.made:
                made = scope.made[number]
                if type(made) is not cls:
                    raise ValueError(
                        f"expected the shared {self.kind} {number} to be a {cls.__name__}, got a {type(made).__name__}"
                    )
                return made
            made = cls.from_config(settings)
            if number is not None:
                scope.made[number] = made
            return made

    def serialize(self, thing: Any) -> Any:
        """A thing, or a function, as plain data."""
        if not (isinstance(thing, Configurable) or callable(thing)):
            raise TypeError(f"expected {self.one} or a function, got {thing!r}")
        return serialize(thing)

    def deserialize(self, config: Any, custom_objects: Any = None) -> Any:
        """The thing that plain data describes."""
        with custom_object_scope(custom_objects):
            return self.get(config)

    def functions(
        self, module: str, example: str, shows: str, none: str = "", **first: str
    ) -> tuple[Callable[..., Any], Callable[..., Any], Callable[..., Any]]:
        """``get``, ``serialize`` and ``deserialize`` as functions of a module.

        Parameters
        ----------
        module : str
            Its name.
        example : str
            An expression that makes a thing, in the module's own names: ``Dense(3)``.
        shows : str
            An attribute of the thing and its value, for the examples in the documentation: ``units == 3``.
        none : str
            What ``get`` makes of None, where it takes it.
        **first
            What a function calls its first argument, as Keras does: ``serialize="layer"``.

        Returns
        -------
        tuple
            The three functions, each with its documentation.
        """
        attribute, _, value = shows.partition(" == ")
        none = f"; None is {none}" if none else ""
        example = f"""
>>> import nn
>>> described = {module}.serialize({module}.{example})
>>> {module}.%s(described).{attribute}
{value}
"""
        get = f"""The {self.kind} that a name, class, configuration or function means{none}.

An unknown name is a ValueError that suggests the nearest one.
"""
        serialize = f"""The name of {self.one}, or its class and settings, as plain data.

TypeError for what is neither {self.one} nor a function.
"""
        deserialize = f"""The {self.kind} that plain data describes.

``custom_objects`` maps names to your own classes and functions. ValueError for an unknown name, as in `get`.
"""
        return (
            _published(self.get, module, get + example % "get", first.get("get")),
            _published(self.serialize, module, serialize + example % "deserialize", first.get("serialize")),
            _published(self.deserialize, module, deserialize + example % "deserialize", first.get("deserialize")),
        )


def _published(method: Callable[..., Any], module: str, text: str, first: str | None) -> Callable[..., Any]:
    """A method as a function of a module, with a documentation and a name for its first argument of its own."""
    signature = inspect.signature(method)
    parameter, *others = signature.parameters.values()
    signature = signature.replace(parameters=[parameter.replace(name=first or parameter.name), *others])

    def function(*args: Any, **kwargs: Any) -> Any:
        return method(*signature.bind(*args, **kwargs).args)

    function.__name__ = function.__qualname__ = method.__name__
    function.__module__, function.__doc__ = module, text
    function.__signature__ = signature  # type: ignore[attr-defined]
    return function


_registries: dict[str, Registry] = {}


def registry(kind: str) -> Registry:
    """The registry of one kind of thing."""
    return _registries.setdefault(kind, Registry(kind))


__getattr__ = absent.getattr_of("config")
