"""Gradients of other libraries, and gradients given in other forms: right ones pass, wrong ones are found and named."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from autograd_core.domain import POSITIVE
from autograd_core.testing import (
    GradientError,
    arrays_for,
    check_gradients,
    check_properties,
    gradient_property,
    libraries,
)
from autograd_core.testing.libraries import NAMES, find

X = np.random.default_rng(0).normal(size=(2, 3))


def error_of(f, *args, check=check_gradients, **options):
    with pytest.raises(GradientError) as raised:
        check(f, *args, **options)
    return raised.value


# -- PyTorch -----------------------------------------------------------------------------------------------


def swish(torch, factor=1.0, **more):
    """An `autograd.Function` whose gradient is right where ``factor`` is 1."""

    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * torch.sigmoid(x)

    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        s = torch.sigmoid(x)
        return g * (s + factor * x * s * (1 - s))

    methods = {"forward": staticmethod(forward), "backward": staticmethod(backward)}
    return type("Swish", (torch.autograd.Function,), {**methods, **{k: staticmethod(v) for k, v in more.items()}})


def test_a_function_of_pytorch_is_differentiated_by_pytorch(judge):
    torch = judge("torch")
    for x in (torch.tensor(X), X):  # recognised by its arguments, or by itself
        report = check_gradients(swish(torch).apply, x)
        assert (report.verdict, report.order) == ("pass", 2)
    error = error_of(swish(torch, 1.1).apply, torch.tensor(X))
    assert str(error).startswith("the gradient of Swish is wrong")
    assert error.relative_error > 1e-3


def test_a_rule_of_pytorch_that_is_wrong_in_second_order_only(judge):
    torch = judge("torch")

    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        s = torch.sigmoid(x).detach()  # right numbers, and no record of them
        return g * (s + x * s * (1 - s))

    wrong = swish(torch, backward=backward)
    assert check_gradients(wrong.apply, torch.tensor(X), order=1).verdict == "pass"
    assert "second derivative" in str(error_of(wrong.apply, torch.tensor(X)))


def test_what_says_that_it_is_differentiable_once_is_checked_once(judge):
    torch = judge("torch")
    right = swish(torch).backward
    once = swish(torch, backward=torch.autograd.function.once_differentiable(right))
    assert check_gradients(once.apply, torch.tensor(X)).order == 1


def test_a_module_is_checked_with_respect_to_its_inputs_and_parameters_by_name(judge):
    torch = judge("torch")
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 2))
    assert check_gradients(model, torch.tensor(X, dtype=torch.float32)).verdict == "pass"

    class Scaled(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = torch.nn.Parameter(torch.ones(3))

        def forward(self, x):
            return x * self.scale + (self.scale - self.scale.detach())  # a gradient that is no derivative

    error = error_of(Scaled(), torch.tensor(X), order=1)
    assert (error.argument, error.gradient) == ("scale", "dscale")
    assert [v.right for v in error.verdicts] == [True, False]


def test_a_module_with_dropout_and_running_statistics_is_a_function_of_its_parameters(judge):
    torch = judge("torch")
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(3, 4, bias=False), torch.nn.BatchNorm1d(4), torch.nn.Dropout(0.5))
    before = model[1].running_mean.clone()
    data = torch.randn(5, 3)
    stands = torch.random.get_rng_state()
    assert check_gradients(model, data, order=1).verdict == "pass"
    assert torch.equal(model[1].running_mean, before)
    assert torch.equal(torch.random.get_rng_state(), stands)


def test_the_random_numbers_of_pytorch_stay_where_they_are(judge):
    torch = judge("torch")
    torch.manual_seed(3)
    check_gradients(lambda x: torch.dropout(x, 0.5, True) * x, torch.tensor(X), order=1)
    after = torch.rand(3)
    torch.manual_seed(3)
    assert torch.equal(after, torch.rand(3))


def test_forward_mode_of_pytorch_is_held_against_its_backward_mode(judge):
    torch = judge("torch")

    def jvp(ctx, t):
        (x,) = ctx.saved_tensors
        return t * torch.sigmoid(x)  # a term is missing

    def forward(ctx, x):
        ctx.save_for_backward(x)
        ctx.save_for_forward(x)
        return x * torch.sigmoid(x)

    wrong = swish(torch, forward=forward, jvp=jvp)
    assert check_gradients(wrong.apply, torch.tensor(X), order=1).verdict == "pass"
    assert "⟨Jv, w⟩" in str(error_of(wrong.apply, torch.tensor(X), check=check_properties, order=1))


def test_a_backward_that_wants_contiguous_gradients_is_found(judge):
    torch = judge("torch")

    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        flat = torch.as_strided(g, (g.numel(),), (1,))  # as memory lies, and not as the axes run
        s = torch.sigmoid(x)
        return flat.reshape(g.shape) * (s + x * s * (1 - s))

    wrong = swish(torch, backward=backward)
    assert check_gradients(wrong.apply, torch.tensor(X), order=1).verdict == "pass"
    assert "other numbers" in str(error_of(wrong.apply, torch.tensor(X), check=check_properties, order=1))


def test_batched_gradients_of_jax_and_pytorch_are_held_against_a_loop(judge):
    torch, jax = judge("torch"), judge("jax")
    assert check_properties(lambda x: torch.tanh(x) * x, torch.tensor(X)).verdict == "pass"

    @jax.custom_vjp
    def f(x):
        return jax.numpy.sin(x)

    def backward(x, g):
        return (g * jax.numpy.cos(x),)

    f.defvjp(lambda x: (f(x), x), backward)
    assert check_properties(f, X).verdict == "pass"


def test_a_rule_for_several_at_once_that_is_wrong_is_found(judge):
    torch, jax = judge("torch"), judge("jax")

    class Sine(torch.autograd.Function):
        factor = 1.0

        @staticmethod
        def forward(x):
            return torch.sin(x)

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.save_for_backward(*inputs)

        @staticmethod
        def backward(ctx, g):
            return g * torch.cos(*ctx.saved_tensors)

        @staticmethod
        def vmap(info, in_dims, x):
            return Sine.apply(x) * Sine.factor, in_dims[0]

    assert check_properties(Sine.apply, torch.tensor(X)).verdict == "pass"
    Sine.factor = 1.01
    assert "several points at once" in str(error_of(Sine.apply, torch.tensor(X), check=check_properties))

    @jax.custom_batching.custom_vmap
    def scaled(g, x):
        return g * jax.numpy.cos(x)

    @scaled.def_vmap
    def _(size, batched, g, x):
        return 1.01 * g * jax.numpy.cos(x), True

    @jax.custom_vjp
    def f(x):
        return jax.numpy.sin(x)

    f.defvjp(lambda x: (f(x), x), lambda x, g: (scaled(g, x),))
    assert "at once are not what they are one after the other" in str(error_of(f, X, check=check_properties, order=1))


def test_each_argument_alone_and_calls_that_overlap(judge):
    torch = judge("torch")

    class Product(torch.autograd.Function):
        last = None

        @staticmethod
        def forward(ctx, x, y):
            ctx.save_for_backward(x, y)
            return x * y

        @staticmethod
        def backward(ctx, g):
            x, y = ctx.saved_tensors
            return (g * y if ctx.needs_input_grad[1] else 2 * g * y), g * x

    x, y = torch.tensor(X), torch.tensor(X + 2)
    assert check_gradients(Product.apply, x, y, order=1).verdict == "pass"
    assert "alone it is another one" in str(error_of(Product.apply, x, y, check=check_properties, order=1))

    class Kept(Product):
        @staticmethod
        def forward(ctx, x, y):
            Kept.last = x.detach(), y.detach()
            return x * y

        @staticmethod
        def backward(ctx, g):
            x, y = Kept.last
            return g * y, g * x

    error_of(Kept.apply, x, y, check=check_properties, order=1)


def test_no_gradient_is_zero(judge):
    torch = judge("torch")
    unused = swish(torch, backward=lambda ctx, g: None)
    error = error_of(unused.apply, torch.tensor(X))
    assert error.got == 0
    assert check_gradients(lambda x, y: x * 2, torch.tensor(X), torch.tensor(X)).verdict == "pass"


# -- JAX, TensorFlow, HIPS autograd, MyGrad, SciPy -----------------------------------------------------------


def test_jax_is_judged_in_double_precision_though_it_computes_in_single(judge):
    jax = judge("jax")

    @jax.custom_vjp
    def f(x):
        return jax.numpy.sin(x) * x

    f.defvjp(lambda x: (f(x), x), lambda x, g: (g * (jax.numpy.cos(x) * x + jax.numpy.sin(x) * (1 + 1e-5)),))
    x = jax.numpy.asarray(X)
    assert x.dtype == "float32"
    error = error_of(f, x, order=1)
    assert 1e-7 < error.relative_error < 1e-4
    assert check_gradients(jax.jit(lambda x: jax.numpy.tanh(x) @ x.T), x).order == 2
    assert not jax.config.jax_enable_x64


def test_a_custom_jvp_of_jax(judge):
    jax = judge("jax")

    @jax.custom_jvp
    def f(x):
        return jax.numpy.exp(x)

    @f.defjvp
    def _(primals, tangents):
        return f(*primals), 1.01 * f(*primals) * tangents[0]

    assert abs(error_of(f, X).relative_error - 0.0099) < 1e-3


def test_a_custom_gradient_of_tensorflow(judge):
    tf = judge("tensorflow")

    @tf.custom_gradient
    def sine(x):
        return tf.sin(x), lambda g: g * tf.cos(x) * 1.01

    assert check_gradients(lambda x: tf.tanh(x) * x, X).order == 2
    assert "gradient of sine is wrong" in str(error_of(sine, tf.constant(X)))


def test_a_primitive_of_hips_autograd(judge):
    judge("autograd")
    import autograd.numpy as anp
    from autograd.extend import defvjp, primitive

    @primitive
    def cube(x):
        return x**3

    defvjp(cube, lambda ans, x: lambda g: g * 2 * x**2)
    assert check_gradients(lambda x, y: anp.tanh(x) @ y.T, X, X).order == 2
    assert error_of(lambda x: cube(x) * anp.ones(3), X, order=1).relative_error > 0.1


def test_mygrad(judge):
    mg = judge("mygrad")
    assert check_gradients(lambda x, y: mg.tanh(x) * y, X, X[0]).verdict == "pass"
    error_of(lambda x: mg.tanh(x) * mg.tensor(x.data), mg.tensor(X))


def test_functions_of_scipy_with_their_derivatives(judge):
    special, optimize = judge("scipy.special"), judge("scipy.optimize")
    x = np.array([1.5, 2.5])
    assert check_gradients(special.gammaln, x, grad=lambda g, x: g * special.digamma(x)).verdict == "pass"
    assert check_gradients(optimize.rosen, x, grad=optimize.rosen_der).verdict == "pass"
    assert check_gradients(optimize.rosen_der, x, jac=optimize.rosen_hess).verdict == "pass"
    error = error_of(special.gammaln, x, grad=lambda g, x: g * special.polygamma(1, x))
    assert "from scipy.special import gammaln" in str(error)


def test_a_function_is_recognised_by_what_it_is_given_and_by_what_its_code_names(judge):
    torch, jax = judge("torch"), judge("jax")
    assert find(None, np.tanh, [X]).name == "autograd_core"
    assert find(None, lambda x: x * x, [torch.tensor(X)]).name == "torch"
    assert find(None, torch.nn.Linear(2, 2), [X]).name == "torch"
    assert find(None, lambda x: torch.tanh(x), [X]).name == "torch"
    assert find(None, lambda x: jax.numpy.tanh(x), [X]).name == "jax"
    assert find(None, lambda x: torch.tanh(x), [X], given=True).name == "numpy"
    assert find("jax", np.tanh, [X]).name == "jax"


def test_a_library_that_is_unknown_or_not_there_is_said_so(monkeypatch):
    with pytest.raises(ValueError, match="of: expected one of 'autograd_core', 'numpy', 'torch'"):
        check_gradients(np.sin, X, of="theano")
    monkeypatch.setitem(sys.modules, "autograd_core.testing.libraries.mygrad", None)
    libraries.named.cache_clear()
    with pytest.raises(ModuleNotFoundError, match="pip install mygrad"):
        check_gradients(np.sin, X, of="mygrad")


def test_no_library_is_imported_before_it_is_needed():
    code = "import sys, numpy as np; from autograd_core.testing import check_gradients; check_gradients(np.sin, 0.5)\n"
    code += f"print([name for name in {NAMES[2:]!r} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=_environment(), check=True)
    assert found.stdout.strip() == "[]"


def _environment():
    return {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}


# -- the forms in which a gradient is given ------------------------------------------------------------------


FORMS = {
    "grad": lambda factor: lambda g, x: g * np.cos(x) * factor,
    "vjp": lambda factor: lambda x: (np.sin(x), lambda g: g * np.cos(x) * factor),
    "jvp": lambda factor: lambda primals, tangents: np.cos(primals[0]) * tangents[0] * factor,
    "jac": lambda factor: lambda x: np.diag(np.cos(x.reshape(-1)) * factor).reshape(x.shape + x.shape),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("check", [check_gradients, check_properties])
def test_every_form_passes_where_it_is_right_and_fails_where_it_is_not(form, check):
    assert check(np.sin, X, **{form: FORMS[form](1.0)}).verdict == "pass"
    error_of(np.sin, X, check=check, **{form: FORMS[form](1.01)})


def test_a_pair_of_value_and_gradient_as_scipy_minimizes_it():
    assert check_gradients(lambda x: (np.sum(x**2), 2 * x), X, jac=True).verdict == "pass"
    assert error_of(lambda x: (np.sum(x**2), x), X, jac=True).verdicts[0].looks_like == "half the right one"


def test_one_form_at_a_time():
    with pytest.raises(TypeError, match="in one form, got grad= and jac="):
        check_gradients(np.sin, X, grad=np.cos, jac=np.cos)
    with pytest.raises(TypeError, match=r"grad: expected a function grad\(\*args\)"):
        check_gradients(np.sin, X, grad=X)


def test_an_intended_surrogate_is_held_against_what_it_stands_for():
    assert check_gradients(np.round, X, grad=lambda g, x: g, expected=lambda x: x).verdict == "pass"
    error_of(np.round, X, grad=lambda g, x: 2 * g, expected=lambda x: x)


def test_a_straight_through_estimator_of_pytorch(judge):
    torch = judge("torch")

    def f(x):
        return x + (torch.round(x) - x).detach()

    assert check_gradients(f, torch.tensor(X), expected=lambda x: x, order=1).verdict == "pass"


def test_none_for_an_argument_without_floats():
    f = lambda x, n: x * n  # noqa: E731
    assert check_gradients(f, np.ones(2), 3, grad=lambda g, x, n: (g * n, None)).verdict == "pass"
    assert check_gradients(f, np.ones(2), 3, grad=lambda g, x, n: g * n).verdict == "pass"
    error = error_of(lambda x, y: x * y, X, X, grad=lambda g, x, y: (g * y, None))
    assert error.argument == "y"
    assert "dy came as None, which is 0" in str(error)


def test_a_gradient_called_with_too_few_arguments_is_told_how_it_is_called():
    with pytest.raises(TypeError, match=r"before them: expected grad\(g, x\)"):
        check_gradients(np.sin, X, grad=lambda: 1)
    with pytest.raises(TypeError, match=r"expected grad\(x\)"):
        check_gradients(lambda x: np.sum(x), X, grad=lambda: 1)
    with pytest.raises(TypeError, match=r"a dict of 2, got 1 values; if some of x, y are data.*argnums=0"):
        check_gradients(lambda x, y: x * y, X, X, grad=lambda g, x, y: (g * y,))


def test_a_function_that_returns_a_cache_is_sent_to_check_layer():
    def forward(x):
        return x * 2, {"x": x}

    with pytest.raises((TypeError, ValueError)) as raised:
        check_gradients(forward, X, grad=lambda dout, x: dout * 2)
    assert any("check_layer" in note for note in raised.value.__notes__)


def test_what_changes_its_arguments_is_told_so():
    def in_place(g, x):
        g *= np.cos(x)
        return g

    for check in (check_gradients, check_properties):
        assert "grad changed its argument g" in str(error_of(np.sin, X, grad=in_place, check=check))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda g, x, w: (g @ w.T, (x.T @ g).T), "it is the transpose of the right one"),
        (lambda g, x, w: (g @ w.T, -(x.T @ g)), "the sign is wrong"),
        (lambda g, x, w: (g @ w.T, 2 * x.T @ g), "twice the right one"),
        (lambda g, x, w: (g @ w.T, x.T @ g / 3), "1/3 of the right one: it was divided by it once too often"),
        (lambda g, x, w: (g @ w.T, x.T @ g * 3), "3 times the right one: a division by it, as in a mean, is missing"),
        (lambda g, x, w: (x.T @ g, g @ w.T), "it is what dx1 should be"),
        (lambda g, x, w: (g @ w.T, 0 * w), "it is 0"),
        (lambda g, x, w: (g @ w.T, x.T @ g * (w > 0)), "of 9 elements"),
    ],
)
def test_a_wrong_gradient_is_told_by_what_it_looks_like(wrong, said):
    rng = np.random.default_rng(0)
    error = error_of(np.matmul, rng.normal(size=(3, 3)), rng.normal(size=(3, 3)), grad=wrong)
    assert said in str(error)
    assert [v.gradient for v in error.verdicts][-1].startswith("d")


def test_what_is_not_summed_over_the_batch():
    error = error_of(lambda x, b: x + b, X, X[0], grad=lambda g, x, b: (g, g))
    assert "sum it over the batch, axis 0" in str(error)


def test_a_wrong_shape_hides_no_other_verdict():
    rng = np.random.default_rng(0)
    x, w, b = rng.normal(size=(4, 3)), rng.normal(size=(3, 2)), rng.normal(size=2)

    def grad(g, x, w, b):
        return g @ w.T, x.T @ g / len(x), g.sum()

    error = error_of(lambda x, w, b: x @ w + b, x, w, b, grad=grad)
    assert "db has shape [], and its argument has shape [2]" in str(error)
    assert [v.right for v in error.verdicts] == [True, False, False]
    assert "1/4 of the right one" in str(error)
    assert "db wrong: its shape is [], and not [2]" in str(error)
    # One alone is told once, and where two are misshapen both are told.
    assert "verdicts" not in str(error_of(lambda x: 2 * x, X, grad=lambda g, x: 2 * g[:1]))
    error = error_of(lambda x, w: x @ w, x, w, grad=lambda g, x, w: (w @ g.T, (x.T @ g).T))
    assert str(error).count("its shape is") == 2


# -- property tests ------------------------------------------------------------------------------------------


def test_gradient_property_of_other_libraries_and_of_given_gradients(judge):
    torch, jax = judge("torch"), judge("jax")
    gradient_property(lambda x: torch.tanh(x), max_examples=10)()
    gradient_property(lambda x: x * jax.numpy.sin(x), of="jax", max_examples=3)()
    gradient_property(lambda x: jax.numpy.tanh(x) * x, max_examples=3)()
    gradient_property(np.log, domain=POSITIVE, grad=lambda g, x: g / x, max_examples=20)()
    with pytest.raises(GradientError):
        gradient_property(np.log, domain=POSITIVE, grad=lambda g, x: g / (x + 1e-3))()
    with pytest.raises(GradientError, match="Swish"):
        gradient_property(swish(torch, 1.1).apply)()


def test_arrays_of_another_library_are_drawn(judge):
    torch = judge("torch")
    from hypothesis import find as found

    drawn = found(arrays_for(POSITIVE, (2,), of="torch"), lambda x: True)
    assert isinstance(drawn, torch.Tensor)
    assert drawn.tolist() == [0.125, 0.15625]


# -- code that shows it again --------------------------------------------------------------------------------


def test_every_printed_script_shows_the_same_failure_in_a_fresh_interpreter(judge, tmp_path):
    torch, jax, tf = judge("torch"), judge("jax"), judge("tensorflow")
    scale = np.array([1.0, 2.0, 3.0])

    class Base(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * torch.sigmoid(x)

    class Wrong(Base):
        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return g * torch.sigmoid(x)

    @jax.custom_vjp
    def f(x):
        return jax.numpy.sin(x) * x

    def forward_rule(x):
        return f(x), x

    def backward_rule(x, g):
        return (g * x,)

    f.defvjp(forward_rule, backward_rule)

    def outer(f):
        def g(x):
            return f(x)

        return g

    f_of_x = lambda x: np.sum(np.tanh(x) * scale)  # noqa: E731

    def layer(x, w):
        return x @ w, (x, w)

    def layer_backward(dout, cache):
        x, w = cache
        return dout @ w.T, x.T @ dout * 1.1

    special = judge("scipy.special")
    from autograd_core.testing import check_layer

    errors = [
        error_of(Wrong.apply, torch.tensor(X)),
        error_of(f, jax.numpy.asarray(X)),
        error_of(f_of_x, X, grad=outer(lambda x: np.cos(x))),
        error_of(special.gammaln, np.array([1.5]), grad=lambda g, x: g * special.psi(x) * 2),
        error_of(lambda x: tf.tanh(x) * tf.stop_gradient(x), X),
        error_of(np.sin, X, grad=lambda g, x: g, seed=3, argnums=0),
        error_of(lambda x: (np.sum(x**2), x), X, jac=True),
        error_of(np.sin, X, jvp=lambda primals, tangents: tangents[0]),
        error_of(layer, layer_backward, X, X.T, check=check_layer),
        error_of(np.sin, X, grad=lambda g, x: g * 0 + np.cos(x), check=check_properties),
    ]
    parts = []
    for n, error in enumerate(errors):
        (tmp_path / f"{n}.py").write_text(str(error).split("To see it again:")[1], encoding="utf-8")
        parts.append(f"again({n})")
    code = (
        "import runpy, sys\n"
        "from autograd_core.testing import GradientError\n"
        "def again(n):\n"
        "    try:\n"
        "        runpy.run_path(f'{n}.py')\n"
        "    except GradientError as error:\n"
        "        print('|'.join(str(error).split('To see it again')[0].splitlines()[:4]))\n"
        "    else:\n"
        "        print('nothing')\n" + "\n".join(parts)
    )
    found = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, env=_environment(), cwd=tmp_path
    )
    assert found.returncode == 0, found.stderr
    for said, error in zip(found.stdout.splitlines(), errors, strict=True):
        assert said == "|".join(str(error).split("To see it again")[0].splitlines()[:4])


def test_what_cannot_be_written_as_text_says_so():
    class Model:
        def __call__(self, x):
            return x * 2

    error = error_of(Model(), X, grad=lambda g, x: g)
    assert "which cannot be written as text: it is error.function" in str(error)
    assert error.function is not None
