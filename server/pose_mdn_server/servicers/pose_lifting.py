"""pose_mdn.v1.PoseLiftingService."""

from collections.abc import Callable
from typing import Any

from pose_mdn.inference import Lifter, with_known_body
from pose_mdn.inference.focal_length import lift_with_unknown_focal_length
from pose_mdn.inference.known_scale import with_known_scale
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn_server.batching import Batcher, Columns
from pose_mdn_server.calls import Answers, Call, Method, Pending, StreamMethod, UnaryMethod
from pose_mdn_server.codec.lifting import LiftJob, decode_lift_request, encode_lift_response
from pose_mdn_server.codec.short_lift import LiftFrame, LiftHeader, ShortLift, ShortLiftDecoder
from pose_mdn_server.lanes import LiftLane
from pose_mdn_server.models.model_store import ModelStore
from pose_mdn_server.rpc import pose_lifting_pb2
from pose_mdn_server.servicers.lift_stream import LiftStreamSession

_SERVICE = pose_lifting_pb2.DESCRIPTOR.services_by_name["PoseLiftingService"]
SERVICE_NAME: str = _SERVICE.full_name

_MOST_REMEMBERED = 4096

RunLong = Callable[[Callable[[], Any]], Pending[Any]]
"""Has a thread do something that takes long."""


class PoseLiftingService:
    """Lifts poses.

    Poses that do not depend on each other go to the batcher, together with those of other calls. What makes them
    depend on each other (a focal length, a ground or a distance to be found from all) or takes longer runs in a thread.

    Args:
        models: Which models there are.
        batcher: Runs them.
        run_long: Has a thread do what takes long.
        max_poses: Longest list of poses that one message may bring.
    """

    def __init__(self, models: ModelStore, batcher: Batcher, *, run_long: RunLong, max_poses: int) -> None:
        self._models = models
        self._batcher = batcher
        self._run_long = run_long
        self._max_poses = max_poses
        self._decoder = ShortLiftDecoder(max_poses=max_poses)
        self._lanes: dict[tuple[LiftHeader, int], LiftLane] = {}
        self._frames: dict[tuple[LiftHeader, int, int], LiftFrame] = {}

    def methods(self) -> list[Method]:
        """What to serve."""
        return [
            UnaryMethod(path=f"/{SERVICE_NAME}/Lift", decode=bytes, handle=self.lift, encode=bytes),
            StreamMethod(path=f"/{SERVICE_NAME}/LiftStream", decode=bytes, open=self.lift_stream, encode=bytes),
        ]

    def lift(self, data: bytes, call: Call) -> Pending[bytes]:
        """Lift N poses: an encoded LiftRequest in, an encoded LiftResponse out."""
        short = self._decoder.decode(data)
        if short is not None:
            return self.lift_short(short, call)
        job = decode_lift_request(pose_lifting_pb2.LiftRequest.FromString(data), max_poses=self._max_poses)
        lifter = self.lifter_of(job.model_name, job.model_version, call)
        if job.num_hypotheses is not None or job.seed:
            lifter = lifter.sampling(num_hypotheses=job.num_hypotheses, seed=job.seed)
        call.brings(len(job.keypoints))
        answer: Pending[bytes] = self._run_long(lambda: encode_lift_response(_lift(lifter, job)).SerializeToString())
        return answer

    def lift_stream(self, call: Call, answers: Answers) -> LiftStreamSession:
        """Lift poses as they come."""
        return LiftStreamSession(self, call, answers, run_long=self._run_long, max_poses=self._max_poses)

    def lifter_of(self, name: str, version: str, call: Call) -> Lifter:
        """A lifter, if the caller may use it; notes it in the call.

        Raises:
            ModelNotFoundError: There is none of that name and version.
            PermissionDeniedError: The caller may not use it.
        """
        lifter = self._models.lifter(name, version)
        call.client.require_model(lifter.name)
        call.model = lifter.name
        return lifter

    def lift_short(self, short: ShortLift, call: Call) -> Pending[bytes]:
        """Let the poses of a request of the short road wait for their batch."""
        header = short.header
        lifter = self.lifter_of(header.model_name, header.model_version, call)
        call.brings(len(short.keypoints_px))
        lane = self._lane(header, lifter)
        rows: Columns = {
            "keypoints_px": short.keypoints_px,
            "confidence": short.confidence,
            "intrinsics": short.intrinsics,
        }
        answer: Pending[bytes] = Pending()

        def encode(done: Pending[Columns]) -> None:
            if done.error is not None:
                answer.fail(done.error)
            else:
                answer.resolve(self._frame(header, lane.lifter, done.value()).fill(done.value()))

        self._batcher.submit(lane, rows, call).then(encode)
        return answer

    def _lane(self, header: LiftHeader, lifter: Lifter) -> LiftLane:
        key = (header, id(lifter.bundle))
        lane = self._lanes.get(key)
        if lane is None:
            if header.num_hypotheses is not None or header.seed:
                lifter = lifter.sampling(num_hypotheses=header.num_hypotheses, seed=header.seed)
            lane = LiftLane(
                lifter,
                skeleton=header.skeleton,
                image_size=header.camera.image_size,
                distortion=header.camera.distortion,
                lens_model=header.camera.lens_model,
            )
            _remember(self._lanes, key, lane)
        return lane

    def _frame(self, header: LiftHeader, lifter: Lifter, columns: Columns) -> LiftFrame:
        key = (header, id(lifter.bundle), len(columns["status"]))
        frame = self._frames.get(key)
        if frame is None:
            frame = LiftFrame(header, columns, model=f"{lifter.name}/{lifter.version}")
            _remember(self._frames, key, frame)
        return frame


def _remember(memory: dict[Any, Any], key: Any, value: Any) -> None:
    """Bounded, since callers choose the keys."""
    if len(memory) >= _MOST_REMEMBERED:
        memory.clear()
    memory[key] = value


def _lift(lifter: Lifter, job: LiftJob) -> HypothesisSequence:
    """The hypotheses, by the camera that is known or estimated, in the size that is known."""
    if job.estimate_focal:
        found, _ = lift_with_unknown_focal_length(lifter, job.keypoints)
        if job.scale is None and job.body is not None:
            return with_known_body(found, job.body)
    elif job.scale is None:
        return lifter.lift(job.keypoints, body=job.body)
    else:
        found = lifter.lift(job.keypoints)
    return found if job.scale is None else with_known_scale(found, job.scale)
