"""A client with numpy arrays in and out."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import TracebackType

import grpc
import numpy as np
from numpy.typing import ArrayLike, NDArray

from pose_mdn.fusion import FusionSettings
from pose_mdn.fusion.rows import match_rows, pair_views
from pose_mdn.geometry.body import KnownBody
from pose_mdn.geometry.camera import Camera
from pose_mdn.geometry.ground_plane import GroundPlane
from pose_mdn.geometry.known_distance import KnownDistance
from pose_mdn.inference.arrays import sequence_from_arrays
from pose_mdn.poses.confidences import refuse_percentages
from pose_mdn.poses.fused import FusedPoseSequence
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.poses.keypoints import KeypointSequence
from pose_mdn.poses.lens_model import BROWN, LensModel
from pose_mdn.reprojection import CheckSettings, ReprojectionCheck
from pose_mdn.reprojection.check import observations, picture_size, require_both_cameras
from pose_mdn_server.codec.fusion_request import encode_fusion_request
from pose_mdn_server.codec.fusion_response import decode_fusion_response
from pose_mdn_server.codec.lift_stream import decode_lift_stream_response, encode_lift_stream
from pose_mdn_server.codec.lifting import decode_lift_response, encode_lift_request
from pose_mdn_server.codec.reprojection_request import encode_check_request
from pose_mdn_server.codec.reprojection_response import decode_check_response
from pose_mdn_server.rpc import pose_fusion_pb2_grpc, pose_lifting_pb2_grpc, reprojection_pb2_grpc
from pose_mdn_server.status import from_rpc_error


class PoseLiftingClient:
    """Talks to a pose-mdn server. One client may be used from several threads; close it, or use it in a `with` block.

    Args:
        target: HOST:PORT of the server.
        timeout_s: Longest wait for an answer.
    """

    def __init__(self, target: str = "127.0.0.1:8001", *, timeout_s: float = 30.0) -> None:
        self.target = target
        self._timeout_s = timeout_s
        unlimited = (("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1))
        self._channel = grpc.insecure_channel(target, options=unlimited)
        self._stub = pose_lifting_pb2_grpc.PoseLiftingServiceStub(self._channel)
        self._checks = reprojection_pb2_grpc.ReprojectionServiceStub(self._channel)
        self._fusion = pose_fusion_pb2_grpc.PoseFusionServiceStub(self._channel)

    def lift(
        self,
        keypoints_px: ArrayLike,
        confidence: ArrayLike | None = None,
        *,
        skeleton: str = "human36m17",
        intrinsics: ArrayLike | None = None,
        distortion: ArrayLike | None = None,
        lens_model: LensModel = BROWN,
        image_size: tuple[int, int] | None = None,
        model: str = "mdn_lifter",
        body: KnownBody | None = None,
        distances: Sequence[KnownDistance] = (),
        ground: GroundPlane | None = None,
        estimate_focal: bool = False,
        num_hypotheses: int | None = None,
        seed: int = 0,
    ) -> HypothesisSequence:
        """Lift poses.

        Args:
            keypoints_px: (N, J, 2) pixels, or (J, 2) for one pose; NaN where a joint was not seen.
            confidence: (N, J), or (J,), from 0 (missing) to 1; all 1 if absent.
            skeleton: Name of the layout of the J joints.
            intrinsics: (3, 3) or (N, 3, 3) pinhole matrix in pixels, if known.
            distortion: OpenCV coefficients, if the lens distorts.
            lens_model: "brown" or "fisheye": what they mean.
            image_size: (width, height) in pixels, if known.
            model: "NAME" for its newest version, or "NAME/VERSION".
            body: The size of these people, if it is known.
            distances: Between joints of this one person; frames are places in the call.
            ground: On which this one person stands.
            estimate_focal: Whether to estimate the focal length; needs the size of the picture and no intrinsics.
            num_hypotheses: How many poses a model that samples (`cvae_lifter`) gives.
            seed: Seed of such a model's noise.

        Raises:
            InputError: The server refused the request; the message names the field.
            ModelNotFoundError: The server has no such model.
            ServerUnavailableError: There was no answer.
        """
        sequence = sequence_from_arrays(
            keypoints_px,
            confidence,
            skeleton=skeleton,
            intrinsics=intrinsics,
            distortion=distortion,
            lens_model=lens_model,
            image_size=image_size,
        )
        return self.lift_sequence(
            sequence,
            model=model,
            body=body,
            distances=distances,
            ground=ground,
            estimate_focal=estimate_focal,
            num_hypotheses=num_hypotheses,
            seed=seed,
        )

    def lift_sequence(
        self,
        sequence: KeypointSequence,
        *,
        model: str = "mdn_lifter",
        body: KnownBody | None = None,
        distances: Sequence[KnownDistance] = (),
        ground: GroundPlane | None = None,
        estimate_focal: bool = False,
        num_hypotheses: int | None = None,
        seed: int = 0,
    ) -> HypothesisSequence:
        """Lift a sequence in one call; see `lift`."""
        refuse_percentages(sequence.confidence)
        name, _, version = model.partition("/")
        request = encode_lift_request(
            sequence,
            model_name=name,
            model_version=version,
            body=body,
            distances=distances,
            ground=ground,
            estimate_focal=estimate_focal,
            num_hypotheses=num_hypotheses,
            seed=seed,
        )
        try:
            response = self._stub.Lift(request, timeout=self._timeout_s)
        except grpc.RpcError as error:
            raise from_rpc_error(error, self.target) from error
        return decode_lift_response(response, sequence)

    def lift_stream(
        self,
        sequences: Iterable[KeypointSequence],
        *,
        lag: int | None = None,
        follow_people: bool = False,
        model: str = "mdn_lifter",
        body: KnownBody | None = None,
    ) -> Iterator[HypothesisSequence]:
        """Lift frames as they are seen, over one call.

        Without `lag` every sequence is answered by its own rows. With it, rows come out once each, in order, when
        their frame is that many frames old; answers without rows are left out.

        Args:
            sequences: In the order of frames, whose numbers must never fall; each with one camera for all its rows.
                The next one is taken while answers are under way, so the iterable may wait for a camera.
            lag: Link hypotheses over time and smooth them, so many frames late; 5 are as good as the whole film.
            follow_people: Have the server number people, whose `person` then says nothing.
            model: "NAME" for its newest version, or "NAME/VERSION".
            body: The size of these people, if it is known.

        Raises:
            InputError: The server refused a sequence; the message names the field.
            ModelNotFoundError: The server has no such model.
            ServerUnavailableError: The server did not answer, or ended the stream.
        """
        name, _, version = model.partition("/")
        outgoing = _Outgoing(sequences)
        requests = encode_lift_stream(
            outgoing, model_name=name, model_version=version, body=body, lag=lag, follow_people=follow_people
        )
        responses = self._stub.LiftStream(requests)
        answered = None
        try:
            for response in responses:
                if answered is None or not response.is_rest:
                    answered = outgoing.under_way.popleft()
                if response.frame:
                    yield decode_lift_stream_response(response, answered)
        except grpc.RpcError as error:
            # gRPC reads sequences in a thread of its own and says no more of what went wrong there than that it did.
            if outgoing.failure is not None:
                raise outgoing.failure from None
            raise from_rpc_error(error, self.target) from error
        finally:
            responses.cancel()

    def check_reprojection(
        self,
        hypotheses: HypothesisSequence,
        *,
        keypoints_px: NDArray[np.floating] | None = None,
        confidence: NDArray[np.floating] | None = None,
        camera: Camera | None = None,
        lifted_with: Camera | None = None,
        settings: CheckSettings | None = None,
    ) -> ReprojectionCheck:
        """Check hypotheses against a picture; arguments and answer as of `pose_mdn.reprojection.check_reprojection`.

        Raises:
            InputError: Arguments do not fit, or the server refused the request; the message names the field.
            ServerUnavailableError: There was no answer.
        """
        settings = settings or CheckSettings()
        points, weight = observations(hypotheses, keypoints_px, confidence)
        require_both_cameras(camera, lifted_with)
        request = encode_check_request(
            hypotheses,
            keypoints_px=points,
            confidence=weight,
            camera=camera,
            lifted_with=lifted_with,
            settings=settings,
        )
        try:
            response = self._checks.CheckReprojection(request, timeout=self._timeout_s)
        except grpc.RpcError as error:
            raise from_rpc_error(error, self.target) from error
        return decode_check_response(
            response,
            settings,
            keypoints_px=points,
            confidence=weight,
            image_size=picture_size(hypotheses, camera),
        )

    def fuse_views(
        self,
        hypotheses: Mapping[str, HypothesisSequence],
        cameras: Mapping[str, Camera],
        *,
        settings: FusionSettings | None = None,
        persons: Sequence[NDArray[np.integer]] | None = None,
        offsets: Mapping[str, int] | None = None,
        match_people: bool = False,
    ) -> FusedPoseSequence:
        """Fuse what calibrated cameras saw; arguments and answer as of `pose_mdn.fusion.fuse_views`.

        With `match_people` the server finds out who is who across views, as `pose_mdn.people.people_of_views` does.

        Raises:
            InputError: Arguments do not fit, or the server refused the request; the message names the field.
            ServerUnavailableError: There was no answer.
        """
        settings = settings or FusionSettings()
        views = pair_views(hypotheses, cameras)
        if not match_people:
            match_rows(views, persons=persons, offsets=offsets)
        request = encode_fusion_request(
            hypotheses, cameras, settings, persons=persons, offsets=offsets or {}, match_people=match_people
        )
        try:
            response = self._fusion.FusePoses(request, timeout=self._timeout_s)
        except grpc.RpcError as error:
            raise from_rpc_error(error, self.target) from error
        fps = next((view.fps for view in hypotheses.values() if view.fps), None)
        return decode_fusion_response(response, method=settings.method, model=views[0].hypotheses.model, fps=fps)

    def close(self) -> None:
        """Close the connection."""
        self._channel.close()

    def __enter__(self) -> "PoseLiftingClient":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Outgoing:
    """Sequences on their way: those without an answer yet, and what the caller's iterable raised."""

    def __init__(self, sequences: Iterable[KeypointSequence]) -> None:
        self._sequences = sequences
        self.under_way: deque[KeypointSequence] = deque()
        self.failure: Exception | None = None

    def __iter__(self) -> Iterator[KeypointSequence]:
        try:
            for sequence in self._sequences:
                refuse_percentages(sequence.confidence)
                self.under_way.append(sequence)
                yield sequence
        except Exception as error:
            self.failure = error
            raise
