"""The benchmark in its smallest form, so that it cannot rot. What it measures here means nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from autograd_core import REGISTRY
from autograd_core.op import COMPOSED
from autograd_core.testing import strict

ROOT = Path(__file__).parent.parent


def run(script, *arguments, **environment):
    command = [sys.executable, str(ROOT / "benchmarks" / script), *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1", **environment}
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


@pytest.mark.parametrize("only", ["w1, W5,W7", pytest.param("W2,W3,W6,W8", marks=pytest.mark.thorough)])
def test_the_benchmark_runs_and_writes_its_tables(tmp_path, only):
    smoke = ["--smoke", "--out", tmp_path, "--contenders", "ours eager, ours compiled"]
    done = run("run.py", *smoke, "--only", only)
    assert done.returncode == 0, done.stderr
    results = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))["results"]
    fits = {f"W6 {net}{epoch}" for net in ("mlp", "cnn") for epoch in ("", ", second epoch")}
    titles = {"W1", "W5", "W7"} if "W5" in only else {"W2", "W3", "W3 sparse", "W8 W1", "W8 W2"} | fits
    assert titles == set(results)
    absent = {
        name for name, needs in {"ours sparse": "scipy", "ours compiled": "numba"}.items() if not find_spec(needs)
    }
    for title, rows in results.items():
        assert rows[0]["contender"] == {"W5": "autograd-core", "W3 sparse": "ours sparse"}.get(title, "ours replayed")
        assert all(row["contender"] in absent if row.get("missing") else row["median_ms"] > 0 for row in rows)
    table = (tmp_path / "results.md").read_text(encoding="utf-8")
    assert "| ours replayed |" in table
    assert ("µs per op, median" in table) == ("W5" in only)
    picture = tmp_path / "results.png"
    assert picture.exists() == bool(find_spec("matplotlib"))
    if picture.exists():
        picture.unlink()
        assert run("run.py", "--redraw", "--out", tmp_path).returncode == 0
        assert picture.read_bytes().startswith(b"\x89PNG")
    assert not (tmp_path / "turns.json").exists()  # of an unfinished run, which this was not


@pytest.mark.thorough
def test_workloads_measured_before_on_the_same_machine_stay_in_the_tables(tmp_path):
    """And elsewhere, or with other versions, they do not."""
    command = ["run.py", "--smoke", "--out", tmp_path, "--contenders", "ours eager", "--only"]
    file = tmp_path / "results.json"
    for measured, changed, expected in (("W1,W7", {}, "W1 W7"), ("W1", {}, "W1 W7"), ("W3", {"machine": "Z4"}, "W3")):
        if file.exists():
            kept = json.loads(file.read_text(encoding="utf-8"))
            for title in kept["results"]:
                kept["results"][title][0]["min_ms"] = -1
            file.write_text(json.dumps({**kept, **changed}), encoding="utf-8")
        done = run(*command, measured)
        assert done.returncode == 0, done.stderr
        results = json.loads(file.read_text(encoding="utf-8"))["results"]
        assert {title[:2] for title in results} == set(expected.split())
        assert all((rows[0].get("min_ms", 1) > 0) == (title[:2] in measured) for title, rows in results.items())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--only", "W1,W11"], "there is no W11 in 'W1,W11'; known are: W1, W2,"),
        (["--contenders", "PyTorch,Theano"], "there is no Theano in 'PyTorch,Theano'; known are: ours replayed,"),
    ],
)
def test_an_unknown_name_is_refused_with_the_known_ones(arguments, said, tmp_path):
    done = run("run.py", "--smoke", "--out", tmp_path, *arguments)
    assert done.returncode == 2
    assert said in done.stderr


@pytest.fixture
def bench(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    spec = spec_from_file_location("bench_run", ROOT / "benchmarks" / "run.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_failed_turn_costs_no_other(bench):
    """The ratio is from the rounds that both have."""
    times = {"ours": {0: 1.0, 1: 4.0, 2: 9.0}, "other": {0: 2.0, 2: 3.0}, "none": {}}
    found = {c: {n: {"times": [t], "memory": None} for n, t in of.items()} for c, of in times.items()}
    ours, other, none = bench.compare(found)
    assert (ours["rounds"], ours["median_ms"], ours["ours_over_it"]) == (3, 4000, 1)
    assert (other["rounds"], other["median_ms"], other["ours_over_it"]) == (2, 2500, (0.5 + 3) / 2)
    assert other["memory_mb"] is None
    assert none == {"contender": "none", "missing": True}


def test_an_interrupted_run_goes_on_where_it_was(bench, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(bench, "turn", lambda *names: asked.append(names[2]) or ({"x": 1} if "a" in names else None))
    options = SimpleNamespace(seconds=1, rounds=4, fresh=False)

    def rounds(where):
        asked.clear()
        bench.Turns(tmp_path / "turns.json", where, options).rounds("train", "W1", ["a", "b"], float("inf"))
        return asked

    assert rounds("here") == ["a", "b", "b", "a", "a", "a"]  # b failed twice and was left alone
    assert rounds("here") == ["b", "b"]
    assert rounds("another version") == ["a", "b", "b", "a", "a", "a"]


@pytest.fixture
def glance(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    import at_a_glance

    return at_a_glance


def measured(glance, ratio, rounds=5):
    """Results of the workloads in the README, in all of which ours takes so many times what each peer takes."""
    row = {"rounds": rounds, "memory_ratio": None}
    peers = [{"contender": name, "ours_over_it": ratio, **row} for name in ("PyTorch", "Keras")]
    results = {title: [{"contender": "ours replayed", "ours_over_it": 1.0, **row}, *peers] for title in ("W1", "W7")}
    best = {"autograd-core": ratio, "micrograd": 1.0, "PyTorch": 1.0}
    versions = {"autograd-core": "1", "micrograd": "2.0", "PyTorch": "2.13.0+cpu"}
    return results, {"best_us": best, "rounds": rounds, "versions": versions}


def test_the_tables_of_the_readme_are_those_of_the_results(glance):
    files = (ROOT / "benchmarks" / "results" / name for name in ("results.json", "scalar_ops.json"))
    results, scalars = (json.loads(file.read_text(encoding="utf-8")) for file in files)
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert glance.written(text, results["results"], scalars) == text
    assert len(glance.told(text)) == 4 + 4 * 2


def test_what_is_written_into_the_readme_is_what_is_read_there(glance):
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    new = glance.written(text, *measured(glance, 0.5))
    rows = [row for row, title in glance.ROWS.items() if title in ("W1", "W7")]
    expected = {(row, column): 0.5 for row in rows for column in glance.COLUMNS}
    assert glance.told(new) == {**expected, ("micrograd", "scalars"): 0.5, ("PyTorch", "scalars"): 0.5}
    assert "| PyTorch 2.13.0, CPU | 1.0 | 0.50 |" in new
    assert text.split("## How fast")[0] == new.split("## How fast")[0]
    assert text.split("## The packages")[1] == new.split("## The packages")[1]
    with pytest.raises(ValueError, match="expected 2 tables"):
        glance.written("# A\n\n## How fast\n\n| a |\n|---|\n\n## B\n", *measured(glance, 0.5))


@pytest.mark.parametrize(
    ("ratio", "rounds", "status"),
    [(0.5, 5, 0), (0.62, 5, 0), (0.38, 5, 0), (0.63, 5, 1), (0.37, 5, 1), (9.0, 4, 0)],
)
def test_a_ratio_of_the_readme_that_five_rounds_miss_is_told(
    glance, ratio, rounds, status, tmp_path, monkeypatch, capsys
):
    readme = tmp_path / "README.md"
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    readme.write_text(glance.written(text, *measured(glance, 0.5)), encoding="utf-8")
    results, scalars = measured(glance, ratio, rounds)
    (tmp_path / "results.json").write_text(json.dumps({"results": results}), encoding="utf-8")
    (tmp_path / "scalar_ops.json").write_text(json.dumps(scalars), encoding="utf-8")
    monkeypatch.setattr(sys, "argv", ["", "--results", str(tmp_path), "--readme", str(readme)])
    with pytest.raises(SystemExit) as ended:
        glance.main()
    assert ended.value.code == status
    said = capsys.readouterr().out
    assert said.count("have a median of") == 6 * status
    assert said.count("too few to judge") == 6 * (rounds < 5)
    assert ("The README's ratios hold." in said) == (status == 0 and rounds == 5)


def test_a_ratio_that_two_digits_cannot_tell_is_not_missed(glance):
    row = next(iter(glance.ROWS))
    assert glance.off({(row, "Keras"): 0.02}, {(row, "Keras"): (0.028, 5)}) == ([], [])
    assert len(glance.off({(row, "Keras"): 0.02}, {(row, "Keras"): (0.031, 5)})[0]) == 1
    assert len(glance.off({(row, "Keras"): 0.02}, {})[1]) == 1


def test_ours_stands_beside_the_fastest_and_the_one_that_needs_least(glance):
    def row(contender, ratio, memory):
        return {"contender": contender, "ours_over_it": ratio, "memory_ratio": memory, "rounds": 5}

    rows = [row("ours replayed", 1.0, 1.0), row("ours compiled", 1.6, 0.1), row("PyTorch", 0.8, None)]
    rows += [row("JAX jit", 1.25, 0.2), row("Keras", 0.5, 1.5), {"contender": "tinygrad", "missing": True}]
    results = {"W1": rows, "W5": rows, "W9 batch×2": rows, "W8 W1": rows[:1], "W2": rows[:3]}
    scalars = {"best_us": {"autograd-core": 1.0, "micrograd": 2.0, "PyTorch": 4.0}, "rounds": 5}
    *_, first, second, last = glance.over_the_fastest(results, scalars).splitlines()
    assert first == "| W1 | 1.25 | JAX jit | 0.78 | 1.50 | Keras |"
    assert second == "| W2 | 0.80 | PyTorch | 0.50 |  |  |"
    assert last == "| scalar ops | 0.50 | micrograd | | | |"
    assert len(glance.over_the_fastest(results, scalars).splitlines()) == 5


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("net", "peer"),
    [
        *(("W1", peer) for peer in ("PyTorch", "Keras", "JAX jit", "tinygrad", "MyGrad", "HIPS autograd")),
        *(("W2", peer) for peer in ("PyTorch tuned", "Keras", "JAX jit", "tinygrad", "MyGrad")),
    ],
)
def test_a_peer_begins_with_our_loss(bench, net, peer):
    """From the same weights and data: it is the same network that all train."""
    library = bench.NEEDS[peer]
    if not find_spec(library):
        pytest.skip(f"{library} is not installed")
    losses = []
    for contender in ("ours replayed", peer):
        done = run("contenders.py", "train", net, contender, "--smoke", "--seconds", "0.01")
        assert done.returncode == 0, done.stderr
        losses.append(json.loads(done.stdout.splitlines()[-1])["loss"])
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-5)


@pytest.fixture
def gpu(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    spec = spec_from_file_location("gpu", ROOT / "benchmarks" / "gpu.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_each_op_on_a_device_is_compared_with_the_cpu(gpu):
    found = {name: (calls, wrong) for name, calls, _, wrong in gpu.check("strict")}
    assert {*REGISTRY} | {*COMPOSED} == found.keys()
    assert all(calls > 0 for calls, _ in found.values())
    assert not {name: wrong for name, (_, wrong) in found.items() if wrong}


def test_a_device_that_adds_up_wrongly_is_found_out(gpu, monkeypatch):
    monkeypatch.setitem(strict._SPECIAL, np.sum, lambda a, **options: np.sum(a, **options) * 1.001)
    monkeypatch.setitem(strict._SPECIAL, np.flip, lambda a, axis: a)
    monkeypatch.setitem(strict._SPECIAL, np.linalg.det, lambda a: 1 / 0)
    said = {name: wrong for name, *_, wrong in gpu.check("strict", ["sum", "flip", "det", "tanh"])}
    assert "differs by 1.0e-03" in said["sum"]
    assert "differs by" in said["flip"]
    assert "ZeroDivisionError" in said["det"]
    assert said["tanh"] == ""


def test_the_table_of_a_gpu_is_made(tmp_path):
    command = [sys.executable, str(ROOT / "benchmarks" / "gpu.py"), "--device", "strict", "--ops", "conv,matmul"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(
        [*command, "--nets", "W1,W3", "--smoke", "--seconds", "0.01"],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "0 ops differ" in done.stdout
    assert all(f"| {net} | " in done.stdout for net in ("conv", "matmul", "W1", "W3"))


def test_the_cost_of_an_all_reduce_is_measured_and_drawn(tmp_path, judge, patience):
    for name in ("mpi4py", "matplotlib"):
        judge(name)
    command = [sys.executable, str(ROOT / "benchmarks" / "all_reduce.py"), "--smoke", "--out", str(tmp_path)]
    picture = tmp_path / "all_reduce.png"
    command += ["--picture", picture]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=patience)
    if "there is no mpiexec" in done.stderr:
        pytest.skip("mpiexec is not installed: pip install mpich")
    assert done.returncode == 0, done.stderr
    processes = json.loads((tmp_path / "all_reduce.json").read_text(encoding="utf-8"))["processes"]
    assert set(processes) == {"1", "2"}
    assert all(t > 0 for name in ("ring", "tree", "MPI", "step") for t in processes["2"][name].values())
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_a_ring_sends_the_least_and_a_tree_waits_the_least(monkeypatch):
    """What is known of the two: a ring's messages do not grow with the processes, a tree's number hardly does."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    import all_reduce

    assert all_reduce.ring_cost(2, 1e6, 1.0, 0.0, 0.0) == all_reduce.tree_cost(2, 1e6, 1.0, 0.0, 0.0) == 2
    assert all_reduce.ring_cost(1024, 1e6, 0.0, 1.0, 0.0) < 2e6 < all_reduce.tree_cost(1024, 1e6, 0.0, 1.0, 0.0) == 2e7
    assert all_reduce.tree_cost(1000, 1, 1.0, 0.0, 0.0) == 20 < all_reduce.ring_cost(1000, 1, 1.0, 0.0, 0.0) == 1998
    times = {str(n): all_reduce.ring_cost(4, n, 3e-6, 2e-9, 1e-10) for n in (64, 4096, 10**6)}
    np.testing.assert_allclose(all_reduce.fit(times, all_reduce.ring_cost, 1e-10, 4), (3e-6, 2e-9))


@pytest.mark.parametrize("script", ["scalar_ops", "common_functions"])
def test_small_steps_are_timed_and_tabled(script, tmp_path):
    few = ["--contenders", "micrograd"] if script == "common_functions" else []
    command = [sys.executable, str(ROOT / "benchmarks" / f"{script}.py"), "--rounds", "1", "--seconds", "0.001"]
    done = subprocess.run([*command, *few, "--out", str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    best = json.loads((tmp_path / f"{script}.json").read_text(encoding="utf-8"))["best_us"]
    mine = best["autograd-core"]
    assert all(t > 0 for t in (mine.values() if isinstance(mine, dict) else [mine]))
    assert "µs" in (tmp_path / f"{script}.md").read_text(encoding="utf-8")


def test_the_arithmetic_alone_gives_the_gradient_too(monkeypatch):
    """What the other contenders are compared with does the same work, or the comparison would mean nothing."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    import common_functions

    mine, by_hand = common_functions.ours(), common_functions.alone()
    for label, case in common_functions.cases("autograd-core").items():
        np.testing.assert_allclose(mine.step(*case)(), by_hand.step(*case)(), rtol=1e-12, err_msg=label)


def test_a_missed_target_is_told_with_what_the_arithmetic_takes(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    import common_functions

    best = {
        "autograd-core": {"sin": 6.0, "add": 4.0},
        "arithmetic alone": {"sin": 5.5, "add": 1.0},
        "HIPS autograd": {"sin": 10.0, "add": 10.0},
        "MyGrad": {"sin": 20.0, "add": 8.0},
        "micrograd": {"add": 5.0},
    }
    (line,) = common_functions.missed(best)
    assert line.startswith("sin: 0.60 of HIPS autograd and MyGrad")
    assert line.endswith("takes 0.55; the arithmetic alone takes more than the target")
    best["micrograd"]["add"] = 4.0
    assert common_functions.missed(best)[1].startswith("add: 1.00 of micrograd, where at most 0.9")


def test_a_tree_is_timed_beside_another_one():
    command = [sys.executable, str(ROOT / "benchmarks" / "against.py"), str(ROOT), "--smoke", "--only", "W7"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    cells = [cell.strip() for cell in done.stdout.splitlines()[-1].strip("|").split("|")]
    assert cells[0] == "W7"
    assert float(cells[3].split("**")[1]) > 0
    assert cells[-1] == cells[-2]  # the same step makes the same calls
