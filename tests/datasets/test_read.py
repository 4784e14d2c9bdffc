"""Files that anybody may have made are read if they are right; if not, refused, and never executed."""

import gzip
import io
import os
import struct
import sys
import tracemalloc
import zipfile
from contextlib import contextmanager, suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets import DataFileError
from datasets._read import ARRAY_LIMIT, LISTS_LIMIT, OPCODES_LIMIT, WORDS_LIMIT, idx, npz, word_index

anything = settings(deadline=None, max_examples=200)

LISTS, NUMBERS = (np.object_, (None,)), (np.integer, (None,))
IMAGES = np.arange(3 * 4 * 5, dtype=np.uint8).reshape(3, 4, 5)
ROWS = [[1, 300, 70000], [], [2]]


def idx_bytes(sizes=IMAGES.shape):
    """An IDX file of IMAGES, whose header says that it has these sizes."""
    return bytes([0, 0, 8, len(sizes)]) + struct.pack(f">{len(sizes)}I", *sizes) + IMAGES.tobytes()


def npy_bytes(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def npz_bytes(**members):
    """An archive of .npy files that are given as bytes."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(f"{name}.npy", data)
    return file.getvalue()


def pickled(opcodes, count=3):
    """An archive whose x is said to be an array of so many objects, in a pickle of these opcodes."""
    header = npy_bytes(np.empty(count, object)).partition(b"\n")[0]
    return npz_bytes(x=header + b"\n" + opcodes, y=npy_bytes(np.zeros(count, int)))


@pytest.fixture
def write(tmp_path):
    def write(data):
        path = tmp_path / "file"
        path.write_bytes(data)
        return path

    return write


@contextmanager
def little_memory(megabytes):
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < megabytes * 1e6
    finally:
        tracemalloc.stop()


# What is right


def test_an_idx_file_is_its_array(write):
    array = idx(write(gzip.compress(idx_bytes())), (None, 4, 5))
    assert array.dtype == np.uint8
    assert (array == IMAGES).all()
    array[0] = 0


@anything
@given(st.lists(st.lists(st.integers(-(2**31), 2**63))))
def test_lists_of_integers_come_back(tmp_path_factory, rows):
    array = np.empty(len(rows), object)
    for i, row in enumerate(rows):
        array[i] = row
    path = tmp_path_factory.getbasetemp() / "lists.npz"
    np.savez(path, x=array, y=np.arange(len(rows)))
    x, y = npz(path, x=LISTS, y=NUMBERS)
    assert x.tolist() == rows
    assert y.tolist() == list(range(len(rows)))


def test_an_archive_written_by_python_2_can_be_read(write):
    """Keras' published archives were; its pickles have other opcodes and give every object a number."""
    opcodes = (
        b"\x80\x02cnumpy.core.multiarray\n_reconstruct\nq\x01cnumpy\nndarray\nq\x02K\x00\x85q\x03U\x01bq\x04"
        b"\x87q\x05Rq\x06(K\x01K\x03\x85q\x07cnumpy\ndtype\nq\x08U\x02O8q\tK\x00K\x01\x87q\nRq\x0b"
        b"(K\x03U\x01|q\x0cNNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK?tq\rb\x89"
        b"]q\x0e(]q\x0f(K\x01M\x2c\x01J\x70\x11\x01\x00e]q\x10]q\x11K\x02aetq\x12b."
    )
    path = write(pickled(opcodes))
    x, _ = npz(path, x=LISTS, y=NUMBERS)
    assert x.tolist() == ROWS


@pytest.mark.parametrize("dtype", ["<f8", ">f8", "<f4"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_numbers_come_back_whatever_their_layout(write, dtype, order):
    array = np.array([[1.5, 2.0, 3.0], [4.0, 5.0, 6.0]], dtype, order=order)
    file = write(npz_bytes(x=npy_bytes(array), y=npy_bytes(np.arange(2))))
    x, _ = npz(file, x=(np.floating, (None, 3)), y=NUMBERS)
    assert x.dtype == array.dtype
    assert (x == array).all()


def test_ranks_of_words_come_back(write):
    assert word_index(write('{"the": 1, "café": 2}'.encode())) == {"the": 1, "café": 2}


def test_a_file_that_is_not_there_is_not_called_damaged(tmp_path):
    for read in (lambda path: idx(path, (None,)), lambda path: npz(path, x=LISTS), word_index):
        with pytest.raises(FileNotFoundError):
            read(tmp_path / "nothing")


def test_the_error_says_which_file_what_was_expected_what_came_and_what_to_do(write):
    path = write(gzip.compress(idx_bytes()))
    with pytest.raises(DataFileError) as error:
        idx(path, (None, 28, 28))
    assert str(error.value) == (
        f"{path}: expected a gzipped IDX file of uint8 (n, 28, 28), "
        "got another file: its header claims the shape (3, 4, 5). "
        "Put a good copy in its place, or delete it to have it fetched again."
    )
    with pytest.raises(
        DataFileError, match=r"an .npz archive of x object \(n,\), y integer \(n,\), got another file: "
    ):
        npz(path, x=LISTS, y=NUMBERS)


# What would do harm


class Command:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"echo executed > {self.path}",)


def test_a_pickle_cannot_run_a_command(write, tmp_path, lists_of):
    mark = tmp_path / "mark"
    array = lists_of([[1], [2]])
    array[1] = Command(mark)
    file = write(npz_bytes(x=npy_bytes(array), y=npy_bytes(np.zeros(2, int))))
    with pytest.raises(DataFileError, match=rf"asks for {os.system.__module__}\.system"):
        npz(file, x=LISTS, y=NUMBERS)
    assert not mark.exists()


@pytest.mark.parametrize(
    ("opcodes", "refused"),
    [
        (b"\x80\x02cbuiltins\neval\n(U\x011tR.", "builtins.eval"),
        (b"\x80\x04\x8c\x05numpy\x8c\x04load\x93.", "numpy.load"),
        (b"\x80\x02cnumpy.core.multiarray\nscalar\n.", "numpy.core.multiarray.scalar"),
        (b"\x80\x02cnumpy\nndarray.__new__\n.", "numpy.ndarray.__new__"),
        (b"\x80\x02(U\x011ios\nsystem\n.", "INST"),
        (b"\x80\x02}.", "EMPTY_DICT"),
        (b"\x80\x02U\x01xQ.", "BINPERSID"),
        (b"\x80\x02\x82\x01.", "EXT1"),
        (b"\x80\x05\x96\xff\xff\xff\xff\xff\x00\x00\x00.", "BYTEARRAY8"),
        (b"\x80\x02\x8b\xff\xff\xff\x7f.", "LONG4"),
        (b"\x80\x02L" + b"9" * 5000 + b"L\n.", "LONG"),
        (b"\x80\x02r\xff\xff\xff\x7f.", "as number 2147483647 too early"),
        (b"\x80\x02\xff.", "no opcode"),
        (b"\x80\x02]", "no opcode"),
        (b"", "no opcode"),
        (b"\x80\x04K\x01.", "does not hold the 3 lists"),
        (b"\x80\x02cnumpy\ndtype\n)R.", "does not hold the 3 lists"),
        (b"\x80\x02cnumpy\nndarray\n)R]]a\x85b.", "does not hold the 3 lists"),
        (b"\x80\x02cnumpy\nndarray\n)R](NNNe\x85b.", "does not hold the 3 lists"),
        (b"\x80\x02cnumpy\nndarray\n)R](](K\x01Ne]]e\x85b.", "other things than integers"),
        (b"\x80\x02cnumpy\nndarray\n)R](](K\x01\x88e]]e\x85b.", "other things than integers"),
        (b"\x80\x02cnumpy\nndarray\n)R](](K\x01]e]]e\x85b.", "other things than integers"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_pickle_of_anything_but_lists_of_integers_is_refused_by_name(write, opcodes, refused):
    with little_memory(10), pytest.raises(DataFileError) as error:
        npz(write(pickled(opcodes)), x=LISTS, y=NUMBERS)
    assert refused in str(error.value)


def test_a_list_that_refers_to_one_list_very_often_is_refused(write):
    opcodes = b"\x80\x02cnumpy\nndarray\n)R](](" + b"K\x01" * 10**6 + b"eq\x08" + b"h\x08" * 10**5 + b"e\x85b."
    with little_memory(100), pytest.raises(DataFileError, match="repeats a list"):
        npz(write(pickled(opcodes, 10**5 + 1)), x=LISTS, y=NUMBERS)


def test_a_pickle_of_very_many_objects_is_refused_before_there_is_any(write):
    opcodes = b"\x80\x02" + b"]" * (OPCODES_LIMIT + 1) + b"."
    with little_memory(30), pytest.raises(DataFileError, match="takes more than 1,000,000 steps"):
        npz(write(pickled(opcodes)), x=LISTS, y=NUMBERS)


@pytest.mark.skipif(sys.platform == "wasi", reason="Python ends there where it frees so many lists within lists")
def test_lists_within_lists_without_end_are_refused(write):
    opcodes = b"\x80\x02cnumpy\nndarray\n)R](" + b"]" * 10**5 + b"a" * (10**5 - 1) + b"]]e\x85b."
    with pytest.raises(DataFileError, match="other things than integers"):
        npz(write(pickled(opcodes)), x=LISTS, y=NUMBERS)
    with pytest.raises(DataFileError, match="recursion"):
        word_index(write(b"[" * 10**5))


def test_a_pickle_larger_than_any_of_these_sets_is_refused(write):
    with pytest.raises(DataFileError, match="more than 33,554,432 bytes"):
        npz(write(pickled(bytes(LISTS_LIMIT + 1))), x=LISTS, y=NUMBERS)


@pytest.mark.parametrize("array", [np.empty(3, object), np.zeros(3, int)], ids=["objects", "numbers"])
def test_a_header_that_claims_a_trillion_elements_is_refused(write, array):
    honest = npy_bytes(array)
    claims = honest.replace(b"(3,), }" + b" " * 12, b"(1000000000000,), }")
    assert len(claims) == len(honest)
    wanted = (array.dtype.type, (None,))
    with little_memory(10), pytest.raises(DataFileError, match=r"1000000000000|1,000,000,000,000"):
        npz(write(npz_bytes(x=claims, y=npy_bytes(np.zeros(3, int)))), x=wanted, y=NUMBERS)


def test_an_idx_header_that_claims_a_trillion_elements_is_refused(write):
    file = gzip.compress(idx_bytes(sizes=(10**4, 10**4, 10**4)))
    with little_memory(10), pytest.raises(DataFileError, match="claims 1,000,000,000,000 bytes; more than"):
        idx(write(file), (None, None, None))


def test_a_gzip_bomb_is_not_unpacked(write):
    file = gzip.compress(idx_bytes() + bytes(200 * 10**6), 1)
    with little_memory(10), pytest.raises(DataFileError, match="claims 60 bytes, and more follow"):
        idx(write(file), (None, 4, 5))


def test_a_zip_bomb_is_not_unpacked(write):
    honest = npz_bytes(x=npy_bytes(np.zeros(ARRAY_LIMIT // 8, np.int64)), y=npy_bytes(np.zeros(3, int)))
    with little_memory(10), pytest.raises(DataFileError, match="more than 67,108,864 are not read"):
        npz(write(honest), x=NUMBERS, y=NUMBERS)


def test_a_zip_bomb_that_understates_its_size_is_not_unpacked(write):
    array = np.zeros(10**7, int)
    honest = npz_bytes(x=npy_bytes(array))
    lies = honest.replace(struct.pack("<I", len(npy_bytes(array))), struct.pack("<I", 500))
    assert lies != honest
    with little_memory(10), pytest.raises(DataFileError, match="Bad CRC-32"):
        npz(write(lies), x=NUMBERS)


def test_an_archive_of_very_many_members_is_refused(write):
    entry = b"PK\1\2" + bytes(42)
    end = b"PK\5\6" + struct.pack("<4H2IH", 0, 0, 0xFFFF, 0xFFFF, len(entry) * 10**5, 0, 0)
    with little_memory(20), pytest.raises(DataFileError, match="more than 1,000 members"):
        npz(write(entry * 10**5 + end), x=NUMBERS)


def test_other_packings_than_numpys_are_refused(write):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("x.npy", npy_bytes(np.zeros(3, int)))
    with pytest.raises(DataFileError, match="packed by method 12"):
        npz(write(file.getvalue()), x=NUMBERS)


@pytest.mark.parametrize("read", [lambda path: idx(path, (None,)), lambda path: npz(path, x=LISTS), word_index])
def test_a_file_larger_than_any_of_these_sets_is_not_even_read(tmp_path, read):
    path = tmp_path / "huge"
    with open(path, "wb") as file:
        file.truncate(10**12)  # takes no room on most file systems
    with little_memory(10), pytest.raises(DataFileError, match="it has 1,000,000,000,000 bytes; more than"):
        read(path)


# What is broken


@pytest.mark.parametrize("place", range(0, 90, 3))
def test_a_truncated_gz_is_refused(write, place):
    packed = gzip.compress(idx_bytes())
    with pytest.raises(DataFileError):
        idx(write(packed[: place % len(packed)]), (None, 4, 5))


def test_a_flipped_bit_is_found_or_does_not_matter(write, lists_of):
    packed = gzip.compress(idx_bytes())
    for flipped in flips(packed):
        with suppress(DataFileError):
            assert np.array_equal(idx(write(flipped), (None, 4, 5)), IMAGES)
    archive = npz_bytes(x=npy_bytes(IMAGES.ravel()), y=npy_bytes(IMAGES.ravel()))
    for flipped in flips(archive):
        with suppress(DataFileError):
            for array in npz(write(flipped), x=(np.uint8, (None,)), y=(np.uint8, (None,))):
                assert np.array_equal(array, IMAGES.ravel())


def flips(data):
    for place in range(len(data)):
        yield data[:place] + bytes([data[place] ^ 1 << place % 8]) + data[place + 1 :]


def test_images_and_labels_are_of_the_same_number(write):
    file = write(npz_bytes(x=npy_bytes(np.zeros(3, int)), y=npy_bytes(np.zeros(4, int))))
    with pytest.raises(DataFileError, match="it has 3 examples and 4 labels"):
        npz(file, x=NUMBERS, y=NUMBERS)


@pytest.mark.parametrize(
    ("text", "came"),
    [
        (b"[1, 2]", "other JSON"),
        (b'{"the": "1"}', "other JSON"),
        (b'{"the": 1.0}', "other JSON"),
        (b'{"the": true}', "other JSON"),
        (b'{"the": 1', "delimiter"),
        (b'{"the": ' + b"9" * 5000 + b"}", "digits"),
        (b"\xff", "decode"),
        (b" " * (WORDS_LIMIT + 1), "more than 8,388,608 are not read"),
    ],
)
def test_a_word_index_is_words_and_integers(write, text, came):
    with pytest.raises(DataFileError, match=came):
        word_index(write(text))


# Whatever comes, the answer is the array or a DataFileError.


def mutated(*originals):
    """One of the originals with a few stretches of bytes replaced, taken out or put in, and maybe cut."""
    edit = st.tuples(st.integers(0, 400), st.integers(0, 8), st.binary(max_size=8))

    def apply(original, edits, length):
        data = bytearray(original)
        for start, removed, inserted in edits:
            start %= len(data) + 1
            data[start : start + removed] = inserted
        return bytes(data[:length])

    lengths = st.none() | st.integers(0, 400)
    return st.builds(apply, st.sampled_from(originals), st.lists(edit, max_size=4), lengths)


OBJECTS = np.empty(3, object)
OBJECTS[:] = ROWS
NPY_OBJECTS, NPY_NUMBERS = npy_bytes(OBJECTS), npy_bytes(np.arange(3))
SNIPPETS = [
    *(bytes([byte]) for byte in b"].(aetRbNK0)\x85\x86\x87\x88\x89\x93\x94"),
    *(b"K\x01", b"M\x01\x02", b"J\1\2\3\4", b"\x8a\x01\x05", b"U\x01b", b"C\x01b", b"\x8c\x05numpy"),
    *(b"X\x07\0\0\0ndarray", b"cnumpy\ndtype\n", b"cnumpy.core.multiarray\n_reconstruct\n", b"\x80\x04"),
    *(b"q\x00", b"q\x01", b"r\x02\0\0\0", b"h\x00", b"h\x01", b"j\x02\0\0\0", b"\x95\x08\0\0\0\0\0\0\0"),
]


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz") / "file"


@anything
@given(st.binary() | mutated(gzip.compress(idx_bytes())) | mutated(idx_bytes()), st.booleans())
def test_any_idx_file_is_read_or_refused(scratch, data, packed):
    scratch.write_bytes(gzip.compress(data) if packed else data)
    with suppress(DataFileError):
        array = idx(scratch, (None, 4, 5))
        assert array.dtype == np.uint8
        assert array.shape[1:] == (4, 5)


@anything
@given(
    st.tuples(st.just(bytes), st.binary() | mutated(npz_bytes(x=NPY_OBJECTS, y=NPY_NUMBERS)))
    | st.tuples(st.just(lambda data: npz_bytes(x=data, y=NPY_NUMBERS)), mutated(NPY_OBJECTS))
    | st.tuples(st.just(lambda data: npz_bytes(x=NPY_OBJECTS, y=data)), mutated(NPY_NUMBERS))
    | st.tuples(st.just(pickled), st.lists(st.sampled_from(SNIPPETS)).map(b"".join))
)
def test_any_archive_is_read_or_refused(scratch, archive):
    make, data = archive  # made here, not in the strategy: compressing takes longer than drawing may
    scratch.write_bytes(make(data))
    with suppress(DataFileError):
        x, y = npz(scratch, x=LISTS, y=NUMBERS)
        assert x.dtype == object
        assert all(type(number) is int for row in x for number in row)
        assert x.shape == y.shape
        assert y.dtype.kind in "iu"


@anything
@given(st.binary() | mutated(b'{"the": 1, "a": 2, "of": 3}'))
def test_any_word_index_is_read_or_refused(scratch, data):
    scratch.write_bytes(data)
    with suppress(DataFileError):
        words = word_index(scratch)
        assert {*map(type, words)} <= {str}
        assert {*map(type, words.values())} <= {int}
