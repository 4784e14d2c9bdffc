"""The Tensor: an array that remembers how it was computed."""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable
from operator import and_, or_, xor
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

import numpy as np

from . import arrays
from .caller import function_of_math, place_of_caller
from .dispatch import NUMPY, call_method, dispatch, plain
from .elsewhere import conversion, missing
from .errors import GradientLossError, GraphError
from .graph import Node, Recorded, stamp
from .mode import complex_from_now_on, mode
from .tracer import COMPARISONS, OPERATORS, Tracer, attribute
from .walk import conjugate, walk

if TYPE_CHECKING:
    from .explain import Steps
    from .ops.index import At


def wrap(node: Node) -> Tensor:
    """The Tensor of a node that exists already."""
    tensor = _new(Tensor)
    tensor.node = node
    return tensor


Unary = Callable[["Tensor"], "Tensor"]
Binary = Callable[["Tensor", Any], "Tensor"]


def bind_operator(function: Any, call: Callable[..., Any], updating: Callable[[Any], Any]) -> None:
    """Let ``call`` be the operator that stands for a function of NumPy's, if there is one.

    ``updating`` makes of an operator in place, such as ``-=``, a ``call`` that leaves what `_is_updated` to it.
    """
    name = OPERATORS.get(function, "pos")
    if name == "pos":  # +t is t
        return
    setattr(Tensor, "_power" if name == "pow" else f"__{name}__", call)
    if function.nin == 2:
        setattr(Tensor, f"__r{name}__", lambda self, other: call(other, self))
        if name != "pow":
            setattr(Tensor, f"__i{name}__", updating(getattr(operator, f"i{name}")))


def _comparison(compare: Callable[[Any, Any], Any]) -> Callable[[Tensor, Any], Any]:
    def compared(self: Tensor, other: Any) -> Any:
        value = plain(other)
        try:
            return compare(self.told(), value)
        except Exception as error:
            arrays.check_together(compare.__name__, (_told(self, 1), _told(other, 2)), (self.node.out, value), error)
            raise

    return compared


def _checked_name(name: Any) -> str:
    if not isinstance(name, str):
        raise TypeError(f"the name of a Tensor: expected a string, such as name='w', or None, got {name!r}")
    return name


def _told(operand: Any, position: int) -> str:
    """One of two operands, as an error names it."""
    name = operand.node.name if isinstance(operand, Tensor) else None
    return f"tensor {name!r}" if name else f"argument {position}"


class Tensor(Recorded, Tracer):
    """An array and the record of how it was computed.

    It has the methods of NumPy's arrays, and each op that works element by element on one array besides:
    ``t.exp()``.

    Parameters
    ----------
    data : array_like
        A number, a nested list of numbers or an array, which is copied. Python numbers become float64, an array
        keeps its dtype.
    dtype : dtype, optional
        The dtype to convert it to.
    requires_grad : bool, optional
        Whether operations on it are recorded, so that it gets a gradient. None: yes when the dtype is floating or
        complex. With False the Tensor is a constant.
    name : str, optional
        What errors, step tables and drawings call it.

    Raises
    ------
    GradientLossError
        For a Tensor that records, because the copy would not lead back to it.
    TypeError
        For what holds no numbers, a ``name`` that is no string, and ``requires_grad=True`` for whole numbers.

    Examples
    --------
    >>> x = Tensor(-2.0, name="x")
    >>> y = Tensor(5.0, name="y")
    >>> f = (x + y) * -4
    >>> f.backward()
    >>> print(x.grad, y.grad)
    -4.0 -4.0
    """

    __slots__ = ("__weakref__",)
    process = staticmethod(dispatch)

    def __init__(
        self, data: Any, *, dtype: Any = None, requires_grad: bool | None = None, name: str | None = None
    ) -> None:
        if isinstance(data, Tensor) and data.requires_grad:
            data._refuse("Tensor(t)", "use t itself to go on recording, Tensor(t.data) for a new leaf, t.detach()")
        array = _array(data, dtype)
        floating = array.dtype.kind in "fc"
        if requires_grad and not floating:
            raise TypeError(
                f"a Tensor of {array.dtype} cannot have a gradient, because whole numbers have no small changes; "
                "pass dtype=float, or leave out requires_grad=True"
            )
        self.node = Node(array, floating if requires_grad is None else requires_grad)
        self.node.name = name if name is None else _checked_name(name)

    # -- what it holds ---------------------------------------------------------------------------------

    @property
    def data(self) -> Any:
        """The plain array (NumPy's scalar for a result without axes). Assigning replaces a leaf's values.

        That of a recorded result is read-only, because gradients are computed from it, and so is that of a view
        taken under `no_grad`: a leaf may lie in the same memory, and would change without being told.
        """
        node = self.node
        out = node.out
        if not issubclass(type(out), np.ndarray):
            return out
        if node.op is None and (node.detached_by is None or out.base is None):
            return out
        view = out.view()
        view.flags.writeable = False
        return view

    @data.setter
    def data(self, value: Any) -> None:
        node = self.node
        if node.op is not None:
            raise GraphError(
                f"only a leaf's data can be changed, and this is {node.label()}: it would no longer be what was "
                "computed; change what it was computed from, or work on x.detach()"
            )
        if value is not node.out:
            array = arrays.like(node.out, _array(value, node.out.dtype))
            if array.shape != node.out.shape:
                raise ValueError(
                    f"{node.subject()} expected data of shape {list(node.out.shape)}, got {list(array.shape)}; assign "
                    "the same shape, or make a new Tensor"
                )
            node.out = array
        stamp((node,), place_of_caller()[:2])

    @property
    def grad(self) -> Any:
        """d(result)/d(this) of the last ``backward()``; summed over calls for leaves; None if not computed.

        For a complex number ``a + i b`` it is ``∂L/∂a + i ∂L/∂b``, so that ``x -= rate * x.grad`` descends.
        """
        grad = self.node.grad
        if type(grad) is tuple:  # lent by the last walk to a value that is no leaf; copied for whoever asks
            grad = self.node.grad = owned(conjugate(grad[0]))
        return grad

    @grad.setter
    def grad(self, value: Any) -> None:
        if value is not None:
            value = arrays.like(self.node.out, _array(value, self.dtype))
            if value.shape != self.shape:
                raise ValueError(
                    f"the gradient of {self.node.label()}: expected shape {list(self.node.out.shape)}, got "
                    f"{list(value.shape)}"
                )
        self.node.grad = value

    @property
    def name(self) -> str | None:
        """What errors, step tables and drawings call this value."""
        return self.node.name

    @name.setter
    def name(self, value: str | None) -> None:
        self.node.name = value if value is None else _checked_name(value)

    @property
    def requires_grad(self) -> bool:
        """Whether what is computed from this is recorded."""
        return self.node.requires_grad

    @property
    def shape(self) -> tuple[int, ...]:
        """The length of each axis."""
        return self.node.out.shape

    @property
    def dtype(self) -> Any:
        """The NumPy dtype of the elements."""
        return self.node.out.dtype

    @property
    def ndim(self) -> int:
        """How many axes there are."""
        return self.node.out.ndim

    @property
    def size(self) -> int:
        """How many elements there are."""
        return self.node.out.size

    def numpy(self) -> Any:
        """The data as a NumPy array, without the record.

        It shares the Tensor's memory, as ``data`` does; from another library, such as one on a GPU, it is a copy.
        """
        return np.asarray(arrays.to_numpy(self.data))

    def item(self, *index: Any) -> Any:
        """The only element, or that at an index, as a Python number."""
        out = self.node.out
        if out.size != 1 and not index:
            raise ValueError(f"item(): expected exactly one element, got a Tensor of shape {list(out.shape)}")
        return arrays.to_numpy(out).item(*index)

    tolist, tobytes, flags = map(attribute, ("node.out.tolist", "node.out.tobytes", "node.out.flags"))
    nbytes, itemsize, strides = map(attribute, ("node.out.nbytes", "node.out.itemsize", "node.out.strides"))

    def detach(self) -> Tensor:
        """A constant with a copy of the data: nothing flows back through it, and changing it changes nothing else."""
        return _stopped(owned(self.node.out), "detach()")

    # -- backwards -------------------------------------------------------------------------------------

    def backward(self, gradient: Any = None, *, release: bool = False) -> None:
        """Compute d(self)/d(t) for every Tensor ``t`` that this was computed from, into ``t.grad``.

        ``gradient`` is d(result)/d(self), in this Tensor's shape; it is 1 for a single number and must be
        given otherwise. Leaves add to the ``.grad`` they have; the others get that of this pass.
        ``release=True`` frees the graph on the way, for training: only leaves get gradients, and the graph
        cannot be walked again. If anything raises, no leaf's ``.grad`` has changed.

        Within a call the uses of a float16 value are added up in float32. Over several calls its ``.grad`` is rounded
        to float16 each time, as PyTorch's is: 2048 and 1 more are 2048. To add up many, keep a float32 leaf and use
        ``leaf.astype(np.float16)``.
        """
        leaves = []
        for node, g, _ in walk({self.node: self._seed(gradient)}, release=release):
            if node.op is None:
                leaves.append((node, g))
            else:
                node.grad = (g,)
            del g  # or it would outlive its turn by one step
        while leaves:  # each copy takes the place of its original: all gradients are never there twice
            node, g = leaves.pop()
            g = conjugate(g)
            node.grad = owned(g) if node.grad is None else node.grad + g
            del g

    def _seed(self, gradient: Any) -> Any:
        out = self.node.out
        if not self.node.requires_grad:
            raise GraphError(
                f"nothing was recorded, so there is nothing to walk back through: this Tensor is {self.node.label()}. "
                + (
                    f"Recording stopped at {self.node.detached_by} on the way here"
                    if self.node.detached_by
                    else "Nothing that it was computed from has requires_grad=True; whole numbers cannot have it"
                )
            )
        if gradient is None:
            if out.dtype.kind == "c":
                raise GraphError(
                    f"backward() expected a real number to start from, got {self.node.label()}: a complex one has no "
                    "direction in which it grows; take its np.abs(…), .real or .imag, or pass the gradient of what "
                    "comes next, backward(v)"
                )
            if out.size != 1:
                raise GraphError(
                    f"backward() expected a single number to start from, got {self.node.label()}; use "
                    ".sum().backward() or .mean().backward(), or pass the gradient of what comes next: backward(v) "
                    f"with v of shape {list(out.shape)}"
                )
            return np.ones_like(out)[()]
        if isinstance(gradient, Tensor):
            gradient = gradient.data
        gradient = arrays.like(out, _array(gradient, out.dtype))
        if gradient.shape != out.shape:
            raise GraphError(
                f"backward(gradient) expected the shape of the Tensor it starts from, {list(out.shape)}, got "
                f"{list(gradient.shape)}"
            )
        return conjugate(gradient)

    explain: ClassVar[Callable[..., Steps]]  # `autograd_core.explain`, which is bound there

    # -- as text, as a number, as an array -------------------------------------------------------------

    def __repr__(self) -> str:
        node = self.node
        data = np.asarray(arrays.to_numpy(node.out))
        parts = [np.array2string(data, separator=", ", prefix="Tensor(", threshold=100)]
        if arrays.is_foreign(node.out):
            parts.append(f"on {arrays.place_of(node.out)}")
        if node.out.dtype != np.float64:
            parts.append(f"dtype={node.out.dtype}")
        if node.name is not None:
            parts.append(f"name={node.name!r}")
        if node.op is not None:
            parts.append(f"op={node.op.name}")
        elif not node.requires_grad and node.out.dtype.kind in "fc":
            parts.append("requires_grad=False")
        return f"Tensor({', '.join(parts)})"

    def __format__(self, spec: str) -> str:
        if not spec:
            return repr(self)
        data = np.asarray(arrays.to_numpy(self.node.out))
        if self.ndim == 0:
            return format(data.item(), spec)
        return np.array2string(data, formatter={"all": lambda v: format(v, spec)})

    def _refuse(self, conversion: str, instead: str) -> NoReturn:
        raise GradientLossError(
            f"{conversion} would drop the gradient of {self.node.label()} without a word; {instead}"
        )

    def _drops_gradient(self) -> bool:
        """Whether a plain number or array made of this would lead back to nothing."""
        return self.node.requires_grad

    def _number(self, conversion: str) -> Any:
        if self._drops_gradient():
            name = function_of_math() or "exp"
            self._refuse(
                conversion,
                f"use np.{name}(t) for math.{name}(t), np.stack or autograd_core.array to build an array from Tensors "
                "(where buffer[i] = t or np.fromiter would do it for numbers), t.item() for a plain number",
            )
        return self.item()

    def __float__(self) -> float:
        return float(self._number("float(t)"))

    def __int__(self) -> int:
        return int(self._number("int(t)"))

    def __index__(self) -> int:
        if self.dtype.kind not in "iub":
            raise TypeError(f"an index: expected a whole number, got {self.node.label()}; write int(t.item())")
        return int(self.item())

    def as_integer_ratio(self) -> tuple[int, int]:
        """Of a constant, as that of `float`: what `statistics` and `fractions` ask for."""
        return float(self._number("as_integer_ratio()")).as_integer_ratio()

    def __complex__(self) -> complex:
        return complex(self._number("complex(t)"))

    def __bool__(self) -> bool:
        return bool(self.told())

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        if self._drops_gradient():
            self._refuse(*conversion(sys._getframe(1)))
        if arrays.is_foreign(self.node.out):
            raise TypeError(f"this Tensor is on {arrays.place_of(self.node.out)}; t.numpy() copies it to the CPU")
        return np.array(self.node.out, dtype=dtype, copy=copy)

    def __copy__(self) -> Tensor:
        """Of a leaf another leaf, with a copy of its gradient; of what was computed a recorded copy."""
        if self._is_computed():
            twin = NUMPY[np.copy](self)
            twin.name = self.name
        else:
            twin = Tensor(self.node.out, requires_grad=self.requires_grad, name=self.name)
            twin.grad = self.grad
        return twin

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        return self.__copy__()

    def __reduce__(self) -> tuple[Any, ...]:
        if self._is_computed():
            self._refuse("pickling", "use t.data to pickle the values, t.detach() for a constant Tensor of them")
        return _restore, (self.node.out, self.requires_grad, self.name)

    def _is_computed(self) -> bool:
        """Whether a gradient flows on from here: what a transform varies is no leaf to the function that gets it."""
        return self.node.op is not None or self.node.variable != 0

    # -- as a container --------------------------------------------------------------------------------

    def __len__(self) -> int:
        if self.ndim == 0:
            raise TypeError("a Tensor without axes has no length")
        return self.shape[0]

    def __contains__(self, value: Any) -> bool:
        return bool(np.any(self == value))

    def __getitem__(self, index: Any) -> Tensor:
        index = plain(index)
        try:
            return NUMPY[Tensor.__getitem__](self, index=index)
        except Exception as error:
            if not arrays.is_foreign(self.node.out):  # the other way round indices are copied to the device
                parts = index if isinstance(index, tuple) else (index,)
                names = (_told(self, 1), *("its index" for _ in parts))
                arrays.check_together("indexing", names, (self.node.out, *parts), error)
            raise

    def __setitem__(self, index: Any, value: Any) -> NoReturn:
        raise TypeError(
            "a Tensor's elements cannot be assigned, because what was computed from them would no longer hold; write "
            "t = t.at[index].set(value) or t = np.where(mask, new, t) for a changed copy, or t.data[index] = value to "
            "change a leaf before anything is computed from it"
        )

    def __getattr__(self, attribute: str) -> Any:
        # Reached only for what is not there.
        raise AttributeError(missing(attribute, dir(Tensor)))

    @property
    def at(self) -> At:
        """A place in this Tensor, for a changed copy by ``t.at[index].set(value)`` or ``t.at[index].add(value)``.

        >>> print(Tensor([1.0, 2.0, 3.0]).at[0].set(5.0).data)
        [5. 2. 3.]
        """
        return NUMPY[Tensor.at](self)

    # -- NumPy's protocols -----------------------------------------------------------------------------

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if method != "__call__":
            return call_method(ufunc, method, inputs, kwargs)
        if not kwargs and ufunc in NUMPY:
            return NUMPY[ufunc](*inputs)
        return dispatch(ufunc, inputs, kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return dispatch(function, args, kwargs)  # beside whatever else there is

    # -- operators -------------------------------------------------------------------------------------

    __neg__: ClassVar[Unary]
    __abs__: ClassVar[Unary]
    __add__: ClassVar[Binary]
    __radd__: ClassVar[Binary]
    __sub__: ClassVar[Binary]
    __rsub__: ClassVar[Binary]
    __mul__: ClassVar[Binary]
    __rmul__: ClassVar[Binary]
    __truediv__: ClassVar[Binary]
    __rtruediv__: ClassVar[Binary]
    __matmul__: ClassVar[Binary]
    __rmatmul__: ClassVar[Binary]
    __mod__: ClassVar[Binary]
    __rmod__: ClassVar[Binary]
    __floordiv__: ClassVar[Binary]
    __rfloordiv__: ClassVar[Binary]
    _power: ClassVar[Binary]
    __rpow__: ClassVar[Binary]

    def __pow__(self, exponent: Any) -> Tensor:
        if type(exponent) in (int, float) and exponent == 2:  # much cheaper, and the power people mean most
            return NUMPY[np.square].quick(self)
        return self._power(exponent)

    def __ipow__(self, exponent: Any) -> Tensor:
        return self._update(operator.ipow, exponent) if self._is_updated() else self**exponent

    def _is_updated(self) -> bool:
        """Whether ``t -= x`` changes this Tensor's data: where nothing is recorded and this is a leaf that records.

        So ``for p in parameters: p -= rate * p.grad`` trains, as in PyTorch. Everywhere else, as for numbers, the name
        ``t`` stands for a new value afterwards.
        """
        node = self.node
        return not mode.recording and node.op is None and node.requires_grad

    def _update(self, in_place: Callable[[Any, Any], Any], other: Any) -> Tensor:
        """This leaf, its data changed by an operator in place."""
        self.data = in_place(self.data, plain(other))
        return self

    def __pos__(self) -> Tensor:
        return self

    def __divmod__(self, other: Any) -> tuple[Tensor, Tensor]:
        return self // other, self % other

    def __rdivmod__(self, other: Any) -> tuple[Tensor, Tensor]:
        return other // self, other % self

    def __round__(self, decimals: int | None = None) -> Tensor:
        return NUMPY[np.round](self, decimals=decimals or 0)

    def __trunc__(self) -> Tensor:
        return NUMPY[np.trunc](self)

    def __floor__(self) -> Tensor:
        return NUMPY[np.floor](self)

    def __ceil__(self) -> Tensor:
        return NUMPY[np.ceil](self)

    # The bits of whole numbers and of masks have no derivative: they are plain arrays.
    __and__, __or__, __xor__ = _comparison(and_), _comparison(or_), _comparison(xor)
    __rand__, __ror__, __rxor__ = __and__, __or__, __xor__

    def __invert__(self) -> Any:
        return ~self.told()

    # -- methods that arrays have ----------------------------------------------------------------------

    @property
    def flat(self) -> Tensor:
        """All elements along one axis, to iterate over or to index."""
        return self.ravel()

    @property
    def real(self) -> Tensor:
        """The real part: of real numbers the Tensor itself."""
        return NUMPY[np.real](self) if self.node.out.dtype.kind == "c" else self

    def conjugate(self) -> Tensor:
        """The complex conjugate: of real numbers the Tensor itself."""
        return NUMPY[np.conjugate](self) if self.node.out.dtype.kind == "c" else self

    conj = conjugate

    @property
    def imag(self) -> Any:
        """The imaginary part: of real numbers zeros, a plain array."""
        return NUMPY[np.imag](self)

    def astype(
        self, dtype: Any, order: str = "K", casting: Any = "unsafe", subok: bool = True, copy: bool = True
    ) -> Tensor:
        """A copy in another dtype; to integers or booleans it is a constant.

        Parameters
        ----------
        dtype : dtype
            Of numbers.
        order, casting : str
            As NumPy's arrays take them.
        subok : bool
            As NumPy's arrays take it.
        copy : bool
            False gives the Tensor itself where the dtype is its own.

        Returns
        -------
        Tensor
            In the same shape.

        Raises
        ------
        TypeError
            For objects, for complex numbers that would lose their imaginary part, and where ``casting`` does not
            allow it.

        Examples
        --------
        >>> Tensor([1.5, 2.5]).astype("float32").dtype
        dtype('float32')
        """
        dtype = np.dtype(dtype)
        if dtype.kind not in "biufc":
            raise TypeError(f"a Tensor: expected a dtype of numbers, got {dtype}")
        if self.dtype.kind == "c" and dtype.kind not in "bc":
            raise TypeError(
                f"astype: expected a complex dtype, to keep the imaginary part of {self.node.label()}, got {dtype}; "
                f"write t.real.astype({dtype})"
            )
        if not np.can_cast(self.dtype, dtype, casting):
            raise TypeError(f"{self.node.label()} cannot be cast to {dtype} with casting={casting!r}")
        if dtype == self.dtype and not copy:
            return self
        if dtype.kind not in "fc":
            return _stopped(self.node.out.astype(dtype), f"astype({dtype})")
        return NUMPY[Tensor.astype](self, dtype=dtype)

    def reshape(self, *shape: Any, order: str = "C", copy: bool | None = None) -> Tensor:
        """`numpy.reshape`: ``t.reshape(2, 3)`` or ``t.reshape((2, 3))``.

        Parameters
        ----------
        *shape
            The lengths of the new axes, or a tuple of them; one may be -1, for what is left.
        order : str
            "C" counts the elements row by row, "F" column by column.
        copy : bool, optional
            Taken as NumPy takes it, and changes nothing: nobody can write to a result.

        Returns
        -------
        Tensor
            The same elements.

        Raises
        ------
        ValueError
            For another number of elements, or another ``order``.

        Examples
        --------
        >>> Tensor([1.0, 2.0, 3.0, 4.0]).reshape(2, -1).shape
        (2, 2)
        """
        shape = shape[0] if len(shape) == 1 else shape
        if order != "C":
            return NUMPY[np.reshape](self, shape=shape, order=order)
        return NUMPY[np.reshape](self, shape=shape)

    def flatten(self, order: str = "C") -> Tensor:
        """All elements along one axis."""
        return NUMPY[np.ravel](self, order)

    def transpose(self, *axes: Any) -> Tensor:
        """`numpy.transpose`: ``t.transpose()``, ``t.transpose(1, 0)`` or ``t.transpose((1, 0))``."""
        if len(axes) == 2 != self.ndim:
            raise ValueError(
                f"transpose: expected all {self.ndim} axes in their new order, got {list(axes)}; to exchange two of "
                f"them write t.swapaxes{axes}"
            )
        one = len(axes) == 1 and (axes[0] is None or np.ndim(axes[0]))
        return NUMPY[np.transpose](self, axes=axes[0] if one else axes or None)


# Nor have comparisons, which are ready for np.where and for masks.
for _name in COMPARISONS.values():
    setattr(Tensor, f"__{_name}__", _comparison(getattr(operator, _name)))

_new = Tensor.__new__


def _stopped(data: Any, by: str) -> Tensor:
    """A constant that remembers what ended its recording."""
    node = Node(data, False)
    node.detached_by = by
    return wrap(node)


def _restore(data: Any, requires_grad: bool, name: str | None) -> Tensor:
    return Tensor(data, requires_grad=requires_grad, name=name)


def _array(data: Any, dtype: Any = None) -> Any:
    """A copy of ``data`` as an array of numbers or booleans; Python's whole numbers become float64."""
    if type(data) is np.ndarray and data.dtype.kind == "f" and (dtype is None or dtype is data.dtype):
        return data.copy("K")
    if isinstance(data, Tensor):
        data = data.data
    if arrays.is_masked(data):
        raise TypeError("a masked array would lose its mask in a Tensor; pass .filled(value) instead")
    if hasattr(type(data), "__array_function__") and not issubclass(type(data), np.ndarray):  # another library's
        if data.dtype.kind not in "biufc":
            raise TypeError(f"a Tensor: expected numbers, got {type(data).__name__} data of dtype {data.dtype}")
        array = data.copy() if dtype is None else data.astype(dtype)
        if array.dtype.kind == "c":
            complex_from_now_on()
        return array
    if dtype is not None and np.dtype(dtype).kind != "c" and getattr(getattr(data, "dtype", None), "kind", "") == "c":
        raise TypeError(f"a Tensor of {np.dtype(dtype)}: expected real numbers, got complex ones; pass their .real")
    array = np.array(data, dtype=dtype)
    if array.dtype.kind == "c":
        complex_from_now_on()
    if array.dtype.kind == "O" and all(type(v) is int for v in array.flat):  # longer than 64 bits
        try:
            array = array.astype(np.float64)
        except OverflowError as error:
            raise OverflowError(f"a Tensor holds numbers up to {np.finfo(float).max:.4g}; {error}") from None
    if array.dtype.kind not in "biufc":
        raise TypeError(f"a Tensor: expected numbers, got {type(data).__name__} data of dtype {array.dtype}")
    if dtype is None and array.dtype.kind in "iu" and not hasattr(data, "dtype"):
        array = array.astype(np.float64)
    # NumPy's scalars are ten times cheaper to compute with than arrays without axes.
    return array if array.ndim or isinstance(data, np.ndarray) else array[()]


def owned(g: Any) -> Any:
    """``g`` in memory of its own: rules hand on views, and `add` hands one array to both its parents."""
    return g if isinstance(g, np.generic) else g.copy()
