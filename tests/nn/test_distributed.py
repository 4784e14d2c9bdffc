"""Several processes train as one would: the same numbers, whatever their number, and an end for all when one fails."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import nn
from autograd_core.ops.processes import all_reduce

ROOT = Path(__file__).parent.parent.parent
PROGRAM = Path(__file__).with_name("parallel_program.py")
EXACT = ["two_hundred_steps:float32", "two_hundred_steps:float64"]
SHORT = ["all_that_fit_and_its_kin_give", "losses_that_are_no_mean"]


@pytest.fixture
def mpiexec(judge):
    """The command that starts processes."""
    judge("mpi4py")
    found = shutil.which("mpiexec", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    if found is None:
        pytest.skip("mpiexec is not installed: pip install mpich")
    return found


@pytest.fixture
def run(patience):
    """Exit status, standard output and standard error of a command. One that does not end is a failure."""

    def go(*command):
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        process = subprocess.Popen(
            [*map(str, command)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
            start_new_session=True,
        )
        try:
            out, errors = process.communicate(timeout=patience)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            pytest.fail(f"it hangs: {command}\n{''.join(process.communicate())}")
        return process.returncode, out, errors

    return go


@pytest.fixture
def results(run):
    """What parallel_program.py computes: a dict of arrays for each process."""

    def compute(folder, *names, start=()):
        folder.mkdir()
        status, out, errors = run(*start, sys.executable, "-W", "default", PROGRAM, folder, *names)
        assert status == 0, errors
        assert errors == ""
        return [dict(np.load(file)) for file in sorted(folder.glob("*.npz"))], out

    return compute


def same_in_all(found, number):
    """The results of one process, which are those of all of them to the last bit."""
    first, *others = found
    assert len(found) == number
    for other in others:
        assert first.keys() == other.keys()
        assert [name for name in first if first[name].tobytes() != other[name].tobytes()] == []
    return first


# What every process says when one of them has something else, or all have what cannot be shared.
OTHERS = r"^the processes do not do the same \(rank 0: .*; rank 1: "
REFUSALS = {
    "another activation": OTHERS + r"a Sequential with weights of shapes .*, made of Sequential \w+, Dense \w+, ",
    "another rate of Dropout": OTHERS + "a Sequential with weights",
    "another loss": OTHERS + "a Sequential with weights",
    "other metrics": OTHERS + "a Sequential with weights",
    "other data in the middle": OTHERS + r"a training of 1 epochs on 50 examples \(checksum \w{8}, shuffled\)",
    "other targets": OTHERS + "an evaluation of 50 examples",
    "other data to predict": OTHERS + "a prediction for 50 examples",
    "another order": OTHERS + r"a training of 1 epochs on 50 examples \(checksum \w{8}\)",
    "other weights of classes": OTHERS + r"a training .*, classes weighted {1: 3.0}",
    "another learning rate": OTHERS + r"a training step on 50 examples at a learning rate of 0\.20",
    "a loss that is a sum": "return one number per example, or use nn.distributed.mean",
    "a loss by columns": r"got an array of shape \(1,\), of which several processes cannot know",
    "a loss that is a root": "got a single number, of which several processes cannot know",
    "dropout of something else": r"3 of the 6 examples of a batch that this process has .* got shape \(4, 3, 2\)",
}


# -- the same numbers --------------------------------------------------------------------------------------


@pytest.mark.every(2)
@pytest.mark.parametrize("number", [2, 3, 4])
def test_several_processes_give_what_one_gives(results, mpiexec, tmp_path, number):
    """Uneven batches, and some with fewer examples than processes; dropout, penalties, clipping, weights, metrics."""
    names = EXACT + SHORT if number < 4 else EXACT[:1] + SHORT
    (alone,), printed = results(tmp_path / "alone", *names)
    found, printed_together = results(tmp_path / "together", *names, start=(mpiexec, "-n", number))
    together = same_in_all(found, number)
    assert together.keys() == alone.keys()
    for name, value in alone.items():
        # In float32 as many units of rounding as two hundred steps may gather on any processor.
        tolerance = (1e-12 if "float64" in name else 1e-5) * max(1, np.abs(value).max())
        np.testing.assert_allclose(together[name], value, rtol=0, atol=tolerance, err_msg=name)
    # One of them prints, and what one process prints, up to the time that it took.
    drop_times = [[w for w in text.split() if not w.endswith(("s", "s/step"))] for text in (printed, printed_together)]
    assert drop_times[0] == drop_times[1]


def test_two_runs_of_as_many_processes_are_equal_to_the_last_bit(results, mpiexec, tmp_path):
    runs = [results(tmp_path / name, *SHORT, start=(mpiexec, "-n", 2))[0] for name in ("first", "second")]
    assert same_in_all(runs[0] + runs[1], 4)


def test_weights_come_from_the_first_process_and_only_that_writes(results, mpiexec, tmp_path):
    """Although each had drawn its own before the processes knew each other."""
    names = ("made_before_init", "the_sum_over_processes_has_a_derivative", "predictions_after_weights_set_in_one")
    found, printed = results(tmp_path / "run", *names, "refusals", start=(mpiexec, "-n", 2))
    weights = same_in_all(found, 2)
    for case, message in REFUSALS.items():
        assert re.search(message, str(weights.pop(f"refused: {case}"))), case
    assert not [name for name in weights if name.startswith("refused")]
    np.testing.assert_array_equal(weights["set in one: after"], weights["set in one: before"])
    assert printed == "only the first one prints\n"
    assert len((tmp_path / "run" / "log.csv").read_text().splitlines()) == 2  # the names and one epoch
    saved = nn.models.load_model(tmp_path / "run" / "model.autograd").get_weights()
    np.testing.assert_array_equal(saved[0], weights["made before init(): weight 0"])


def test_both_programs_of_the_page_print_what_it_says(run, mpiexec, tmp_path):
    """Started twice they print once, the number of processes included."""
    page = (ROOT / "docs" / "howto" / "train_on_several_machines.md").read_text(encoding="utf-8")
    programs, printed = (re.findall(rf"^```{kind}\n(.*?)^```", page, re.DOTALL | re.M) for kind in ("python", "text"))
    assert len(programs) == len(printed) == 2
    lesson = [line for line in programs[1].splitlines() if line]
    assert len(lesson) == 20  # as its headline says
    for name, program, expected in zip(("fit.py", "lesson.py"), programs, printed, strict=True):
        (tmp_path / name).write_text(program, encoding="utf-8")
        status, out, errors = run(mpiexec, "-n", 2, sys.executable, tmp_path / name)
        assert (status, errors) == (0, "")
        shown, said = ([float(n) for n in re.findall(r"\d+\.?\d*", text)] for text in (out, expected))
        assert re.sub(r"\d+\.?\d*", "#", out) == re.sub(r"\d+\.?\d*", "#", expected)
        np.testing.assert_allclose(shown, said, rtol=0.02)  # another machine rounds otherwise


# -- an end for all ----------------------------------------------------------------------------------------

TRAINING = """
import os, signal, sys
import numpy as np
import nn

nn.distributed.init()
rank, case = nn.distributed.rank(), sys.argv[1]
x = np.random.default_rng(0).normal(size=(20, 4))
y = (x[:, 0] > 0).astype(int)


class Stumble(nn.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if rank == 1 and self.epoch == 2 and batch == 1:
            if case == "raises":
                raise ValueError("no good")
            if case == "killed":
                os.kill(os.getpid(), signal.SIGKILL)
            if case == "leaves":
                sys.exit(0)


if case == "other data" and rank == 1:
    x = x + 1
if case == "fewer data" and rank == 1:
    x, y = x[:-1], y[:-1]
nn.utils.set_random_seed(5)
units = 6 if case == "other model" and rank == 1 else 5
model = nn.Sequential([nn.layers.Dense(units, "relu"), nn.layers.Dropout(0.2), nn.layers.Dense(2, "softmax")])
model.compile("adam", "sparse_categorical_crossentropy")
if case == "alone" and rank == 1:
    model.predict(x, verbose=0)
callbacks = [Stumble()]
if case == "one backup" and rank == 1:
    callbacks.append(nn.callbacks.BackupAndRestore("."))
if len(sys.argv) > 2:
    callbacks.append(nn.callbacks.BackupAndRestore(sys.argv[2] + "/backup"))
    callbacks.append(nn.callbacks.CSVLogger(sys.argv[2] + "/log.csv"))
if case == "by hand":
    for size in (8, 8, 7 + rank):
        model.train_on_batch(x[:size], y[:size])
history = model.fit(x, y, batch_size=8, epochs=4, verbose=0, callbacks=callbacks)
print(np.concatenate([w.ravel() for w in model.get_weights()]).tobytes().hex(), history.history)
"""


@pytest.fixture
def training(tmp_path):
    file = tmp_path / "training.py"
    file.write_text(TRAINING, encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ("raises", "ValueError: no good\nnn.distributed: rank 1 of 2 failed (ValueError), so all end."),
        ("leaves", "; rank 1: the end of the program). Each must build"),
        ("fewer data", "rank 0: a training of 4 epochs on 20 examples"),
        ("other data", "examples (checksum "),
        ("other model", "rank 1: a Sequential with weights of shapes (none yet), made of Sequential "),
        ("alone", "; rank 1: a prediction for 20 examples (checksum "),
        ("one backup", "; rank 1: looking for a backup). Each must build the same model and make the same calls"),
        ("by hand", "; rank 1: a training step on 8 examples at"),
    ],
)
def test_a_process_that_fails_or_does_something_else_ends_all_with_one_message(run, mpiexec, training, case, message):
    status, out, errors = run(mpiexec, "-n", 2, sys.executable, training, case)
    assert status != 0
    assert out.strip().startswith("=" * 20) or out.strip() == ""  # what mpiexec says of those that it ends
    assert message in errors
    assert errors.count("Traceback") == errors.count("so all end.") == 1


def test_a_killed_training_goes_on_from_its_last_backup_to_the_same_weights(run, mpiexec, training, tmp_path):
    start = (mpiexec, "-n", 2, sys.executable, training)
    for name in ("whole", "broken"):
        (tmp_path / name).mkdir()
    status, whole, _ = run(*start, "unharmed", tmp_path / "whole")
    assert status == 0
    status, out, _ = run(*start, "killed", tmp_path / "broken")
    assert status != 0
    assert "KILLED BY SIGNAL: 9" in out or "Killed (signal 9)" in out
    assert len((tmp_path / "broken" / "log.csv").read_text().splitlines()) == 3
    status, resumed, _ = run(*start, "unharmed", tmp_path / "broken")
    assert status == 0
    assert resumed == whole
    logs = [(tmp_path / name / "log.csv").read_text() for name in ("whole", "broken")]
    assert logs[0] == logs[1]


# -- without others ----------------------------------------------------------------------------------------


def test_without_mpiexec_the_program_runs_as_one_process(run, judge, training):
    judge("mpi4py")
    status, out, errors = run(sys.executable, training, "unharmed")
    assert (status, errors) == (0, "")
    assert "'loss'" in out


def test_processes_that_another_mpi_has_started_are_told_so(run, judge, training, monkeypatch):
    judge("mpi4py")
    monkeypatch.setenv("OMPI_COMM_WORLD_SIZE", "4")
    status, _, errors = run(sys.executable, training, "unharmed")
    assert status != 0
    assert "RuntimeError: 4 processes were started, and mpi4py sees 1: this mpiexec belongs to another MPI" in errors


def test_without_mpi4py_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    with pytest.raises(ImportError, match=r'pip install "autograd-core\[distributed\]"'):
        nn.distributed.init()


def test_one_process_is_its_own_sum_and_its_own_mean():
    x = np.arange(6.0).reshape(3, 2)
    np.testing.assert_array_equal(all_reduce(x), x)
    np.testing.assert_array_equal(nn.distributed.mean(x, axis=0), [2.0, 3.0])
    assert (nn.distributed.rank(), nn.distributed.size()) == (0, 1)
