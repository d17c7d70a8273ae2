"""One stream of LiftStream."""

import threading
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pose_mdn_server.calls import Answers, Call, Pending
from pose_mdn_server.codec.lift_stream import LiftStreamDecoder, StreamJob, encode_lift_stream_response
from pose_mdn_server.codec.short_lift_stream import ShortStreamDecoder, encode_numbers, encode_stream_answer
from pose_mdn_server.rpc import pose_lifting_pb2
from pose_mdn_server.stream_lifting import StreamLifter

if TYPE_CHECKING:
    from pose_mdn_server.servicers.pose_lifting import PoseLiftingService, RunLong


class LiftStreamSession:
    """Answers the messages of one stream, in order.

    Where every frame is lifted alone, poses wait for their batch as those of a call of their own do. Where frames
    depend on those before them (smoothing, following, a known body), a thread works on one after the other.
    """

    def __init__(
        self, service: "PoseLiftingService", call: Call, answers: Answers, *, run_long: "RunLong", max_poses: int
    ) -> None:
        self._service = service
        self._call = call
        self._answers = answers
        self._decoder = LiftStreamDecoder(max_poses=max_poses)
        self._short = ShortStreamDecoder(max_poses=max_poses)
        self._film = _Film(run_long)
        self._lifter: StreamLifter | None = None

    def receive(self, data: bytes) -> None:
        """Answer a message of poses, or take in settings."""
        short = self._short.decode(data, self._decoder.last_frame)
        if short is not None:
            self._decoder.last_frame = short.frame[-1]
            poses = self._call.message()
            lifted = self._service.lift_short(short.lift, poses)
            # Reserved only now: a place for poses that were refused would keep the refusal behind it waiting for ever.
            place = self._answers.reserve(poses)
            numbers = encode_numbers(short.frame, short.person)
            lifted.then(lambda done: _fill(place, done, numbers))
            return
        message = pose_lifting_pb2.LiftStreamRequest.FromString(data)
        job = self._decoder.decode(message)
        if job is None:
            self._rest()
            self._short.settings(message.settings)
            return
        lifter = self._lifter_for(job)
        poses = self._call.message()
        poses.brings(len(job.lift.keypoints))
        self._film.add(
            self._answers.reserve(poses),
            lambda: encode_lift_stream_response(lifter.lift(job.lift.keypoints)).SerializeToString(),
        )

    def end(self) -> None:
        """Give what still waits, then end."""
        self._rest()
        self._answers.end()

    def close(self) -> None:
        """Forget what waits."""
        self._film.clear()

    def _lifter_for(self, job: StreamJob) -> StreamLifter:
        if self._lifter is None:
            lifter = self._service.lifter_of(job.lift.model_name, job.lift.model_version, self._call)
            self._lifter = StreamLifter(lifter, job)
        return self._lifter

    def _rest(self) -> None:
        lifter, self._lifter = self._lifter, None
        if lifter is None:
            return

        def give() -> bytes | None:
            rest = lifter.rest()
            return None if rest is None else encode_lift_stream_response(rest, is_rest=True).SerializeToString()

        self._film.add(self._answers.reserve(), give)


class _Film:
    """Work of one stream, done one piece after the other by some thread."""

    def __init__(self, run_long: "RunLong") -> None:
        self._run_long = run_long
        self._work: deque[tuple[Pending[Any], Callable[[], Any]]] = deque()
        self._lock = threading.Lock()
        self._running = False

    def add(self, place: Pending[Any], work: Callable[[], Any]) -> None:
        """Do something after all that was added before; what comes out goes to the place."""
        with self._lock:
            self._work.append((place, work))
            if self._running:
                return
            self._running = True
        self._run_long(self._run).then(self._stopped)

    def clear(self) -> None:
        with self._lock:
            self._work.clear()

    def _run(self) -> None:
        while True:
            with self._lock:
                if not self._work:
                    self._running = False
                    return
                place, work = self._work.popleft()
            try:
                place.resolve(work())
            except Exception as error:  # the stream ends with it
                place.fail(error)

    def _stopped(self, done: Pending[Any]) -> None:
        """If threads were too busy to begin, that is the answer."""
        if done.error is None:
            return
        with self._lock:
            self._running = False
            failed = [place for place, _ in self._work]
            self._work.clear()
        for place in failed:
            place.fail(done.error)


def _fill(place: Pending[Any], done: Pending[bytes], numbers: bytes) -> None:
    if done.error is not None:
        place.fail(done.error)
    else:
        place.resolve(encode_stream_answer(done.value(), numbers))
