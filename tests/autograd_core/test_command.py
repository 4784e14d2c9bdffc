"""The command, run as a user runs it."""

import re
import statistics
import subprocess
import sys

import numpy as np
import pytest

from autograd_core.command import main
from autograd_core.command.demo import train


def run(*arguments, cwd):
    return subprocess.run(
        [sys.executable, "-m", "autograd_core", *arguments], cwd=cwd, capture_output=True, text=True, encoding="utf-8"
    )


def test_the_demo_explains_trains_and_draws(tmp_path):
    done = run("demo", "--folder", "pictures", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    lines = [line.strip() for line in done.stdout.splitlines()]
    for line in ("q = x + y = -2 + 5 = 3", "∂f/∂x = -4.0", "∂f/∂y = -4.0", "∂f/∂z = 3.0"):
        assert line in lines
    for name, gradient in (("x0", 0.3932238664829637), ("x1", -0.5898357997244456), ("w2", 0.19661193324148185)):
        said = [line for line in lines if re.fullmatch(rf"∂f/∂{name} = -?[0-9.]+", line)]
        assert float(said[-1].partition("= ")[2]) == pytest.approx(gradient, rel=1e-15)
    assert float(re.search(r"Held-out accuracy: (0\.\d+)", done.stdout)[1]) > 0.95
    for page in ("neuron.html", "network.html"):
        assert "Transcript" in (tmp_path / "pictures" / page).read_text("utf-8")
        assert page in done.stdout
    for picture in ("curves.png", "mistakes.png"):
        file = tmp_path / "pictures" / picture
        assert file.read_bytes().startswith(b"\x89PNG")
        assert picture in done.stdout


def test_the_network_reads_digits_it_has_not_seen():
    accuracies = []
    for seed in range(5):
        model, history, (x, y) = train(seed, verbose=0)
        accuracies.append(np.mean(np.argmax(model.predict(x, verbose=0), axis=-1) == y))
        assert len(history.history["val_accuracy"]) == 20
    assert statistics.median(accuracies) >= 0.97


def test_an_unknown_command_is_an_error_and_not_a_traceback(capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["dmeo"])
    assert "demo" in capsys.readouterr().err


def test_the_version_is_told(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert "autograd-core 0.1.0" in capsys.readouterr().out


def test_another_package_called_datasets_is_named_with_its_place(tmp_path):
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / "__init__.py").write_text("")
    done = run("demo", cwd=tmp_path)
    assert done.returncode != 0
    assert f"finds another package of that name, in {tmp_path.resolve() / 'datasets'}" in " ".join(done.stderr.split())
