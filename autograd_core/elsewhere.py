"""What other libraries call it, and what is written here: for the errors met by those who bring habits along.

Read only when something is missing. The names are those of the tensors of PyTorch, tinygrad, MyGrad and micrograd and
of the arrays of NumPy, JAX and HIPS autograd; the tests ask the libraries themselves whether any is left out.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Container
from types import FrameType

import numpy as np

from .dispatch import NUMPY, OUT_OF_SCOPE, WITHOUT_DERIVATIVE, full_name

# One line for each thing that is written in another way here: the names that it has elsewhere, and the rewrite.
_REWRITES = """
    sub: t - other
    mul: t * other
    div: t / other
    neg: -t
    abs: abs(t)
    pow: t ** exponent
    mod: t % other
    mm mv bmm: t @ other
    image_dot linear: t @ weight + bias
    addmm addmv baddbmm addbmm: t + a @ b
    addr: t + a[:, None] * b
    addcmul: t + value * a * b
    addcdiv: t + value * a / b
    lerp: t + weight * (other - t)
    ger: np.outer(t, other)
    eq: t == other
    ne: t != other
    lt: t < other
    le: t <= other
    gt: t > other
    ge: t >= other
    equal: np.array_equal(t, other)
    lshift: t.data << n
    rshift: t.data >> n
    sgn: np.sign(t)
    frac: t - np.trunc(t)
    rsqrt: 1 / np.sqrt(t)
    logit: np.log(t) - np.log1p(-t)
    xlogy: t * np.log(other)
    clamp: t.clip(low, high)
    clamp_min: np.maximum(t, low)
    clamp_max: np.minimum(t, high)
    silu swish: t * autograd_core.sigmoid(t)
    quick_gelu: t * autograd_core.sigmoid(1.702 * t)
    gelu: t * autograd_core.erfc(-t / np.sqrt(2)) / 2
    mish: t * np.tanh(autograd_core.softplus(t))
    logsigmoid: -autograd_core.softplus(-t)
    softmin: autograd_core.softmax(-t, axis)
    softsign: t / (1 + abs(t))
    relu6: t.clip(0, 6)
    hardtanh: t.clip(-1, 1)
    hardsigmoid: (t / 6 + 0.5).clip(0, 1)
    hardswish: t * (t / 6 + 0.5).clip(0, 1)
    hardshrink: np.where(abs(t) > 0.5, t, 0)
    leaky_relu prelu: np.where(t > 0, t, slope * t)
    elu celu: np.where(t > 0, t, alpha * np.expm1(np.minimum(t, 0) / alpha))
    selu: 1.0507009873554805 * np.where(t > 0, t, 1.6732632423543772 * np.expm1(np.minimum(t, 0)))
    normalize: t / np.linalg.norm(t, axis=axis, keepdims=True)
    layernorm: (t - t.mean(-1, keepdims=True)) / np.sqrt(t.var(-1, keepdims=True) + 1e-5)
    dist: np.linalg.norm(t - other)
    view unflatten view_as reshape_as resize_as: t.reshape(shape)
    unsqueeze: np.expand_dims(t, axis)
    permute: t.transpose(axes)
    t: t.T
    mH H adjoint: t.mT
    swapdims: t.swapaxes(axis, other_axis)
    movedim: np.moveaxis(t, axis, other_axis)
    expand expand_as: np.broadcast_to(t, shape)
    sum_to_size: t.sum(axis)
    repeat_interleave: t.repeat(n, axis)
    cat: np.concatenate([t, other], axis)
    stack: np.stack([t, other], axis)
    unbind: list(np.moveaxis(t, axis, 0))
    chunk tensor_split unsafe_chunk: np.array_split(t, n, axis)
    split unsafe_split: np.split(t, range(n, t.shape[axis], n), axis)
    split_with_sizes unsafe_split_with_sizes: np.split(t, np.cumsum(sizes)[:-1], axis)
    select index_select: np.take(t, index, axis)
    narrow narrow_copy shrink shrink_to: t[start:end]
    gather take_along_dim: np.take_along_axis(t, indices, axis)
    index: t[index]
    masked_select: t[mask]
    where masked_fill masked_scatter: np.where(mask, t, value)
    index_fill index_put index_copy select_scatter slice_scatter fill_diagonal put: t.at[index].set(value)
    index_add scatter_add: t.at[index].add(value)
    scatter: t.at[index].set(value)
    diagonal_scatter: np.where(np.eye(len(t), dtype=bool), value, t)
    diag_embed: t[..., None] * np.eye(t.shape[-1])
    pad_to: np.pad(t, widths)
    topk: np.sort(t, axis)[..., :-k - 1:-1]
    kthvalue: np.sort(t, axis)[..., k - 1]
    msort: np.sort(t, 0)
    sort: np.sort(t, axis)
    median: np.quantile(t, 0.5, method="lower")
    nanmedian: np.nanquantile(t, 0.5, method="lower")
    quantile: np.quantile(t, q, axis)
    nanquantile: np.nanquantile(t, q, axis)
    aminmax: (t.min(axis), t.max(axis))
    std_mean: (t.std(axis, ddof=1), t.mean(axis))
    var_mean: (t.var(axis, ddof=1), t.mean(axis))
    usum: sum([t, other])
    uprod: t * other
    nansum: np.nansum(t, axis)
    nanmean: np.nanmean(t, axis)
    logcumsumexp: np.log(np.cumsum(np.exp(t - t.max().data), axis)) + t.max().data
    logdet: np.linalg.slogdet(t)[1]
    inverse: np.linalg.inv(t)
    cholesky_inverse: np.linalg.inv(t @ t.mT)
    cholesky_solve: np.linalg.solve(t @ t.mT, other)
    lu_solve triangular_solve: np.linalg.solve(t, other)
    pinverse: np.linalg.pinv(t)
    symeig: np.linalg.eigh(t)
    cov: np.cov(t)
    corrcoef: np.corrcoef(t)
    frexp: np.frexp(t)
    i0: np.i0(t)
    gradient: autograd_core.grad(f)(t)
    cross_entropy nll_loss sparse_categorical_crossentropy: -np.mean(autograd_core.log_softmax(t)[range(n), labels])
    binary_crossentropy: -np.mean(labels * np.log(t) + (1 - labels) * np.log(1 - t))
    binary_crossentropy_logits: np.mean(autograd_core.softplus(t) - labels * t)
    scaled_dot_product_attention: autograd_core.softmax(t @ keys.mT / np.sqrt(t.shape[-1])) @ values
    clone contiguous contiguous_backward realize coalesce: t.copy()
    const_like new_full: np.full_like(t.data, value)
    new_tensor new: autograd_core.Tensor(value)
    new_zeros new_empty new_empty_strided: np.zeros(shape, t.dtype)
    new_ones: np.ones(shape, t.dtype)
    full_like: np.full_like(t.data, value)
    cast to type type_as bitcast: t.astype(dtype)
    float: t.astype("float32")
    double: t.astype("float64")
    half: t.astype("float16")
    bool: t.astype(bool)
    int: t.astype("int32")
    long: t.astype("int64")
    short: t.astype("int16")
    char: t.astype("int8")
    byte: t.astype("uint8")
    dim ndimension: t.ndim
    numel nelement max_numel: t.size
    element_size: t.itemsize
    on_device_size_in_bytes: t.nbytes
    max_shape: t.shape
    stride: t.strides
    is_contiguous: t.flags.c_contiguous
    is_floating_point: t.dtype.kind == "f"
    is_signed: t.dtype.kind in "if"
    is_same_size: t.shape == other.shape
    is_nonzero: bool(t)
    is_set_to: t is other
    is_leaf: t.node.op is None
    _prev: t.node.parents
    grad_fn creator _op: t.node.op
    constant is_param: t.requires_grad
    zero_grad null_grad: t.grad = None
    requires_grad_ as_param is_param_: t = autograd_core.Tensor(t.data, requires_grad=True)
    detach_: t = t.detach()
    copy_ assign replace set_: t.data = value
    zero_: t.data[...] = 0
    fill: t = np.full_like(t, value)
    fill_: t.data[...] = value
    normal_: t.data[...] = rng.normal(size=t.shape)
    uniform_: t.data[...] = rng.uniform(size=t.shape)
    randn_like: rng.normal(size=t.shape)
    rand_like: rng.uniform(size=t.shape)
    softmax: autograd_core.softmax(t, axis)
    log_softmax: autograd_core.log_softmax(t, axis)
    logsumexp: autograd_core.logsumexp(t, axis)
    one_hot: autograd_core.one_hot(t, n)
    dropout bernoulli: t * (rng.random(t.shape) >= rate) / (1 - rate)
    as_subclass: autograd_core.Tensor(t.data)
    _value: t.data
    dump dumps tofile: np.save(path, t.data)
    __dlpack__: t.data.__dlpack__()
    __array_interface__: t.data.__array_interface__
    __buffer__: memoryview(t.data)
    getfield: t.astype(dtype)
    setfield: t = t.at[index].set(value)
    partition: np.partition(t, kth)
    resize: t = t.reshape(shape)
    format: format(t, ".3f")
    devices device_buffer device_buffers addressable_data: t.data
    unique unique_consecutive: np.unique(t.data)
    histc: np.histogram(t.data, bins)
    ldexp: t * 2.0 ** other
    digamma: autograd_core.scipy.special.digamma(t)
    erfinv: autograd_core.scipy.special.erfinv(t)
    lgamma: autograd_core.scipy.special.gammaln(t)
    mvlgamma: autograd_core.scipy.special.multigammaln(t + n, n)
    polygamma: autograd_core.scipy.special.polygamma(n, t)
    igamma: autograd_core.scipy.special.gammainc(a, t)
    igammac: autograd_core.scipy.special.gammaincc(a, t)
    matrix_exp: autograd_core.scipy.linalg.expm(t)
"""

# What is not there in any words, and why; the names that it has elsewhere.
_ABSENT = {
    "a Tensor lies where its array lies, in NumPy's memory or another library's: Tensor(cupy.asarray(a)) is on a GPU, "
    "and t.numpy() copies it back": """cpu cuda ipu xpu mtia device to_device to_mkldnn get_device is_cpu is_cuda is_ipu
        is_maia is_meta is_mkldnn is_mps is_mtia is_vulkan is_xla is_xpu pin_memory is_pinned record_stream
        share_memory_ is_shared shard shard_like sharding to_ platform copy_to_host_async is_distributed
        addressable_shards global_shards is_fully_addressable is_fully_replicated committed""",
    "nothing is lazy here: it was computed when it was written": """schedule_linear linear_with_vars callify call
        block_until_ready is_ready sequential custom_kernel uop alu const invalids ufix""",
    "a Tensor is dense": """to_sparse to_sparse_bsc to_sparse_bsr to_sparse_coo to_sparse_csc to_sparse_csr sparse_dim
        sparse_mask sparse_resize_ sparse_resize_and_clear_ resize_as_sparse_ dense_dim to_dense is_sparse is_sparse_csr
        smm sspaddmm crow_indices ccol_indices col_indices row_indices indices values is_coalesced layout is_nested
        to_padded_tensor""",
    "numbers are not quantized here": """dequantize int_repr is_quantized q_per_channel_axis q_per_channel_scales
        q_per_channel_zero_points q_scale q_zero_point qscheme""",
    "a Tensor holds real numbers of NumPy's: complex numbers and other formats are out of scope": """angle cdouble
        cfloat chalf bfloat16 is_complex is_conj is_neg resolve_conj resolve_neg conj_physical stft istft isreal
        weak_type""",
    "the memory is the array's; look at t.data": """base byteswap ctypes data_ptr const_data_ptr setflags storage
        storage_offset storage_type untyped_storage as_strided as_strided_scatter slice_inverse dim_order
        unsafe_buffer_pointer from_blob from_url delete is_deleted is_inference hash hash_tensor traceback aval
        module_load""",
    "gradients of results stay in t.grad without asking, and explain(f) shows each of them": """retain_grad
        retains_grad register_hook register_post_accumulate_grad_hook output_nr grad_dtype volatile reinforce
        _backward""",
    "the graph is gone when its last name is gone; t.backward(release=True) frees it on the way": """clear_graph
        null_gradients""",
    "it is not about a Tensor; make the array with NumPy and, where it is to get a gradient, Tensor(array)": """arange
        empty empty_like eye full ones ones_like zeros zeros_like linspace meshgrid rand randint randn randperm
        random_bits normal uniform glorot_uniform kaiming_normal kaiming_uniform scaled_uniform manual_seed threefry
        multinomial register types type_mappings""",
    "draw the numbers with NumPy, as in t.data[...] = rng.exponential(size=t.shape)": """cauchy_ exponential_ geometric_
        log_normal_ random_""",
    "it is a layer: see nn.layers, and autograd_core.conv": """conv2d conv_transpose2d image_conv2d avg_pool2d
        max_pool2d max_unpool2d batchnorm interpolate""",
    "functions are applied to whole arrays, as in np.tanh(t)": "apply_ map_ map2_",
    "it has no gradient rule here; compose it from functions that have one, write a rule with @autograd_core.op, or "
    "compute it on t.data if no gradient is needed": """cummax cummin index_reduce scatter_reduce mode
        geqrf lu newton_schulz nextafter nonzero_static orgqr ormqr renorm
        unfold rearrange decode_hevc_frame keccak""",
}


@functools.cache
def _table() -> tuple[dict[str, str], dict[str, str]]:
    rewrites = {}
    for line in _REWRITES.strip().splitlines():
        names, _, rewrite = line.partition(":")
        rewrites.update(dict.fromkeys(names.split(), rewrite.strip()))
    return rewrites, {name: reason for reason, names in _ABSENT.items() for name in names.split()}


def missing(name: str, own: Container[str]) -> str:
    """Why a Tensor, whose ``own`` attributes have other names, has no attribute of this name, and what to write."""
    plainly = f"a Tensor has no attribute {name!r}"
    told = _told(name)
    if told or not name.endswith("_"):
        return plainly + told
    value = name.rstrip("_")  # PyTorch's for "not in place"
    told = f"; write t.{value}(…)" if value in own else _told(value)
    return plainly + told.replace("; write ", ", because it is not changed in place; write t = ", 1)


def _told(name: str) -> str:
    rewrites, absent = _table()
    if name in rewrites:
        return f"; write {rewrites[name]}"
    if name in absent:
        return f": {absent[name]}"
    for module in (np, np.linalg):
        function = getattr(module, name, None)
        if not callable(function):
            continue
        if function in OUT_OF_SCOPE:
            return f": {full_name(function)} is out of scope; {OUT_OF_SCOPE[function]}"
        if function in NUMPY or function in WITHOUT_DERIVATIVE:
            return f"; write {full_name(function)}({'t' if getattr(function, 'nin', 2) == 1 else 't, …'})"
    return ""


# Functions that make arrays of their arguments, and what is written in place of them.
_CONVERTING = {"full": "np.broadcast_to(t, shape)"}
_LIBRARIES = {"jax", "keras", "matplotlib", "numpy", "pandas", "scipy", "sklearn", "tensorflow", "torch"}


def conversion(frame: FrameType | None) -> tuple[str, str]:
    """What turns a Tensor into an array, and what to write: ``frame`` is where it was asked to.

    Where libraries are on the way, it is the function of theirs that was called first.
    """
    called, library, twin = "", "", ""
    while frame is not None and (module := frame.f_globals.get("__name__", "")).partition(".")[0] in _LIBRARIES:
        name = frame.f_code.co_name
        if name == "wrapper" and callable(inside := frame.f_locals.get("f")):  # a decorator's, around a function
            name, module = inside.__name__, inside.__module__
        if not name.startswith(("_", "<")):
            of = _distribution(frame.f_locals.get("self"))
            called, library = f"{of}.{name}" if of else name, module.partition(".")[0]
            twin = _twin(module, called) or twin
        frame = frame.f_back
    if twin:
        return f"scipy's {called}", f"write {twin}(…)"
    told = f"; write {_CONVERTING[called]}" if called in _CONVERTING else _told(called) if called else ""
    if library in ("numpy", "scipy") and told.startswith("; write "):
        return f"{library}'s {called}", told[2:]
    return f"{library}'s {called}, which takes arrays," if called else "turning it into a NumPy array", (
        "use t.data or t.numpy() for the values, np.stack or autograd_core.array to build a recorded array from "
        "Tensors, X @ t for X.dot(t)"
    )


def _distribution(value: object) -> str:
    """The name of a distribution of SciPy's, of numbers, of vectors or with its parameters already."""
    value = getattr(value, "dist", value)
    return str(getattr(value, "name", "")) or type(value).__name__.partition("_gen")[0] * (
        type(value).__module__ == "scipy.stats._multivariate"
    )


def _twin(module: str, called: str) -> str:
    """The function of ours that has the name and the place of one of SciPy's; empty where there is none."""
    package = ".".join(module.split(".")[1:2])
    try:
        where = importlib.import_module(f"autograd_core.scipy.{package}")
        for part in called.split("."):
            if part not in vars(where):
                return ""
            where = vars(where)[part]
    except (ImportError, TypeError):
        return ""
    return f"autograd_core.scipy.{package}.{called}"
