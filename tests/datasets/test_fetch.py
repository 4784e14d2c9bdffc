"""Files are taken from where they are, and downloads either end well or leave nothing behind."""

import gzip
import hashlib
import socket
import subprocess
import sys
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from datasets import DataFileError, DownloadError, _fetch, fashion_mnist, imdb, mnist, reuters
from datasets._fetch import File, fetch, find

CONTENT = bytes(range(256)) * 1000


class Server(ThreadingHTTPServer):
    """A server on the loopback address that serves CONTENT in the ways in which servers do, by path."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked = []
        self.is_halfway = threading.Event()
        self.may_go_on = threading.Event()  # set at the latest when the test is over

    def url(self, path):
        return f"http://127.0.0.1:{self.server_port}/{path}"

    def handle_error(self, request, client_address):
        pass  # a client that has gone


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *arguments):
        pass

    def do_GET(self):
        name = self.path.strip("/")
        self.server.asked.append(name)
        getattr(self, name)()

    def send(self, content=CONTENT, status=200, **headers):
        self.send_response(status)
        for header, value in {"Content-Length": len(content), **headers}.items():
            self.send_header(header, str(value))
        self.end_headers()
        self.wfile.write(content)

    def good(self):
        self.send()

    def corrupt(self):
        self.send(CONTENT[:-1] + b"?")

    def missing(self):
        self.send(b"no such file", 404)

    def broken_twice(self):
        self.send(*([CONTENT] if self.server.asked.count("broken_twice") > 2 else [b"later", 503]))

    def redirecting(self):
        self.send(b"", 302, Location="/good")

    def redirecting_for_ever(self):
        self.send(b"", 302, Location="/redirecting_for_ever")

    def compressing(self):
        assert self.headers["Accept-Encoding"] == "identity"
        self.send()

    def cut(self):
        self.send(CONTENT[: len(CONTENT) // 2], **{"Content-Length": len(CONTENT)})

    def endless(self):
        self.send_response(200)
        self.end_headers()
        while True:
            self.wfile.write(CONTENT)

    def slow(self):
        """Goes on only when it is told to."""
        self.send(CONTENT[: len(CONTENT) // 2], **{"Content-Length": len(CONTENT)})
        self.server.is_halfway.set()
        self.server.may_go_on.wait()
        self.wfile.write(CONTENT[len(CONTENT) // 2 :])


@pytest.fixture
def server(alone, monkeypatch):
    monkeypatch.setattr(_fetch, "PAUSE", 0.0)
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.may_go_on.set()
        server.shutdown()
        thread.join()


def file_at(*urls, content=CONTENT, name="file.bin"):
    checksum = f"sha256:{hashlib.sha256(content).hexdigest()}"
    return File(name, "some_set", checksum, len(content), urls, keras="in-keras")


def files_below(folder):
    """All there is, without the lock, which stays."""
    return sorted(path.name for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock")


# Downloads


def test_a_download_is_made_once_and_kept(server, alone):
    file = file_at(server.url("good"))
    assert find((file,)) is None
    (path,) = fetch((file,))
    assert path.read_bytes() == CONTENT
    assert path.is_relative_to(alone)
    assert fetch((file,)) == find((file,)) == [path]
    assert server.asked == ["good"]
    assert files_below(alone) == ["file.bin"]


@pytest.mark.parametrize("way", ["redirecting", "compressing", "broken_twice"])
def test_a_server_may_take_its_own_way(server, way):
    (path,) = fetch((file_at(server.url(way)),))
    assert path.read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("way", "reason"),
    [
        ("corrupt", "gave a file with sha256:"),
        ("missing", "404"),
        ("cut", "IncompleteRead"),
        ("endless", "gave more than the 256,000 bytes"),
        ("redirecting_for_ever", "redirects"),
        ("slow", "timed out"),
    ],
)
def test_a_failed_download_leaves_nothing_and_says_all(server, alone, monkeypatch, way, reason):
    if way == "slow":
        monkeypatch.setattr(_fetch, "TIMEOUT", 0.2)
    file = file_at(server.url(way))
    with pytest.raises(DownloadError) as error:
        fetch((file,))
    message = str(error.value)
    assert message.startswith("file.bin is not on this machine, and could not be downloaded:\n")
    assert f"{server.url(way)}\n    " in message
    assert reason in message
    assert f"Download it by hand and save it as\n  {file.cached}\n" in message
    assert "some_set/file.bin, and set AUTOGRAD_DATA_DIR to that folder" in message
    assert files_below(alone) == []
    assert server.asked.count(way) >= _fetch.ROUNDS


@pytest.mark.parametrize("way", ["corrupt", "missing", "cut", "endless"])
def test_another_mirror_takes_over(server, way):
    (path,) = fetch((file_at(server.url(way), server.url("good")),))
    assert path.read_bytes() == CONTENT
    assert server.asked == [way, "good"]


def test_without_a_network_the_error_says_so_for_each_mirror(alone, monkeypatch):
    monkeypatch.setattr(_fetch, "PAUSE", 0.0)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    urls = f"http://127.0.0.1:{port}/a", f"http://127.0.0.1:{port}/b"
    with pytest.raises(DownloadError) as error:
        fetch((file_at(*urls),))
    for url in urls:
        assert str(error.value).count(url) == 1
    assert "refused" in str(error.value)


def test_in_a_browser_nothing_is_asked_of_a_mirror(server, alone, monkeypatch):
    monkeypatch.setattr(_fetch, "sys", SimpleNamespace(platform="emscripten"))
    with pytest.raises(DownloadError, match=r"(?s)good\n +is not asked by Python in a browser.*by hand"):
        fetch((file_at(server.url("good")),))
    assert server.asked == []


def test_a_cache_that_cannot_be_written_to_is_named(server, alone):
    file = file_at(server.url("good"))
    file.cached.parent.parent.parent.mkdir(parents=True)
    file.cached.parent.parent.write_text("in the way")
    with pytest.raises(DownloadError, match=r"(?s)could not be downloaded.*autograd-core.*by hand"):
        fetch((file,))


def test_a_full_disk_is_not_blamed_on_the_server_in_numbers(server, monkeypatch):
    def replace(*paths):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_fetch.os, "replace", replace)
    with pytest.raises(DownloadError, match="No space left on device"):
        fetch((file_at(server.url("good")),))


def test_progress_is_shown_on_standard_error(server, capfd):
    fetch((file_at(server.url("good")),))
    shown = capfd.readouterr()
    assert "file.bin" in shown.err
    assert "256.0/256.0 kB" in shown.err
    assert shown.out == ""


FETCH = """
import sys
from datasets._fetch import File, fetch
name, checksum, size, url = sys.argv[1:]
print("asking", flush=True)
print(*fetch((File(name, "some_set", checksum, int(size), (url,)),)))
"""


def another_process(file):
    arguments = [sys.executable, "-c", FETCH, file.name, file.checksum, str(file.size), *file.mirrors]
    root = Path(_fetch.__file__).parents[1]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=root)


def test_of_two_processes_that_ask_at_once_one_downloads(server, patience):
    file = file_at(server.url("slow"))
    with another_process(file) as one, another_process(file) as other:
        assert [one.stdout.readline(), other.stdout.readline()] == ["asking\n", "asking\n"]
        assert server.is_halfway.wait(patience)
        server.may_go_on.set()
        assert {process.communicate(timeout=patience)[0] for process in (one, other)} == {f"{file.cached}\n"}
    assert file.cached.read_bytes() == CONTENT
    assert server.asked == ["slow"]


def test_a_killed_download_leaves_nothing_that_looks_finished(server, alone, patience):
    file = file_at(server.url("slow"))
    with another_process(file) as process:
        assert process.stdout.readline() == "asking\n"
        assert server.is_halfway.wait(patience)
        process.kill()
    assert "file.bin" not in files_below(alone)
    assert find((file,)) is None
    server.may_go_on.set()
    (path,) = fetch((file_at(server.url("good")),))  # its lock is gone with it
    assert path.read_bytes() == CONTENT
    assert files_below(alone) == ["file.bin"]


# Places


def put(path, content=CONTENT):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_the_users_own_folder_comes_first_and_is_not_checked(alone, monkeypatch):
    file = file_at()
    put(file.cached)
    put(alone / "home/.keras/datasets/in-keras/file.bin")
    own = put(alone / "own/some_set/file.bin", b"another version")
    monkeypatch.setenv("AUTOGRAD_DATA_DIR", str(alone / "own"))
    assert find((file,)) == [own]


def test_a_folder_without_the_file_is_passed_over_and_named_in_the_error(server, alone, monkeypatch):
    monkeypatch.setenv("AUTOGRAD_DATA_DIR", str(alone / "own"))
    with pytest.raises(DownloadError) as error:
        fetch((file_at(server.url("missing")),))
    assert f"{alone / 'own/some_set/file.bin'}  (AUTOGRAD_DATA_DIR is {alone / 'own'})" in str(error.value)
    file = file_at(server.url("good"))
    assert fetch((file,)) == [file.cached]


def test_keras_cache_comes_next_if_the_file_is_the_published_one(alone):
    file = file_at()
    ours = put(file.cached)
    keras = put(alone / "home/.keras/datasets/in-keras/file.bin")
    assert find((file,)) == [keras]
    put(keras, CONTENT[:-1])
    assert find((file,)) == [ours]


def test_a_damaged_file_in_our_cache_is_downloaded_again(server):
    file = file_at(server.url("good"))
    put(file.cached, CONTENT[:-1])
    assert fetch((file,)) == [file.cached]
    assert file.cached.read_bytes() == CONTENT


def test_an_absolute_path_is_the_users_own_file(alone, monkeypatch):
    own = put(alone / "elsewhere/mine.bin", b"another version")
    assert find((file_at(name=str(own)),)) == [own]
    monkeypatch.setenv("AUTOGRAD_DATA_DIR", str(alone))
    assert find((file_at(name=str(own)),)) == [own]


def test_the_files_of_a_set_come_from_the_same_place(alone, monkeypatch):
    files = file_at(name="a"), file_at(name="b")
    for name in "ab":
        put(alone / "home/.keras/datasets/in-keras" / name)
    put(alone / "own/some_set/a")
    monkeypatch.setenv("AUTOGRAD_DATA_DIR", str(alone / "own"))
    assert find(files) == [alone / "home/.keras/datasets/in-keras" / name for name in "ab"]


def test_files_that_are_here_and_there_are_gathered(server, alone, monkeypatch):
    monkeypatch.setenv("AUTOGRAD_DATA_DIR", str(alone / "own"))
    files = tuple(file_at(server.url("good"), name=name) for name in "abc")
    paths = [alone / "own/some_set/a", alone / "home/.keras/datasets/in-keras/b", files[2].cached]
    for path in paths[:2]:
        put(path)
    assert fetch(files) == paths
    assert server.asked == ["good"]


# Whole loaders


@pytest.fixture
def small_mnist(alone):
    """The four files of a small set, as bytes by name."""
    numbers = np.random.default_rng(0).integers(0, 256, 28 * 28 * 3, dtype=np.uint8)
    images = bytes([0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 28, 0, 0, 0, 28]) + numbers.tobytes()
    labels = bytes([0, 0, 8, 1, 0, 0, 0, 3, 5, 0, 4])
    return {file.name: gzip.compress(labels if "labels" in file.name else images) for file in mnist.FILES}


@pytest.mark.parametrize("loader", [mnist, fashion_mnist])
def test_images_are_downloaded_and_read(server, monkeypatch, small_mnist, loader):
    files = tuple(file_at(server.url(name), content=data, name=name) for name, data in small_mnist.items())
    for name, data in small_mnist.items():
        monkeypatch.setattr(Handler, name, lambda self, data=data: self.send(data), raising=False)
    monkeypatch.setattr(loader, "FILES", files)
    (x_train, y_train), (x_test, y_test) = loader.load_data()
    assert x_train.shape == x_test.shape == (3, 28, 28)
    assert y_train.tolist() == y_test.tolist() == [5, 0, 4]
    assert sorted(server.asked) == sorted(small_mnist)


def test_images_and_labels_that_do_not_belong_together_are_refused(alone, monkeypatch, small_mnist):
    monkeypatch.setenv("AUTOGRAD_DATA_DIR", str(alone))
    for name, data in small_mnist.items():
        put(alone / "mnist" / name, data)
    short = alone / "mnist/t10k-labels-idx1-ubyte.gz"
    put(short, gzip.compress(bytes([0, 0, 8, 1, 0, 0, 0, 2, 5, 0])))
    with pytest.raises(
        DataFileError, match=rf"{short}: expected .* uint8 \(3,\), got another file: .* the shape \(2,\)"
    ):
        mnist.load_data()


def test_mnist_is_found_in_keras_cache_in_keras_format(alone, monkeypatch):
    x, y = np.zeros((2, 28, 28), np.uint8), np.array([7, 2], np.uint8)
    path = alone / "home/.keras/datasets/mnist.npz"
    path.parent.mkdir(parents=True)
    np.savez(path, x_train=x, y_train=y, x_test=x[:1], y_test=y[:1])
    checksum = f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
    monkeypatch.setattr(mnist, "ARCHIVE", File("mnist.npz", "mnist", checksum, path.stat().st_size, ()))
    (x_train, y_train), (_, y_test) = mnist.load_data()
    assert x_train.shape == (2, 28, 28)
    assert y_train.tolist() == [7, 2]
    assert y_test.tolist() == [7]


def test_fashion_mnist_is_found_where_keras_keeps_it(alone, monkeypatch, small_mnist):
    files = tuple(file_at(content=data, name=name) for name, data in small_mnist.items())
    files = tuple(replace(new, keras=old.keras) for new, old in zip(files, fashion_mnist.FILES, strict=True))
    monkeypatch.setattr(fashion_mnist, "FILES", files)
    for name, data in small_mnist.items():
        put(alone / "home/.keras/datasets/fashion-mnist" / name, data)
    (_, y_train), _ = fashion_mnist.load_data()
    assert y_train.tolist() == [5, 0, 4]


def test_each_address_is_that_of_its_file():
    texts = imdb.ARCHIVE, imdb.WORDS, reuters.ARCHIVE, reuters.WORDS
    for file in (*mnist.FILES, *fashion_mnist.FILES, *texts):
        assert file.mirrors
        for url in file.mirrors:
            assert url.startswith("http")
            assert url.endswith(f"/{file.name}")


def test_the_real_mnist_has_the_published_checksums_and_sizes(real):
    for file in mnist.FILES:
        path = real("mnist") / file.name
        assert file.measure(path) == file.checksum
        assert path.stat().st_size == file.size
