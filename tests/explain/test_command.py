"""``autograd explain``: what is written is read, computed, and never run as Python."""

import json
import os
import subprocess
import sys
import webbrowser
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd_core import REGISTRY, GraphError, Tensor, explain
from autograd_core.command import main
from autograd_core.command.expression import evaluate, variables
from autograd_core.command.grammar import GROUPS, functions, grammar, listing
from autograd_core.command.parser import ExpressionError, near


def compute(expression, *given):
    return evaluate(expression, variables(given))


def refuse(expression, *given):
    """The message of an error and the character that it points at."""
    with pytest.raises(ExpressionError) as caught:
        compute(expression, *given)
    message, *_ = str(caught.value).splitlines()
    return message, caught.value.source[caught.value.column :]


def test_the_lecture_in_the_terminal(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "autograd_core", "explain", "(x + y) * z", "x=-2", "y=5", "z=-4"],
        capture_output=True, text=True, encoding="utf-8", cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    for line in ("2 f = v1 · z 3 · (-4) = -12", "∂f/∂x -4.0", "∂f/∂y -4.0", "∂f/∂z 3.0"):
        assert line in lines


def test_files_are_written(tmp_path, capsys, judge):
    judge("pygraphviz")
    page, svg = tmp_path / "b.html", tmp_path / "g.svg"
    assert main(["explain", "sum(tanh(w * x))", "w=0.5", "x=[1, 2]", "--html", str(page), "--svg", str(svg)]) == 0
    assert "Transcript" in page.read_text("utf-8")
    assert ET.parse(svg).getroot().tag.endswith("svg")
    assert str(page) in capsys.readouterr().err


def test_latex_replaces_the_tables(capsys):
    assert main(["explain", "x * x", "x=3", "--latex"]) == 0
    assert capsys.readouterr().out.startswith(r"\documentclass")


def test_the_page_is_opened_when_asked_for(monkeypatch, tmp_path):
    opened = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    assert main(["explain", "x * x", "x=3", "--html", str(tmp_path / "p.html"), "--open"]) == 0
    assert opened == [(tmp_path / "p.html").resolve().as_uri()]


def test_an_error_is_two_lines_with_an_arrow_and_a_status(capsys):
    assert main(["explain", "x + tahn(x)", "x=1"]) == 2
    said = capsys.readouterr().err.splitlines()
    assert "there is no function tahn; did you mean " in said[0]
    assert "tanh" in said[0]
    assert said[1].index("tahn") == said[2].index("^")


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("2 * x + 1", 7),
        ("-x ** 2", -9),
        ("(x - 1) / (x + 1)", 0.5),
        ("exp(log(x))", 3),
        ("maximum(x, 10)", 10),
        ("abs(-x) + pi - pi", 3),
        ("  x * 1e3", 3000),
        ("sum([1, 2] * x)", 9),
        ("relu(x)", 3),
        ("µ * x", 6),
    ],
)
def test_arithmetic_means_what_it_means(expression, expected):
    given = ["x=3", "µ=2"] if "µ" in expression else ["x=3"]
    assert compute(expression, *given).item() == pytest.approx(expected)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("sum(x, axis=0)", [4, 6]),
        ("max(x, axis=-1, keepdims=True)", [[2], [4]]),
        ("mean(x, axis=(0, 1))", 2.5),
        ("reshape(x, shape=[4])", [1, 2, 3, 4]),
        ("softmax(x, axis=0) * 0 + 1", [[1, 1], [1, 1]]),
    ],
)
def test_functions_take_their_keywords(expression, expected):
    assert np.array_equal(compute(expression, "x=[[1,2],[3,4]]").data, expected)


def test_a_keyword_that_is_not_there_is_named_with_those_that_are():
    assert "sum takes axis, keepdims; did you mean axis?" in refuse("sum(x, axs=0)", "x=1")[0]


@pytest.mark.parametrize(
    ("hostile", "at"),
    [
        ('__import__("os").system("true")', '"os"'),
        ("x + __import__(x)", "__import__"),
        ("().__class__.__bases__", ")"),
        ("x.__class__", "__class__"),
        ("x.data", "data"),
        ("x.backward()", "backward"),
        ("x.exp()", "exp()"),
        ("x.sum", "sum"),
        ("(lambda: x)()", ": x"),
        ("[y for y in x]", "y for"),
        ("open('/etc/passwd')", "'/etc"),
        ("x if x else x", "if x"),
        ("x and x", "and x"),
        ("x < 1", "x <"),
        ("1 < x < 2", "< 2"),
        ("f'{x}'", "'{"),
        ("'a' * x", "'a'"),
        ("x[0]", "[0]"),
        ("x[x]", "x]"),
        ("x[]", "[]"),
        ("x[1.5]", "1.5"),
        ("x[1:2:3:4]", "4]"),
        ("x[99999]", "99999"),
        ("(y := x)", ":="),
        ("sum(x, axes=0)", "axes"),
        ("sum(x, axis=x)", "x)"),
        ("sum(x, axis=10**9)", "**9"),
        ("sum(x, axis='a')", "'a'"),
        ("sum(x, **x)", "**x"),
        ("tanh(x, axis=0)", "axis"),
        ("reshape(x, shape=(99999999, 1))", "99999999"),
        ("broadcast_to(x, shape=(9999, 9999))", "(9999"),
        ("frame(x, pairs=((9, 9),))", "frame"),
        ("1j * x", "j *"),
        ("True * x", "True"),
        ("sum(*x)", "*x"),
        ("x // 2", "// 2"),
        ("~x", "~x"),
        ("x @ x", "@ x"),
        ("eval('1')", "'1'"),
        ("tanh", "tanh"),
        ("tanh(x, x)", "tanh("),
    ],
)
def test_what_is_not_arithmetic_is_pointed_at(hostile, at):
    _, pointed = refuse(hostile, "x=1")
    assert pointed.startswith(at)


def test_whole_numbers_cannot_run_away():
    assert compute("x + 9**9**9**9", "x=1").item() == np.inf  # as whole numbers it would not end
    assert compute("x * " + "9" * 400, "x=1").item() == np.inf


@pytest.mark.parametrize(
    "endless",
    [
        "(" * 500 + "x" + ")" * 500,
        "-" * 1500 + "x",
        "x" + "+x" * 5000,
        "tanh(" * 180 + "x" + ")" * 180,
        "[" * 150 + "1" + "]" * 150,
    ],
)
def test_length_and_depth_are_bounded(endless, count_calls):
    said = []
    assert count_calls(lambda: said.append(refuse(endless, "x=1"))) < 100 * len(endless)
    assert any(word in said[0][0] for word in ("limit", "deep", "levels", "no expression", "nested"))


@pytest.mark.parametrize(
    ("expression", "given", "said"),
    [
        ("x + yy", ["x=1", "y=2"], "yy has no value; give one as yy=…; did you mean y"),
        ("x +", ["x=1"], "the expression ends here; expected a number"),
        ("2 + 3", [], "depends on no variable"),
        ("x", ["x=1"], "nothing is computed"),
        ("x", ["x=1", "x=2"], "given twice"),
        ("x", ["x"], "name=number"),
        ("x", ["x=open(a)"], "expected a number or a list of numbers, got open"),
        ("x", ["x=-[1]"], "expected a number"),
        ("x", ["x="], "expected a number"),
        ("x", ["x==2"], "expected a number"),
        ("", ["x=1"], "the expression ends here"),
        ("x^2 + 3*x^3", ["x=1"], "write x**2 + 3*x**3"),
        ("2x + 1", ["x=1"], "write 2 * x + 1"),
        ("2(x + 1)", ["x=1"], "write 2 * (x + 1)"),
        ("x % 2", ["x=1"], "write remainder(x, y)"),
        ("not x", ["x=1"], "write where(a, y, x)"),
        ("x = 2", [], "write == to compare, and values behind the expression: x=2"),
        ("x.exp()", ["x=1"], "there is no method .exp(); write exp(…)"),
        ("x.sun()", ["x=1"], "did you mean sum"),
        ("sum(x, 0)", ["x=1"], "sum takes 1 argument (and axis=, keepdims=), and 2 came"),
        ("max(x, x, x)", ["x=1"], "max takes 1 or 2 arguments (and axis=, keepdims=), and 3 came"),
        ("sum(x, axis=0, axis=0)", ["x=1"], "axis is given twice"),
        ("outer(x, x)", [f"x={list(range(400))}"], "more than 10000 elements"),
        ("x $ 2", ["x=1"], "$ has no meaning in an expression"),
        ("x\ny", ["x=1"], "one line"),
        ("cross_entropy(z, 1.5)", ["z=[1,2]"], "or as the number of a class"),
        ("cross_entropy(z, [1,2,3])", ["z=[1,2]"], "expected y as a probability for each of z"),
        ("x", ["x=[[1,2],[3]]"], "one length"),
        ("x", ["x=y"], "expected a number"),
        ("x + y", ["x=[1,2]", "y=[1,2,3]"], "operands could not be broadcast"),
    ],
)  # fmt: skip
def test_mistakes_are_said(expression, given, said):
    assert said in refuse(expression, *given)[0]


def test_an_array_asks_for_its_seed_here_as_in_python_and_says_what_it_is(capsys):
    assert main(["explain", "x * x", "x=[1,2]"]) == 2
    said = capsys.readouterr().err
    with pytest.raises(GraphError) as caught:
        explain(Tensor([1.0, 2.0]) * 2)
    typed = said.removeprefix("autograd explain: ").strip().replace('--seed "[1, 0]"', "explain(f, [1, 0])")
    assert f"explain: {typed}" == str(caught.value)
    assert "the gradients are then those of sum(seed * f)" in typed


def test_a_seed_says_how_much_each_element_counts(capsys):
    assert main(["explain", "softmax(z)", "z=[1,2,3]", "--seed", "[0,-1,0]"]) == 0
    seeded = capsys.readouterr().out.splitlines()[-1].split()[1:]
    assert main(["explain", "-softmax(z)[1]", "z=[1,2,3]"]) == 0
    assert seeded == capsys.readouterr().out.splitlines()[-1].split()[1:]
    assert main(["explain", "softmax(z)", "z=[1,2,3]", "--seed", "[0,1]"]) == 2
    assert "--seed: expected an array of shape [3], as the result has, got [2]" in capsys.readouterr().err
    assert main(["explain", "softmax(z)", "z=[1,2,3]", "--seed", "-1"]) == 2


@pytest.mark.parametrize(
    ("expression", "gradient"),
    [("-x", -1), ("-log(x)", -0.5), ("--x", 1), ("-(x * x)", -4), ("-2*x", -2), ("-x + 1", -1), ("--svg_like*x", 2)],
)
def test_an_expression_may_begin_with_a_minus(capsys, expression, gradient):
    given = ["x=2", *(["svg_like=2"] if "svg" in expression else [])]
    assert main(["explain", expression, *given]) == 0
    found = [line.split() for line in capsys.readouterr().out.splitlines() if line.startswith(" ∂f/∂x ")]
    assert float(found[-1][-1]) == gradient


def test_the_options_are_still_options(capsys, tmp_path):
    with pytest.raises(SystemExit) as stopped:
        main(["explain", "-h"])
    assert stopped.value.code == 0
    assert "list all that can be typed" in capsys.readouterr().out
    assert main(["explain", "-x", "x=2", "--late"]) == 0
    assert r"\documentclass" in capsys.readouterr().out
    assert main(["explain", "-x", "x=2", f"--html={tmp_path / 'p.html'}"]) == 0
    assert (tmp_path / "p.html").exists()


def test_what_is_given_and_not_used_is_named(capsys):
    assert main(["explain", "x*y", "x=1", "y=2", "z=3", "w:=4"]) == 0
    said = capsys.readouterr().err
    assert "z is not in the expression, so f does not depend on it" in said
    assert "w is not" in said
    assert "x is not" not in said


def test_data_has_no_gradient_and_no_step(capsys):
    assert main(["explain", "-sum(y * log(p))", "p=[0.2,0.8]", "y:=[0,1]"]) == 0
    said = capsys.readouterr().out
    assert "v2 = y · v1" in said
    assert "∂f/∂y" not in said
    assert "none" not in compute("x * y", "x=2", "y := 3").node.label()
    assert "depends on no variable" in refuse("y * y", "y:=3")[0]


# -- what can be typed ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "expression",
    [
        "z[1]", "z[-1] * 2", "z[0:2]", "z[::2]", "z[::-1]", "M[0, 1]", "M[..., 0]", "M[:, 1]", "M[1]", "M[0:2, 0:1]",
        "z.sum()", "M.sum(axis=0)", "M.mean(axis=1, keepdims=True)", "M.T", "M.T @ M",
        "M.T[0].sum()", "(x + z).max()", "-x**2", "2**-x", "x**2**0.5", "-x * -x", "x - 2 - 1", "x / 2 / 3", "2 * x**3",
        "(x > 2) * x", "z + 1 - x * z / 2", "x.T", "-z[0] ** 2", "1e2 * x", ".5 * x", "2. * x", "+x * 2", "x * pi - e",
    ],
)  # fmt: skip
def test_python_reads_the_same(expression):
    given = {"x": 3.0, "z": np.array([1.0, 2.0, 3.0]), "M": np.array([[1.0, 2.0], [3.0, 4.0]])}
    expected = eval(expression, {"pi": np.pi, "e": np.e, **{k: np.asarray(v) for k, v in given.items()}})
    found = compute(expression, *(f"{name}={np.asarray(value).tolist()}" for name, value in given.items())).data
    assert np.shape(found) == np.shape(expected)
    assert np.array_equal(found, expected)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("max(x, 0)", 0),
        ("max(2, x, )", 2),
        ("min(x, 0)", -3),
        ("maximum(x, 1) + minimum(x, 1)", -2),
        ("where(x > 0, x, 0.1 * x)", -0.3),
        ("where(x == -3, 7, x)", 7),
        ("where(x != -3, x, x * x)", 9),
        ("where(x <= -3, x, 1) + where(x >= -3, x, 1) + where(x < -3, x, 1)", -5),
    ],
)
def test_choices(expression, expected):
    assert compute(expression + " + 0 * x", "x=-3").item() == pytest.approx(expected)


def test_what_is_compared_is_shown_as_it_was_written(capsys):
    assert main(["explain", "where(x>2, x, 0.1*x) * (x  <=4)", "x=3"]) == 0
    said = capsys.readouterr().out
    assert "v2 = where(x > 2, x, v1)" in said
    assert "f = v2 · (x <= 4)" in said
    assert "∂v2/∂v1 = [not x > 2] = 0" in said


@pytest.mark.parametrize("y", [0, 2, [0.2, 0.3, 0.5]])
def test_cross_entropy_is_that_of_torch(judge, y):
    torch = judge("torch")
    z = [1.0, -2.0, 0.5]
    for mark in ("=", ":="):
        f = compute("cross_entropy(z, y)", f"z={z}", f"y{mark}{y}")
        logits = torch.tensor(z, dtype=torch.float64, requires_grad=True)
        expected = torch.nn.functional.cross_entropy(
            logits, torch.tensor(y, dtype=torch.float64 if np.ndim(y) else None)
        )
        expected.backward()
        (leaf,) = (node for node in explain(f, names={}).values.values() if node.name == "z")
        assert f.item() == pytest.approx(expected.item(), rel=1e-14)
        assert np.allclose(leaf.gradient, logits.grad, rtol=1e-14, atol=1e-16)


def test_entropies_of_rows_are_means_as_torchs(judge):
    torch = judge("torch")
    z = torch.tensor([[1.0, -2.0, 0.5], [0.1, 0.2, 0.3]], dtype=torch.float64)
    f = compute("cross_entropy(z, [2, 0])", f"z={z.tolist()}")
    assert f.item() == pytest.approx(torch.nn.functional.cross_entropy(z, torch.tensor([2, 0])).item(), rel=1e-14)
    p, y = torch.sigmoid(z), torch.tensor([[1.0, 0, 0], [0, 1, 1]], dtype=torch.float64)
    f = compute("binary_cross_entropy(p, y)", f"p={p.tolist()}", f"y:={y.tolist()}")
    assert f.item() == pytest.approx(torch.nn.functional.binary_cross_entropy(p, y).item(), rel=1e-14)
    one = compute("binary_cross_entropy(p, 1)", "p=0.25")
    assert one.item() == pytest.approx(-np.log(0.25))


@pytest.mark.parametrize(("x", "k"), [([1, 2, 3, 4], [1, -1]), ([[1, 2, 0], [0, 1, 3], [4, 1, 1]], [[1, 2], [-1, 3]])])
def test_conv_takes_vectors_and_matrices(judge, x, k):
    scipy = judge("scipy.signal")
    found = compute("conv(x, k)", f"x={x}", f"k={k}").data
    assert np.allclose(found, scipy.correlate(np.array(x, float), np.array(k, float), mode="valid"))


def test_every_function_of_the_list_can_be_called_and_the_list_names_each_registered_op(capsys):
    assert main(["explain", "--functions"]) == 0
    lines = capsys.readouterr().out.rstrip("\n").split("\n")
    assert max(map(len, lines)) <= 80
    assert lines == listing().split("\n")
    square = "[[2, 0.5], [0.5, 1]]"
    for name in " ".join(GROUPS.values()).split():
        assert sum(line.startswith(f"  {name}(") for line in lines) == 1
        words = {"reshape": ", shape=(4,)", "broadcast_to": ", shape=(2, 2, 2)", "expand_dims": ", axis=0"}
        second = "y" if name != "cross_entropy" else "[1, 0]"
        arguments = {"1": "x", "2": f"x, {second}", "3": "x > 1, x, y"}
        for count, op in functions()[name]["by"].items():
            called = f"{name}({arguments[count]}{words.get(name, '')})"
            try:
                compute(called, f"x={square}", f"y={square}")
            except ExpressionError as error:
                raise AssertionError(called, op) from error
    # Of what answers for a function of NumPy's the list leaves out what cannot be typed, or says nothing about numbers.
    left_out = {name for name, op in REGISTRY.items() if op.numpy} - set(functions())
    assert left_out <= {
        "astype", "clamp", "concatenate", "conj", "convolve", "copy", "eigvals", "einsum", "fft", "frame", "getitem",
        "identity", "ifft", "imag", "irfft", "nan_to_num", "nanmax", "nanmin", "real", "repeat", "rfft", "roll",
        "round", "windows",
    }  # fmt: skip


def test_the_grammar_is_nothing_but_data():
    text = json.dumps(grammar(), allow_nan=False)
    assert json.dumps(json.loads(text)) == text


def test_slips_of_the_hand():
    assert near("tahn", ["tanh", "sinh"]) == "; did you mean tanh?"
    assert near("logg", ["log", "log2", "sigmoid"]) == "; did you mean log or log2?"
    assert near("banana", ["tanh"]) == ""


@given(
    st.lists(st.sampled_from([*"xyz12.+-*/@(),[]=<>:!^%e \n\0µ×é", "sum", "max(", "axis=", "**", "x[", "where("])).map(
        "".join
    )
)
def test_any_text_is_computed_or_pointed_at(text):
    known = variables(["x=2", "y=[1,2]", "z:=3"])
    try:
        found = evaluate(text, known)
    except ExpressionError as caught:
        found = caught
    if isinstance(found, ExpressionError):
        assert 0 <= found.column <= len(text)
        assert (found.source, bool(found.message)) == (text, True)
    else:
        assert isinstance(found, Tensor)


def test_a_variable_may_be_called_f(capsys):
    assert main(["explain", "f * 2", "f=3"]) == 0
    assert "∂v1/∂f" in capsys.readouterr().out


def test_who_reads_may_stop_reading():
    """As ``autograd explain … | head -1`` does: there is nothing to complain about."""
    command = [sys.executable, "-c", "from autograd_core.command import main; raise SystemExit(main())"]
    reads, writes = os.pipe()
    os.close(reads)
    done = subprocess.run([*command, "explain", "x*x", "x=2"], stdout=writes, stderr=subprocess.PIPE, check=False)
    os.close(writes)
    assert (done.returncode, done.stderr) == (1, b"")
