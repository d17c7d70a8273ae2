"""A stream lifted piece by piece gives the same bytes as a file that is read, lifted and written as a whole."""

import dataclasses
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pose_mdn.batch import stream as stream_module
from pose_mdn.batch.given_camera import GivenCamera
from pose_mdn.batch.given_size import GivenSize
from pose_mdn.batch.settings import LiftSettings
from pose_mdn.batch.stream import StreamResult, can_stream, lift_stream
from pose_mdn.errors import FormatError, InputError
from pose_mdn.formats import keypoint_formats, read_hypotheses, write_hypotheses
from pose_mdn.formats.hypotheses import parquet as hypotheses_parquet
from pose_mdn.formats.keypoints.keypoint_format import ReadOptions
from pose_mdn.formats.keypoints.tables import parquet_stream as parquet
from pose_mdn.formats.keypoints.tables import parquet_writer
from pose_mdn.geometry.body import KnownBodies, KnownBody
from pose_mdn.inference import Lifter, load_lifter
from pose_mdn.poses.keypoints import KeypointSequence
from pose_mdn.skeletons import get_skeleton

INTRINSICS = np.array([[1500.0, 0, 960], [0, 1500, 540], [0, 0, 1]])
GROUP = 1024


@dataclasses.dataclass(frozen=True)
class MemoryStream:
    """A stream of rows that lie in memory."""

    sequence: KeypointSequence
    fails_at: int | None = None

    @property
    def num_rows(self) -> int:
        return len(self.sequence)

    def nobody(self) -> KeypointSequence:
        return self.sequence.take(slice(0, 0))

    def chunks(self, rows: int, *, start: int = 0, stop: int | None = None) -> Iterator[KeypointSequence]:
        for first in range(start, self.num_rows if stop is None else stop, rows):
            if self.fails_at is not None and first >= self.fails_at:
                raise FormatError("damaged")
            yield self.sequence.take(slice(first, min(first + rows, self.num_rows if stop is None else stop)))


def people(rows: int, *, seed: int = 0, **given: object) -> KeypointSequence:
    """People of whom some lack joints, some are nobody, and some break the tiny graph."""
    rng = np.random.default_rng(seed)
    middle = rng.uniform((300, 300), (1500, 800), (rows, 1, 2))
    keypoints_px = (middle + rng.normal(0, 150, (rows, 17, 2))).astype(np.float32)
    confidence = rng.uniform(0.05, 1, (rows, 17)).astype(np.float32)
    keypoints_px[rng.random(rows) < 0.02] = np.nan
    keypoints_px[rng.random((rows, 17)) < 0.02] = np.nan
    keypoints_px[rng.random((rows, 17)) < 0.0005] = -95_000.0
    sequence = KeypointSequence(
        keypoints_px=keypoints_px,
        confidence=confidence,
        skeleton=get_skeleton("coco17"),
        frame=np.arange(rows) * 2,
        person=np.arange(rows) % 3,
        fps=25.0,
    )
    return dataclasses.replace(sequence, **given)


CAMERAS = {
    "nothing known": {},
    "size": {"image_size": (1920, 1080)},
    "one matrix": {"intrinsics": INTRINSICS, "image_size": (1920, 1080)},
    "a lens": {"intrinsics": INTRINSICS, "distortion": np.array([-0.1, 0.02, 0.001, -0.0005])},
}


@pytest.fixture
def lifter(tiny_bundle: Path) -> Lifter:
    return load_lifter(tiny_bundle, threads=1)


@pytest.fixture(autouse=True)
def small_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_module, "ROWS_PER_GROUP", GROUP)
    monkeypatch.setattr(hypotheses_parquet, "ROWS_PER_GROUP", GROUP)


def lift_both(folder: Path, sequence: KeypointSequence, lifter: Lifter, **given: object) -> StreamResult:
    """Lift in both ways; the files must be equal."""
    hypotheses = lifter.lift(sequence)
    write_hypotheses(folder / "whole.parquet", hypotheses)
    result = lift_stream(MemoryStream(sequence), folder / "streamed.parquet", lifter, **given)
    assert (folder / "streamed.parquet").read_bytes() == (folder / "whole.parquet").read_bytes()
    assert result.rows == len(sequence)
    assert result.status == {
        str(name): int(count) for name, count in zip(*np.unique(hypotheses.status, return_counts=True), strict=True)
    }
    return result


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    slices=st.integers(0, 6), more=st.sampled_from([-1, 0, 1, 7]), threads=st.integers(1, 4), seed=st.integers(0, 1000)
)
@pytest.mark.parametrize("camera", sorted(CAMERAS))
def test_streaming_changes_no_byte(tmp_path, lifter, camera, **drawn: int) -> None:
    rows = max(512 * drawn["slices"] + drawn["more"], 0)
    lift_both(tmp_path, people(rows, seed=drawn["seed"], **CAMERAS[camera]), lifter, threads=drawn["threads"])


def test_a_matrix_for_each_row_travels_with_its_row(tmp_path, lifter) -> None:
    matrices = np.repeat(INTRINSICS[None], 1500, axis=0)
    matrices[:, 0, 0] += np.arange(1500)
    lift_both(tmp_path, people(1500, intrinsics=matrices), lifter, threads=2)
    assert read_hypotheses(tmp_path / "streamed.parquet").intrinsics[1400, 0, 0] == 2900


def test_the_bundled_model_in_groups_of_usual_size(tmp_path, monkeypatch) -> None:
    monkeypatch.undo()
    sequence = people(16_384 + 700, intrinsics=INTRINSICS, image_size=(1920, 1080))
    parquet_writer.write(tmp_path / "in.parquet", sequence)
    lifter = load_lifter(threads=1)
    result = lift_stream(
        parquet.open_stream(tmp_path / "in.parquet", ReadOptions()), tmp_path / "out.parquet", lifter, threads=2
    )
    hypotheses = lifter.lift(parquet.read(tmp_path / "in.parquet", ReadOptions()))
    write_hypotheses(tmp_path / "whole.parquet", hypotheses)
    assert (tmp_path / "out.parquet").read_bytes() == (tmp_path / "whole.parquet").read_bytes()
    assert result.out_of_distribution == hypotheses.out_of_distribution.sum()
    assert result.model == hypotheses.model


def test_some_rows_alone_are_lifted_as_a_file_of_their_own(tmp_path, lifter) -> None:
    sequence = people(3000)
    write_hypotheses(tmp_path / "whole.parquet", lifter.lift(sequence.take(slice(600, 2300))))
    lift_stream(MemoryStream(sequence), tmp_path / "part.parquet", lifter, rows=(600, 2300), threads=2)
    assert (tmp_path / "part.parquet").read_bytes() == (tmp_path / "whole.parquet").read_bytes()


def test_what_the_user_says_is_put_into_every_piece(tmp_path, lifter) -> None:
    camera = GivenCamera(intrinsics=(900.0, 900.0, 500.0, 400.0), image_size=(1000, 800))
    sequence = people(1300)
    write_hypotheses(tmp_path / "whole.parquet", lifter.lift(camera.apply(sequence)))
    lift_stream(MemoryStream(sequence), tmp_path / "streamed.parquet", lifter, apply=camera.apply)
    assert (tmp_path / "streamed.parquet").read_bytes() == (tmp_path / "whole.parquet").read_bytes()


def test_chosen_columns_are_those_of_the_whole_file(tmp_path, lifter) -> None:
    sequence = people(1100)
    lift_both(tmp_path, sequence, lifter)
    lift_stream(MemoryStream(sequence), tmp_path / "few.parquet", lifter, columns=("ood_score", "frame", "means"))
    few, whole = pq.read_table(tmp_path / "few.parquet"), pq.read_table(tmp_path / "whole.parquet")
    assert few.column_names == ["frame", "means", "ood_score"]
    for name in ("frame", "means"):
        np.testing.assert_array_equal(few[name].to_pylist(), whole[name].to_pylist())
    with pytest.raises(InputError, match="columns: expected some of"):
        lift_stream(MemoryStream(sequence), tmp_path / "few.parquet", lifter, columns=["mean"])


def test_rows_are_counted_in_order_by_the_caller(tmp_path, lifter) -> None:
    calls = []
    lift_stream(
        MemoryStream(people(2500)),
        tmp_path / "out.parquet",
        lifter,
        threads=3,
        on_rows=lambda rows: calls.append((rows, threading.current_thread() is threading.main_thread())),
    )
    assert calls == [(1024, True), (1024, True), (452, True)]


class StopError(Exception):
    """Raised by a caller who has had enough."""


def failing_caller(_rows: int) -> None:
    raise StopError


@pytest.mark.parametrize("threads", [1, 3])
def test_a_failure_anywhere_ends_the_job_and_leaves_nothing(tmp_path, lifter, monkeypatch, threads) -> None:
    sequence, target = people(5000), tmp_path / "out.parquet"
    before = threading.active_count()
    with pytest.raises(FormatError, match="damaged"):
        lift_stream(MemoryStream(sequence, fails_at=3000), target, lifter, threads=threads, apply=with_size)
    with pytest.raises(StopError):
        lift_stream(MemoryStream(sequence), target, lifter, threads=threads, on_rows=failing_caller)
    with monkeypatch.context() as patch:
        patch.setattr(stream_module.HypothesesWriter, "write", failing_write)
        with pytest.raises(InputError, match="no space left"):
            lift_stream(MemoryStream(sequence), target, lifter, threads=threads)
    with monkeypatch.context() as patch:
        patch.setattr(Lifter, "lift_slice", failing_slice)
        with pytest.raises(StopError):
            lift_stream(MemoryStream(sequence), target, lifter, threads=threads)
    assert list(tmp_path.iterdir()) == []
    assert threading.active_count() == before


def with_size(sequence: KeypointSequence) -> KeypointSequence:
    return dataclasses.replace(sequence, image_size=(1920, 1080))


def failing_write(*_: object) -> None:
    raise OSError(28, "No space left on device")


def failing_slice(*_: object, **__: object) -> None:
    raise StopError


def test_an_old_result_stays_if_the_job_fails(tmp_path, lifter) -> None:
    (tmp_path / "out.parquet").write_bytes(b"old")
    with pytest.raises(FormatError):
        lift_stream(MemoryStream(people(3000), fails_at=2048), tmp_path / "out.parquet", lifter, apply=with_size)
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"old"]


@pytest.mark.parametrize("image_size", [None, (1920, 1080)])
def test_fractions_are_refused_as_they_are_in_memory(tmp_path, lifter, image_size) -> None:
    sequence = people(1500, image_size=image_size)
    sequence = dataclasses.replace(sequence, keypoints_px=np.clip(sequence.keypoints_px / 2000, -1, 1))
    with pytest.raises(InputError) as whole:
        lifter.lift(sequence)
    with pytest.raises(InputError) as streamed:
        lift_stream(MemoryStream(sequence), tmp_path / "out.parquet", lifter, threads=2)
    assert str(streamed.value) == str(whole.value)
    assert list(tmp_path.iterdir()) == []


def test_pieces_of_fractions_among_pixels_are_lifted(tmp_path, lifter) -> None:
    sequence = people(3000, image_size=(1920, 1080))
    sequence.keypoints_px[1024:2048] /= 2000
    lift_both(tmp_path, sequence, lifter, threads=2)


def test_centred_coordinates_are_refused_as_they_are_in_memory(tmp_path, lifter) -> None:
    sequence = people(1501)
    sequence = dataclasses.replace(sequence, keypoints_px=sequence.keypoints_px - np.float32(960))
    with pytest.raises(InputError) as whole:
        lifter.lift(sequence)
    with pytest.raises(InputError) as streamed:
        lift_stream(MemoryStream(sequence), tmp_path / "out.parquet", lifter)
    assert str(streamed.value) == str(whole.value)


def test_a_lens_without_a_matrix_and_a_bad_threshold_are_refused(tmp_path, lifter) -> None:
    with pytest.raises(InputError, match="expected intrinsics"):
        lift_stream(MemoryStream(people(3, distortion=np.full(4, 0.1))), tmp_path / "out.parquet", lifter)
    with pytest.raises(InputError, match="min_confidence"):
        lift_stream(MemoryStream(people(3)), tmp_path / "out.parquet", lifter, min_confidence=2)


def test_only_what_needs_no_second_look_is_streamed() -> None:
    parquet_format, plain = keypoint_formats()["parquet"], LiftSettings(outputs=("parquet",))
    assert can_stream(parquet_format, plain)
    assert not can_stream(keypoint_formats()["npz"], plain)
    body = GivenSize(bodies=KnownBodies(everyone=KnownBody(stature_m=1.2)))
    for other in (
        {"outputs": ("npz",)},
        {"outputs": ("parquet", "csv")},
        {"camera": GivenCamera(estimate_focal=True)},
        {"size": body},
        {"server": "localhost:8001"},
    ):
        assert not can_stream(parquet_format, dataclasses.replace(plain, **other))


def test_memory_does_not_grow_with_the_file(tmp_path, tiny_bundle) -> None:
    """Half a million poses take as little more memory as the buffers; whole, they would take half a gigabyte."""
    program = """
        import resource, sys
        from pathlib import Path
        import numpy as np
        from pose_mdn.batch.stream import lift_stream
        from pose_mdn.inference import load_lifter
        from pose_mdn.poses.keypoints import KeypointSequence
        from pose_mdn.skeletons import get_skeleton

        class Endless:
            num_rows = 500_000
            def nobody(self):
                return self.piece(0, 0)
            def piece(self, start, stop):
                count = stop - start
                points = np.random.default_rng(start).uniform(100, 900, (count, 17, 2)).astype(np.float32)
                return KeypointSequence(
                    keypoints_px=points, confidence=np.ones((count, 17), np.float32), skeleton=get_skeleton("coco17"),
                    frame=np.arange(start, stop), person=np.zeros(count, np.int64), image_size=(1000, 1000))
            def chunks(self, rows, *, start=0, stop=None):
                for first in range(start, stop, rows):
                    yield self.piece(first, min(first + rows, stop))

        lifter = load_lifter(sys.argv[1], threads=1)
        import pose_mdn.formats
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        lift_stream(Endless(), Path(sys.argv[2]), lifter, threads=2, columns=["frame", "status", "mixing_coefficients"])
        print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
    """
    command = [sys.executable, "-c", textwrap.dedent(program), str(tiny_bundle), str(tmp_path / "out.parquet")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(done.stdout) < 300
    assert pq.read_metadata(tmp_path / "out.parquet").num_rows == 500_000
