"""Hypotheses files: all suffixes hold the same, and nothing is lost."""

import dataclasses
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pose_mdn.errors import FormatError, InputError
from pose_mdn.formats import read_hypotheses, read_keypoints, write_hypotheses, write_keypoints
from pose_mdn.formats.hypotheses.files import holds_hypotheses
from pose_mdn.skeletons import HUMAN36M17, MAPPINGS

each_suffix = pytest.mark.parametrize("suffix", [".npz", ".parquet", ".jsonl"])


SIZES = st.fixed_dictionaries(
    {
        "seed": st.integers(0, 2**32 - 1),
        "rows": st.integers(0, 5),
        "components": st.integers(1, 6),
        "camera": st.booleans(),
    }
)


@each_suffix
@settings(deadline=None)
@given(sizes=SIZES)
def test_reading_what_was_written_is_the_identity(
    tmp_path_factory, make_hypotheses, assert_same, suffix, sizes
) -> None:
    path = tmp_path_factory.mktemp("hypotheses") / f"result{suffix}"
    sequence = make_hypotheses(**sizes)
    write_hypotheses(path, sequence)
    assert_same(read_hypotheses(path), sequence)


TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
FINITE = st.floats(allow_nan=False, allow_infinity=False)
FACTS = st.fixed_dictionaries(
    {
        "model": TEXT,
        "intrinsics_source": TEXT,
        "size_source": TEXT,
        "fps": st.floats(1e-3, 1e6) | st.none(),
        "distortion": st.lists(FINITE, min_size=4, max_size=4).map(np.array),
        "lens_model": st.sampled_from(["brown", "fisheye"]),
        "mapping": st.sampled_from(MAPPINGS),
    }
)


@settings(deadline=None)
@given(facts=FACTS)
def test_facts_about_the_file_survive_in_every_suffix(tmp_path_factory, make_hypotheses, assert_same, facts) -> None:
    folder = tmp_path_factory.mktemp("hypotheses")
    sequence = dataclasses.replace(make_hypotheses(), **facts)
    for suffix in (".npz", ".parquet", ".jsonl"):
        write_hypotheses(folder / f"result{suffix}", sequence)
        assert_same(read_hypotheses(folder / f"result{suffix}"), sequence)


def test_npz_has_the_contracts_keys_for_plain_numpy(tmp_path, make_hypotheses) -> None:
    sequence = make_hypotheses(rows=2, components=5)
    write_hypotheses(tmp_path / "result.npz", sequence)
    with np.load(tmp_path / "result.npz", allow_pickle=False) as file:
        shapes = {key: file[key].shape for key in file}
        assert file["means"].dtype == file["std"].dtype == np.float32
        assert file["joint_names"].tolist() == list(HUMAN36M17.joint_names)
        assert file["skeleton"].item() == "human36m17"
    assert shapes == {
        "means": (2, 5, 17, 3),
        "std": (2, 5, 17, 2),
        "view_rotation": (2, 3, 3),
        "mixing_coefficients": (2, 5),
        "root_translation": (2, 5, 3),
        "reprojection_error_px": (2, 5),
        "ood_score": (2,),
        "root_std": (2, 5, 2),
        "keypoints": (2, 17, 2),
        "confidence": (2, 17),
        "frame": (2,),
        "person": (2,),
        "status": (2,),
        "intrinsics": (2, 3, 3),
        "joint_names": (17,),
        "skeleton": (),
        "source_skeleton": (),
        "model": (),
        "intrinsics_source": (),
        "size_source": (),
        "distortion": sequence.distortion.shape,
        "lens_model": (),
        "tracked": (),
        "mapping": (),
        "image_size": (2,),
        "fps": (),
        "schema_version": (),
    }


def test_parquet_has_a_row_per_pose_fixed_sizes_and_units(tmp_path, make_hypotheses) -> None:
    sequence = make_hypotheses(rows=2, components=5)
    write_hypotheses(tmp_path / "result.parquet", sequence)
    table = pq.read_table(tmp_path / "result.parquet")
    assert table.num_rows == 2
    means = table.schema.field("means")
    assert [means.type.list_size, means.type.value_type.list_size, means.type.value_type.value_type.list_size] == [
        5,
        17,
        3,
    ]
    assert means.metadata[b"unit"] == b"m"
    np.testing.assert_array_equal(np.array(table.column("means").to_pylist(), np.float32), sequence.means_m)
    facts = json.loads(table.schema.metadata[b"pose_mdn"])
    assert facts["joint_names"] == list(HUMAN36M17.joint_names)
    assert facts["units"]["reprojection_error_px"] == "px"


def test_parquet_that_another_tool_filtered_and_wrote_with_plain_lists_is_read(tmp_path, make_hypotheses) -> None:
    sequence = make_hypotheses(rows=6)
    write_hypotheses(tmp_path / "result.parquet", sequence)
    table = pq.read_table(tmp_path / "result.parquet").take([4, 1])
    plain = pa.table({name: pa.array(table.column(name).to_pylist()) for name in table.column_names})
    pq.write_table(plain.replace_schema_metadata(table.schema.metadata), tmp_path / "filtered.parquet")
    np.testing.assert_array_equal(read_hypotheses(tmp_path / "filtered.parquet").means_m, sequence.means_m[[4, 1]])


def test_a_hypotheses_file_can_be_lifted_again(tmp_path, make_hypotheses) -> None:
    for camera in (True, False):
        sequence = make_hypotheses(camera=camera)
        sequence = dataclasses.replace(sequence, intrinsics=np.repeat(np.eye(3)[None] * 1000, len(sequence), 0))
        write_hypotheses(tmp_path / "result.npz", sequence)
        again = read_keypoints(tmp_path / "result.npz")
        assert again.skeleton is HUMAN36M17
        np.testing.assert_array_equal(again.frame, sequence.frame)
        # What the lifter assumed must not pass for what the user measured.
        assert (again.intrinsics is not None) == camera


@each_suffix
@pytest.mark.parametrize("field", ["std_m", "keypoints_px", "status", "intrinsics"])
def test_arrays_that_do_not_fit_each_other_are_not_written(tmp_path, make_hypotheses, suffix, field) -> None:
    sequence = make_hypotheses(rows=4)
    wrong = dataclasses.replace(sequence, **{field: getattr(sequence, field)[:2]})
    with pytest.raises(InputError, match=f"{field}: expected shape"):
        write_hypotheses(tmp_path / f"result{suffix}", wrong)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["result.csv", "result"])
def test_another_suffix_is_refused(tmp_path, make_hypotheses, name) -> None:
    with pytest.raises(InputError, match=r"\.npz, \.parquet, \.jsonl"):
        write_hypotheses(tmp_path / name, make_hypotheses())
    with pytest.raises(FormatError, match=r"\.npz, \.parquet, \.jsonl"):
        read_hypotheses(tmp_path / name)


@each_suffix
def test_results_are_told_from_keypoints(tmp_path, make_hypotheses, make_keypoints, suffix) -> None:
    write_hypotheses(tmp_path / f"result{suffix}", make_hypotheses())
    assert holds_hypotheses(tmp_path / f"result{suffix}")
    assert not holds_hypotheses(tmp_path / f"absent{suffix}")
    if suffix != ".jsonl":
        write_keypoints(tmp_path / f"keypoints{suffix}", make_keypoints())
        assert not holds_hypotheses(tmp_path / f"keypoints{suffix}")


@each_suffix
def test_a_file_of_before_the_score_and_the_size_is_read_with_both_unknown(
    tmp_path, make_hypotheses, assert_same, suffix
) -> None:
    sequence = make_hypotheses()
    write_hypotheses(tmp_path / f"new{suffix}", sequence)
    old = tmp_path / f"old{suffix}"
    if suffix == ".npz":
        with np.load(tmp_path / "new.npz") as file:
            np.savez(old, **{key: file[key] for key in file if key not in {"ood_score", "size_source", "root_std"}})
    elif suffix == ".jsonl":
        facts, *rows = map(json.loads, (tmp_path / "new.jsonl").read_text().splitlines())
        del facts["pose_mdn"]["size_source"]
        for row in rows:
            del row["ood_score"], row["root_std"]
        old.write_text("\n".join(map(json.dumps, [facts, *rows])))
    else:
        table = pq.read_table(tmp_path / "new.parquet").drop_columns(["ood_score", "root_std"])
        facts = json.loads(table.schema.metadata[b"pose_mdn"])
        del facts["size_source"]
        pq.write_table(table.replace_schema_metadata({b"pose_mdn": json.dumps(facts)}), old)
    unknown = np.full(len(sequence), np.nan, np.float32)
    unstated = np.full(sequence.root_std_m.shape, np.nan, np.float32)
    assert_same(read_hypotheses(old), dataclasses.replace(sequence, ood_score=unknown, root_std_m=unstated))


@each_suffix
@pytest.mark.parametrize("content", [None, b"", b"PAR1PAR1", b"PK\x05\x06", b"hello" * 100])
def test_no_file_or_another_file_gives_one_line(tmp_path, suffix, content) -> None:
    path = tmp_path / f"result{suffix}"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(FormatError) as caught:
        read_hypotheses(path)
    assert str(caught.value).startswith(f"{path}: expected ")
    assert "\n" not in str(caught.value)


def test_parquet_without_our_metadata_or_columns_is_refused(tmp_path, make_hypotheses) -> None:
    write_hypotheses(tmp_path / "result.parquet", make_hypotheses())
    table = pq.read_table(tmp_path / "result.parquet")
    pq.write_table(table.replace_schema_metadata({}), tmp_path / "bare.parquet")
    with pytest.raises(FormatError, match="schema metadata 'pose_mdn'"):
        read_hypotheses(tmp_path / "bare.parquet")
    pq.write_table(table.drop_columns(["std"]), tmp_path / "narrow.parquet")
    with pytest.raises(FormatError, match="the column 'std'"):
        read_hypotheses(tmp_path / "narrow.parquet")


def test_npz_of_another_skeleton_is_refused(tmp_path, make_hypotheses) -> None:
    write_hypotheses(tmp_path / "result.npz", make_hypotheses())
    with np.load(tmp_path / "result.npz") as file:
        arrays = dict(file)
    arrays["joint_names"] = arrays["joint_names"][::-1]
    np.savez(tmp_path / "result.npz", **arrays)
    with pytest.raises(FormatError, match="poses of skeleton 'human36m17'"):
        read_hypotheses(tmp_path / "result.npz")
