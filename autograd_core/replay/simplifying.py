"""Which calls of a recording are left: nothing twice, nothing in vain, and no copy that can be avoided."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from .. import tree
from .calls import Call, Guard, Memory, Place, by_bits, copied, may_fail, same

# A copy of more bytes is out of the cache by the time that it is needed again, and memory is dear.
KEPT = 1 << 18


def changes_last(calls: list[Call], guards: list[Guard]) -> list[Call]:
    """The calls with changes of state held back until nothing can end the run any more, where that is possible.

    A guard ends it, and a call that raises an error; the function itself then runs, and has to find state as it was.
    What such a call needs cannot wait for it: that state a program copies beforehand.
    """
    failing = {i for i, call in enumerate(calls) if may_fail(call)}
    last = max([0, *(g.position for g in guards), *(i + 1 for i in failing)])
    needed = {g.condition.memory for g in guards}
    needing: set[int] = set()
    for i in range(last - 1, -1, -1):
        if i in failing or any(p.memory in needed for p in calls[i].defined):
            needing.add(i)
            needed.update(p.memory for p in calls[i].reads)
    now: list[Call] = []
    held: list[Call] = []
    for i, call in enumerate(calls[:last]):
        changes = any(p.memory.kind == "state" for p in call.defined)
        behind = any(_conflict(call, other) for other in held)
        if i in needing and behind:  # as when it writes over what is read by what waits
            now += held
            held = []
        if i not in needing and (changes or behind):
            held.append(call)
        else:
            now.append(call)
    return [*now, *held, *calls[last:]]


def _conflict(call: Call, before: Call) -> bool:
    """Whether a call must stay behind another one."""
    return (
        (call.pinned and before.pinned)  # random numbers come in their order
        or any(p.overlaps(q) for p in before.defined for q in (*call.reads, *call.defined))
        or any(p.overlaps(q) for p in before.reads for q in call.defined)
    )


def elementwise(call: Call) -> bool:
    """Whether element i of the result comes from the elements i of the operands and nothing else."""
    result = call.results[0] if len(call.results) == 1 else None
    if result is None or call.writes or call.errors or call.pinned:
        return False
    if not all(isinstance(a, Place | int | float | np.generic) for a in call.args):
        return False
    if any(p.overlaps(result) and not same(p, result) for p in call.reads):
        return False  # as in x[1:] = x[:-1], which NumPy does as if on a copy
    if call.function is copied:
        return True
    return isinstance(call.function, np.ufunc) and call.function.signature is None and not call.kwargs


def typed(call: Call, numbers: dict[Any, Place]) -> Call:
    """``call`` with Python numbers as arrays without axes in the dtype of the loop: NumPy then asks no questions.

    ``numbers`` are those of the calls before; equal ones become one.
    """
    function = call.function
    if not isinstance(function, np.ufunc) or call.kwargs or not elementwise(call):
        return call
    if not any(type(a) in (int, float, bool) or isinstance(a, np.generic) for a in call.args):
        return call
    kinds: Any = [a.dtype if hasattr(a, "dtype") else type(a) for a in call.args]
    try:
        loop = function.resolve_dtypes((*kinds, None))
    except TypeError:
        return call
    args = [a if isinstance(a, Place) else number(a, loop[i], numbers) for i, a in enumerate(call.args)]
    return replace(call, args=tuple(args))


def number(value: Any, dtype: Any, numbers: dict[Any, Place]) -> Place:
    """A number as an array without axes; equal ones are one."""
    array = np.array(value, dtype)
    key = (array.dtype.str, array.tobytes())
    if key not in numbers:
        memory = Memory("constant", array.itemsize, array.__array_interface__["data"][0], array)
        numbers[key] = Place(memory, 0, (), (), array.dtype)
    return numbers[key]


def definitions(calls: Iterable[Call]) -> Counter[Memory]:
    """How many calls change each memory."""
    return Counter(m for call in calls for m in {p.memory for p in call.defined})


def with_places(value: Any, of: Callable[[Place], Place]) -> Any:
    """``value`` with another place for each of its places."""
    return tree.map(lambda leaf: of(leaf) if isinstance(leaf, Place) else leaf, value)


def moved(call: Call, of: Callable[[Place], Place]) -> Call:
    """``call`` with another place for each of its places."""
    args, kwargs, results, writes, reads = (
        with_places(part, of) for part in (call.args, call.kwargs, call.results, call.writes, call.reads)
    )
    return replace(call, args=args, kwargs=kwargs, results=results, writes=writes, reads=reads)


def renamed_in(value: Any, names: dict[Memory, tuple[Memory, int]]) -> Any:
    """``value`` with the places in renamed memories moved to where these are now."""

    def of(place: Place) -> Place:
        while place.memory in names:
            memory, offset = names[place.memory]
            place = replace(place, memory=memory, offset=place.offset + offset)
        return place

    return with_places(value, of) if names else value


def rename(call: Call, names: dict[Memory, tuple[Memory, int]]) -> Call:
    if not names:
        return call
    return moved(call, lambda place: renamed_in(place, names))


def without_copies(calls: list[Call], keep: set[Memory], renamed: dict[Memory, tuple[Memory, int]]) -> list[Call]:
    """Leave out copies of what nobody changes into memory that nobody changes."""
    changes = definitions(calls)
    left = []
    for call in calls:
        call = rename(call, renamed)
        if call.function is copied and isinstance(call.args[0], Place) and not call.errors:
            source, target = call.args[0], call.results[0]
            if (
                target is not None
                and target.memory.kind == "scratch"
                and changes[target.memory] == 1
                and source.memory.kind in ("scratch", "input")
                and changes[source.memory] <= (source.memory.kind == "scratch")
                and (source.shape, source.strides, source.dtype) == (target.shape, target.strides, target.dtype)
            ):
                renamed[target.memory] = (source.memory, source.offset - target.offset)
                continue
        left.append(call)
    return left


def share(calls: list[Call], renamed: dict[Memory, tuple[Memory, int]]) -> list[Call]:
    """Leave out calls that were made before with the same operands."""
    changes = definitions(calls)
    versions: Counter[Memory] = Counter()
    seen: dict[Any, Call] = {}
    left = []
    for call in calls:
        call = rename(call, renamed)
        once = (
            not call.writes
            and not call.pinned
            and not _only_moves_much(call)
            and all(p is not None and p.memory.kind == "scratch" and changes[p.memory] == 1 for p in call.results)
        )
        if once:
            layout = tuple((p.offset, p.shape, p.strides, p.dtype.str) for p in call.results if p is not None)
            try:
                key = (call.function, _frozen(call.args, versions), _frozen(call.kwargs, versions), layout)
                before = seen.setdefault(key, call)
            except TypeError:  # an operand that cannot be compared
                before = call
            if before is not call:
                for old, new in zip(call.results, before.results, strict=True):
                    assert old is not None
                    assert new is not None
                    renamed[old.memory] = (new.memory, 0)
                continue
        for p in call.defined:
            versions[p.memory] += 1
        left.append(call)
    return left


def _only_moves_much(call: Call) -> bool:
    """Whether this copies so much that to keep it is worse than to copy again: the columns of a convolution, say."""
    return call.function in (np.reshape, copied) and any(p is not None and p.memory.size > KEPT for p in call.results)


def _frozen(value: Any, versions: Counter[Memory]) -> Any:
    """``value`` as something that can be looked up: places with the version of what they hold."""
    return tree.structure(value), *[_frozen_leaf(leaf, versions) for leaf in tree.leaves(value)]


def _frozen_leaf(leaf: Any, versions: Counter[Memory]) -> Any:
    if not isinstance(leaf, Place):
        return by_bits(leaf)
    return id(leaf.memory), versions[leaf.memory], leaf.offset, leaf.shape, leaf.strides, leaf.dtype.str


def without_joining(calls: list[Call], keep: set[Memory]) -> list[Call]:
    """Compute the parts of what is concatenated where they end up, or copy them there one by one."""
    changes = definitions(calls)
    names: dict[Memory, tuple[Memory, int]] = {}
    left: list[Call] = []
    for call in calls:
        whole = call.results[0] if call.function is np.concatenate and len(call.args) == 1 and not call.kwargs else None
        if whole is None or not whole.contiguous or call.errors:
            left.append(call)
            continue
        offset = whole.offset
        for part in call.args[0]:
            place = replace(whole, offset=offset, shape=part.shape)
            offset += part.size * part.dtype.itemsize
            memory = part.memory
            if (
                memory.kind == "scratch"
                and changes[whole.memory] == 1
                and memory not in keep
                and memory not in names
                and changes[memory] == 1
                and (part.offset, part.size * part.dtype.itemsize, part.dtype) == (0, memory.size, place.dtype)
                and part.strides == place.strides
            ):
                names[memory] = (place.memory, place.offset)
            elif part.size:
                left.append(replace(call, function=copied, args=(part,), results=(place,), reads=(part,)))
    return [rename(call, names) for call in left]


def alive(calls: list[Call], keep: set[Memory]) -> list[Call]:
    """Only what an output, a guard or a change of state needs."""
    needed = set(keep)
    left = []
    for call in reversed(calls):
        if call.pinned or any(p.memory.kind == "state" or p.memory in needed for p in call.defined):
            needed.update(p.memory for p in call.reads)
            left.append(call)
    return left[::-1]


def in_place_state(calls: list[Call], keep: set[Memory]) -> list[Call]:
    """Compute the new values of state where the old ones are, instead of copying them there at the end."""
    changes = definitions(calls)
    made = {p.memory: i for i, call in enumerate(calls) for p in call.results if p is not None}
    names: dict[Memory, tuple[Memory, int]] = {}
    dropped = set()
    for k, call in enumerate(calls):
        if call.function is not copied or not isinstance(call.args[0], Place):
            continue
        value, state = call.args[0], call.results[0]
        assert state is not None
        if (
            state.memory.kind != "state"
            or value.memory.kind != "scratch"
            or value.memory in keep
            or value.memory in names
            or changes[value.memory] != 1
            or (value.shape, value.strides, value.dtype) != (state.shape, state.strides, state.dtype)
        ):
            continue
        j = made[value.memory]
        maker = calls[j]
        if maker.results != (value,) or maker.errors or maker.pinned:
            continue
        # The old values may be read up to the call that makes the new ones, and by that one element by element.
        at_once = [p for p in maker.reads if p.overlaps(state)]
        if at_once and not (elementwise(maker) and all(p == state for p in at_once)):
            continue
        between = [p for c in calls[j + 1 : k] for p in (*c.reads, *c.defined)]
        later = any(p.overlaps(state) for c in calls[k + 1 :] for p in c.defined)
        if any(p.overlaps(state) for p in between) or (later and _read_after(calls, k, value)):
            continue
        if any(map(may_fail, calls[j + 1 : k])):
            continue
        names[value.memory] = (state.memory, state.offset - value.offset)
        dropped.add(k)
    return [rename(call, names) for k, call in enumerate(calls) if k not in dropped]


def _read_after(calls: list[Call], k: int, value: Place) -> bool:
    return any(p.memory is value.memory for call in calls[k + 1 :] for p in call.reads)
