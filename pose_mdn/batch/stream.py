"""Lifting a stream of keypoints into a Parquet file: reading, lifting and writing overlap, in bounded memory.

Rows travel in groups, which are the groups of the Parquet file. One thread reads the next group; as many threads as
there are cores lift slices of the groups that were read; the calling thread writes groups in order. The file is the
same, byte for byte, as if all rows were read, lifted and written one step after the other.
"""

from collections import Counter, deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from pose_mdn.batch.stream_camera import StreamCamera
from pose_mdn.formats.atomic import WriteBehind, replace_atomically
from pose_mdn.formats.hypotheses.columns import choose_columns
from pose_mdn.formats.hypotheses.contents import to_arrays
from pose_mdn.formats.hypotheses.parquet import facts_of
from pose_mdn.formats.hypotheses.parquet_writer import ROWS_PER_GROUP, HypothesesWriter
from pose_mdn.formats.keypoints.keypoint_format import KeypointFormat, KeypointStream
from pose_mdn.inference.known_camera import KnownCamera
from pose_mdn.inference.lifter import SLICE_ROWS, Lifter, check_min_confidence
from pose_mdn.inference.observations import DEFAULT_MIN_CONFIDENCE
from pose_mdn.poses.confidences import refuse_percentages
from pose_mdn.poses.hypotheses import OUT_OF_DISTRIBUTION, HypothesisSequence
from pose_mdn.poses.keypoints import KeypointSequence
from pose_mdn.poses.status import Status

if TYPE_CHECKING:
    from pose_mdn.batch.settings import LiftSettings

Columns = dict[str, NDArray[Any]]

_GROUPS_AT_WORK = 3
"""One being written, one being lifted, and one waiting, so that no thread has to wait for another."""


@dataclass(frozen=True, kw_only=True)
class StreamResult:
    """What became of a stream.

    Attributes:
        rows: N.
        status: How many rows have each status.
        out_of_distribution: How many look like no person; `None` if the model gives no score.
        intrinsics_source: Where the camera came from.
        size_source: Where the people's size came from.
        model: Name and version of the lifter, "mdn_lifter/1".
    """

    rows: int
    status: dict[str, int]
    out_of_distribution: int | None
    intrinsics_source: str
    size_source: str
    model: str


def can_stream(entry: KeypointFormat, settings: "LiftSettings") -> bool:
    """Whether files of a format can be lifted piece by piece with these settings.

    They can if the format can be read so, the result is a Parquet file alone, and nothing asked for needs all rows at
    once: an estimated focal length does, and so does everything that tells people's size.
    """
    size = settings.size
    return (
        entry.stream is not None
        and settings.outputs == ("parquet",)
        and not settings.camera.estimate_focal
        and size.bodies is None
        and not size.distances
        and size.ground is None
        and settings.server is None
    )


def lift_stream(
    stream: KeypointStream,
    target: Path,
    lifter: Lifter,
    *,
    apply: Callable[[KeypointSequence], KeypointSequence] | None = None,
    min_confidence: float = DEFAULT_MIN_CONFIDENCE,
    threads: int = 1,
    columns: Sequence[str] | None = None,
    rows: tuple[int, int] | None = None,
    on_rows: Callable[[int], None] | None = None,
) -> StreamResult:
    """Lift a stream into a hypotheses Parquet file, which appears whole or not at all.

    Args:
        stream: Where the rows come from.
        target: The file to write.
        lifter: What lifts them. Loaded with `threads=1`; otherwise calls compete for the cores.
        apply: What the user says of the camera and the mapping, put into every piece; must not look at its rows.
        min_confidence: Joints below this are missing.
        threads: How many slices are lifted at a time. The result does not depend on it.
        columns: Keys of the columns to write; all if left out, which `read_hypotheses` insists on.
        rows: (start, stop) if only these rows are lifted; what is told from all rows is told from these.
        on_rows: Called with numbers of rows done, by the calling thread; what it raises ends the job.

    Raises:
        FormatError: The stream is damaged.
        InputError: As of `Lifter.lift`; or a column is unknown, or the place cannot be written to.
        GeometryError: The camera is impossible.
    """
    check_min_confidence(min_confidence)
    chosen = choose_columns(columns)
    start, stop = (0, stream.num_rows) if rows is None else (max(rows[0], 0), min(rows[1], stream.num_rows))
    given = apply or (lambda sequence: sequence)
    nobody = given(stream.nobody())

    def pieces() -> Generator[KeypointSequence, None, None]:
        if start < stop:
            yield from map(given, stream.chunks(ROWS_PER_GROUP, start=start, stop=stop))

    camera = StreamCamera(nobody, pieces, min_confidence)
    tally = Tally(lifter)
    empty = lifter.assemble(nobody, camera.of(nobody), lifter.empty_columns(0))
    with (
        replace_atomically(target) as file,
        WriteBehind(file) as disk,
        _Lifting(lifter, camera, pieces(), min_confidence, threads) as groups,
    ):
        writer = HypothesesWriter(
            file, facts_of(to_arrays(empty)), num_hypotheses=lifter.num_hypotheses, columns=chosen
        )
        for group in groups:
            arrays = to_arrays(group)
            writer.write({column.key: arrays[column.key] for column in chosen})
            disk.advance()
            tally.add(group)
            if on_rows is not None:
                on_rows(len(group))
        camera.finish()
        writer.close()
    return tally.result(empty)


class _Lifting:
    """Groups of a stream, lifted, in order. The numbers of a group are good until the next one is asked for."""

    def __init__(
        self,
        lifter: Lifter,
        camera: StreamCamera,
        pieces: Generator[KeypointSequence, None, None],
        min_confidence: float,
        threads: int,
    ) -> None:
        self._lifter = lifter
        self._camera = camera
        self._pieces = pieces
        self._min_confidence = min_confidence
        self._reader = ThreadPoolExecutor(1, "read")
        self._lifters = ThreadPoolExecutor(max(threads, 1), "lift")
        self._buffers: list[Columns] = []

    def __enter__(self) -> Iterator[HypothesisSequence]:
        return self._groups()

    def __exit__(self, *_: object) -> None:
        # First those who wait for nothing, so that no work is left when the file's fate is decided.
        self._reader.shutdown(cancel_futures=True)
        self._lifters.shutdown(cancel_futures=True)
        self._pieces.close()

    def _groups(self) -> Iterator[HypothesisSequence]:
        at_work: deque[_Group] = deque()
        coming: Future[_Group | None] | None = self._reader.submit(self._read)
        while coming is not None or at_work:
            while coming is not None and len(at_work) < _GROUPS_AT_WORK:
                group = coming.result()
                coming = None
                if group is not None:
                    coming = self._reader.submit(self._read)
                    at_work.append(self._begin(group))
            if at_work:
                yield self._finish(at_work[0])
                self._buffers.append(at_work.popleft().columns)

    def _read(self) -> "_Group | None":
        piece = next(self._pieces, None)
        if piece is None:
            return None
        refuse_percentages(piece.confidence)
        return _Group(sequence=piece, camera=self._camera.of(piece))

    def _begin(self, group: "_Group") -> "_Group":
        # Memory that was written to before need not be fetched from the system again.
        group.columns = self._buffers.pop() if self._buffers else self._lifter.empty_columns(ROWS_PER_GROUP)
        starts = range(0, len(group.sequence), SLICE_ROWS)
        group.slices = [self._lifters.submit(self._lift, group, start) for start in starts]
        return group

    def _lift(self, group: "_Group", start: int) -> None:
        rows = slice(start, min(start + SLICE_ROWS, len(group.sequence)))
        self._lifter.lift_slice(
            group.sequence.take(rows),
            group.camera.take(rows),
            {name: column[rows] for name, column in group.columns.items()},
            min_confidence=self._min_confidence,
        )

    def _finish(self, group: "_Group") -> HypothesisSequence:
        for lifted in group.slices:
            lifted.result()
        columns = {name: column[: len(group.sequence)] for name, column in group.columns.items()}
        return self._lifter.assemble(group.sequence, group.camera, columns)


@dataclass(kw_only=True)
class _Group:
    """Rows at work.

    Attributes:
        sequence: What was read.
        camera: With a matrix for each row.
        columns: What is found, in arrays that may be longer.
        slices: Done when their rows are in `columns`.
    """

    sequence: KeypointSequence
    camera: KnownCamera
    columns: Columns = field(default_factory=dict)
    slices: list[Future[None]] = field(default_factory=list)


class Tally:
    """Counts what becomes of rows as they pass."""

    def __init__(self, lifter: Lifter) -> None:
        """Begin to count what a lifter gives."""
        self._scored = lifter.gives_ood_score
        self._rows = 0
        self._status: Counter[str] = Counter()
        self._out_of_distribution = 0

    def add(self, group: HypothesisSequence) -> None:
        """Count the rows that come next."""
        whole = group.status == Status.LIFTED.value
        self._status[Status.LIFTED.value] += int(whole.sum())
        self._status.update(map(str, group.status[~whole]))
        self._out_of_distribution += int((group.ood_score > OUT_OF_DISTRIBUTION).sum())
        self._rows += len(group)

    def result(self, empty: HypothesisSequence) -> StreamResult:
        """What became of all; `empty` is an answer without rows."""
        return StreamResult(
            rows=self._rows,
            status={name: count for name, count in sorted(self._status.items()) if count},
            out_of_distribution=self._out_of_distribution if self._scored else None,
            intrinsics_source=empty.intrinsics_source,
            size_source=empty.size_source,
            model=empty.model,
        )
