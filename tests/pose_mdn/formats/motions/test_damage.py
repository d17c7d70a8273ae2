"""Damaged motion files give a motion or a `FormatError` of one line, and never anything else."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pose_mdn.errors import FormatError
from pose_mdn.formats.motions.conversion import ConversionOptions, convert_motion
from pose_mdn.formats.motions.registry import read_motions

thorough = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
CHANGES = st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.binary(min_size=1, max_size=3)), max_size=4)


@pytest.fixture(scope="module")
def originals(tmp_path_factory, write) -> Path:
    folder = tmp_path_factory.mktemp("originals")
    write.bvh(folder / "a.bvh", write.perform(frames=2))
    write.acclaim(folder, "07", frames=2)
    positions = np.random.default_rng(0).normal(size=(3, 32, 3)).astype(np.float32)
    np.savez(folder / "data_3d_h36m.npz", positions_3d=np.array({"S1": {"Walking": positions}}, dtype=object))
    return folder


@pytest.mark.parametrize("name", ["a.bvh", "07.asf", "07_01.amc", "data_3d_h36m.npz"])
@thorough
@given(cut=st.floats(0, 1) | st.none(), changes=CHANGES)
def test_damage_is_survived(tmp_path, originals, name, cut, changes) -> None:
    for file in originals.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    content = bytearray((originals / name).read_bytes())
    for place, value in changes:
        start = int(place * len(content))
        content[start : start + len(value)] = value
    (tmp_path / name).write_bytes(bytes(content if cut is None else content[: int(cut * len(content))]))
    read = tmp_path / ("07_01.amc" if name == "07.asf" else name)
    message = str(tmp_path)
    try:
        for motion in read_motions(read):
            convert_motion(read, motion, ConversionOptions(unit="m"))
    except FormatError as error:
        message = str(error)
    assert message.startswith(str(tmp_path))
    assert "\n" not in message


@pytest.mark.parametrize("name", ["a.bvh", "a.amc", "a.c3d", "a.npz"])
def test_a_file_that_is_not_there_or_empty_is_refused(tmp_path, name) -> None:
    (tmp_path / "a.asf").write_text("")
    with pytest.raises(FormatError, match=str(tmp_path)):
        read_motions(tmp_path / name)
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(FormatError, match=str(tmp_path)):
        read_motions(tmp_path / name)
