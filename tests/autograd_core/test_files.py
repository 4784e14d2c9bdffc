"""What is saved takes the place of a file whole, and leaves all else there as it was."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading

import numpy as np
import pytest

import nn
from autograd_core.files import clear_unfinished, written_whole

posix = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="modes, links and pipes are POSIX's")


@pytest.fixture
def model():
    return nn.Sequential([nn.Input(shape=(2,)), nn.layers.Dense(1)])


@posix
@pytest.mark.parametrize("mode", [0o600, 0o644, 0o660, 0o400])
def test_a_file_keeps_its_mode(model, tmp_path, mode):
    path = tmp_path / "m"
    path.write_text("before")
    path.chmod(mode)
    model.save(path)
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert np.array_equal(nn.models.load_model(path).get_weights()[0], model.get_weights()[0])


@posix
def test_what_is_being_written_is_no_more_readable_than_the_file(tmp_path):
    path = tmp_path / "m"
    path.write_text("secret")
    path.chmod(0o600)
    with written_whole(str(path)):
        (part,) = tmp_path.glob(".m.*.part")
        assert stat.S_IMODE(part.stat().st_mode) == 0o600


@posix
def test_a_new_file_has_the_mode_of_any_new_file(model, tmp_path):
    before = os.umask(0o027)
    try:
        model.save(tmp_path / "m")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "m").stat().st_mode) == 0o640


@posix
def test_a_link_is_followed_even_to_what_is_not_there_yet(model, tmp_path):
    (tmp_path / "far").mkdir()
    link = tmp_path / "m"
    link.symlink_to(os.path.join("far", "real"))
    for _ in range(2):
        model.save(link)
        assert link.is_symlink()
        assert sorted(os.listdir(tmp_path / "far")) == ["real"]
    assert len(nn.models.load_model(tmp_path / "far" / "real").weights) == 2


@posix
def test_what_is_no_regular_file_is_never_replaced(model, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("pipe")
    for name in ("pipe", "folder", "link"):
        with pytest.raises(FileExistsError, match="expected a file or a free name, got a"):
            model.save(tmp_path / name)
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)
    assert sorted(os.listdir(tmp_path)) == ["folder", "link", "pipe"]


KILLED = """
import os, sys
from autograd_core.files import written_whole
with written_whole(sys.argv[1]) as file:
    file.write(b"half of it")
    file.flush()
    print("ready", flush=True)
    sys.stdin.readline()
"""


@posix
def test_a_folder_that_is_not_there_is_named_and_not_the_temporary_file(model, tmp_path):
    with pytest.raises(FileNotFoundError, match="make the folder first") as error:
        model.save(tmp_path / "runs" / "model.zip")
    assert error.value.filename == os.path.realpath(tmp_path / "runs")


def test_what_a_killed_process_was_writing_goes_with_the_next_save_and_what_a_living_one_writes_stays(model, tmp_path):
    path = tmp_path / "best[1].zip"
    others = [tmp_path / ".best[1].zip.notes.part", tmp_path / ".other.12345678.part"]
    for other in others:
        other.write_text("not ours")
    writers = [
        subprocess.Popen([sys.executable, "-c", KILLED, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for writer in writers:
        writer.stdout.readline()
    assert len(list(tmp_path.glob("*.part"))) == 4
    writers[0].kill()
    writers[0].communicate()
    model.save(path)
    assert len(list(tmp_path.glob("*.part"))) == 3
    writers[1].communicate("\n")
    assert path.read_bytes() == b"half of it"  # the one that lived
    assert sorted(tmp_path.glob("*.part")) == sorted(others)
    assert all(other.read_text() == "not ours" for other in others)


@posix
def test_files_left_by_earlier_versions_go_too(tmp_path):
    (tmp_path / ".m.k3_9xq0a.part").write_text("left")
    clear_unfinished(str(tmp_path / "m"))
    assert os.listdir(tmp_path) == []


def test_a_file_whose_writing_fails_is_what_it_was(tmp_path):
    path = tmp_path / "m"
    path.write_text("before")

    def fail():
        with written_whole(str(path)) as file:
            file.write(b"after")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert path.read_text() == "before"
    assert os.listdir(tmp_path) == ["m"]


def test_many_threads_that_save_to_one_place_do_not_take_each_others_files(tmp_path):
    failed, whole = [], {bytes([i]) * 1000 for i in range(8)}

    def write(i):
        try:
            for _ in range(20):
                with written_whole(str(tmp_path / "m")) as file:
                    file.write(bytes([i]) * 1000)
        except OSError as error:
            failed.append(error)

    threads = [threading.Thread(target=write, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert (tmp_path / "m").read_bytes() in whole
    assert os.listdir(tmp_path) == ["m"]


def test_a_long_name_has_room_for_its_temporary_one(tmp_path):
    path = tmp_path / ("ä" * 120)
    with written_whole(str(path)) as file:
        file.write(b"x")
    assert path.read_bytes() == b"x"
