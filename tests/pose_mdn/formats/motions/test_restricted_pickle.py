"""Pickled archives: data comes through, code does not."""

import collections
import io
import os
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.lib import format as npy

from pose_mdn.errors import FormatError
from pose_mdn.formats.motions.restricted_pickle import read_object_archive

DATA = {
    "S1": {"Walking 1": np.arange(12, dtype=np.float32).reshape(2, 2, 3)},
    "S9": {"Sitting": np.asfortranarray(np.arange(6.0).reshape(2, 3)), "numbers": [1, 2.5, None, True, "text"]},
}


def write_archive(path: Path, payload: bytes, dtype=object) -> Path:
    """An `.npz` with one object array whose pickle is `payload`."""
    member = io.BytesIO()
    header = {"descr": np.dtype(dtype).str if dtype is object else dtype, "fortran_order": False, "shape": ()}
    npy.write_array_header_1_0(member, header)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("data.npy", member.getvalue() + payload)
    return path


def same(found: object, wanted: object) -> None:
    if isinstance(wanted, dict):
        assert isinstance(found, dict)
        assert found.keys() == wanted.keys()
        for key, value in wanted.items():
            same(found[key], value)
    elif isinstance(wanted, np.ndarray):
        np.testing.assert_array_equal(found, wanted)
        assert found.dtype == wanted.dtype.newbyteorder("=")
    else:
        assert found == wanted


@pytest.mark.parametrize("compressed", [True, False])
def test_what_numpy_writes_comes_back(tmp_path, compressed) -> None:
    save = np.savez_compressed if compressed else np.savez
    save(tmp_path / "a.npz", data=np.array(DATA, dtype=object), plain=np.eye(2), other=np.array([1]))
    found = read_object_archive(tmp_path / "a.npz", ("data", "plain", "absent"))
    same(found, {"data": DATA, "plain": np.eye(2)})


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4])
@pytest.mark.parametrize("dtype", ["<f4", ">f8", "<i2", "|b1", "<U5"])
def test_every_protocol_and_number_comes_back(tmp_path, protocol, dtype) -> None:
    data = {"a": np.array([[0, 1], [1, 0]]).astype(dtype), "b": collections.OrderedDict(c=np.float32(2.5))}
    payload = pickle.dumps(np.array(data, dtype=object), protocol=protocol)
    found = read_object_archive(write_archive(tmp_path / "a.npz", payload), ("data",))["data"]
    same(found, {"a": data["a"], "b": {"c": 2.5}})


def test_names_of_numpy_before_version_2_are_known(tmp_path) -> None:
    payload = pickle.dumps(np.array(DATA, dtype=object), protocol=2).replace(b"numpy._core", b"numpy.core")
    same(read_object_archive(write_archive(tmp_path / "a.npz", payload), ("data",)), {"data": DATA})


class Run:
    """Pickles as a call of any function."""

    def __init__(self, function, *arguments) -> None:
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("protocol", [0, 2, 4])
@pytest.mark.parametrize(
    "make",
    [
        lambda mark: Run(os.system, f"touch {mark}"),
        lambda mark: Run(eval, f"open({str(mark)!r}, 'w')"),
        lambda mark: Run(getattr, np.ndarray, "tofile"),
        lambda mark: Run(Path.touch, mark),
    ],
)
def test_a_pickle_that_runs_something_is_refused_and_does_not_run(tmp_path, make, protocol) -> None:
    mark = tmp_path / "ran"
    payload = pickle.dumps(np.array({"S1": make(mark)}, dtype=object), protocol=protocol)
    with pytest.raises(FormatError, match="could run code"):
        read_object_archive(write_archive(tmp_path / "a.npz", payload), ("data",))
    assert not mark.exists()


HEADER = b"cnumpy.core.multiarray\n_reconstruct\n"
DTYPE = b"cnumpy\ndtype\n"
ATTACKS = {
    "a change of a function": HEADER + b"(dVx\nI1\nsb.",
    "an attribute of a function": HEADER + b"(N}Vx\nI1\nstb.",
    "a type with objects hidden in fields": DTYPE + b"(VV8\nI0\nI1\ntR.",
    "a type by a list": DTYPE + b"((lVa\naI0\nI1\ntR.",
    "an extension": b"\x80\x02\x82\x01.",
    "a persistent object": b"Pid\n.",
    "a compressed text": b"c_codecs\nencode\n(Vx\nVzlib\ntR.",
    "a class built anew": b"\x80\x02cbuiltins\ndict\n)\x81.",
    "an attribute reached through a dotted name": b"\x80\x04\x8c\x05numpy\x8c\x0endarray.tofile\x93.",
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_tricks_below_the_level_of_functions_are_refused(tmp_path, attack) -> None:
    with pytest.raises(FormatError):
        read_object_archive(write_archive(tmp_path / "a.npz", ATTACKS[attack]), ("data",))


@pytest.mark.parametrize(
    "payload",
    [
        b"\x80\x04Nr\xff\xff\xff\x7f.",  # a memo index that would take 16 GB
        b"\x80\x04B\xff\xff\xff\x7f.",  # a text longer than the file
        b"(lp0\ng0\na.",  # a list that holds itself
        b"",
    ],
)
def test_a_small_file_cannot_ask_for_much(tmp_path, payload) -> None:
    with pytest.raises(FormatError):
        read_object_archive(write_archive(tmp_path / "a.npz", payload), ("data",))


def test_shared_parts_are_walked_once(tmp_path) -> None:
    nested: object = [0]
    for _ in range(6):
        nested = [nested] * 1000
    payload = pickle.dumps(nested)
    assert len(read_object_archive(write_archive(tmp_path / "a.npz", payload), ("data",))["data"]) == 1000


def test_objects_inside_a_structured_array_are_refused(tmp_path) -> None:
    path = write_archive(tmp_path / "a.npz", pickle.dumps([1]), dtype=[("a", "|O")])
    with pytest.raises(FormatError, match="hides objects"):
        read_object_archive(path, ("data",))


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    cut=st.floats(0, 1) | st.none(),
    changes=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=0, max_size=5),
    protocol=st.sampled_from([0, 2, 4]),
)
def test_damage_gives_data_or_a_format_error(tmp_path, cut, changes, protocol) -> None:
    content = bytearray(pickle.dumps(np.array(DATA, dtype=object), protocol=protocol))
    for place, value in changes:
        content[int(place * len(content))] = value
    payload = bytes(content if cut is None else content[: int(cut * len(content))])
    path = write_archive(tmp_path / "a.npz", payload)
    message = str(path)
    try:
        read_object_archive(path, ("data",))
    except FormatError as error:
        message = str(error)
    assert message.startswith(str(path))
    assert "\n" not in message
