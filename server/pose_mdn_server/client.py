"""A client with numpy arrays in and out."""

from collections import deque
from collections.abc import Iterable, Iterator
from types import TracebackType

import grpc
import numpy as np
from numpy.typing import ArrayLike, NDArray

from pose_mdn.geometry.body import KnownBody
from pose_mdn.geometry.camera import Camera
from pose_mdn.inference.arrays import sequence_from_arrays
from pose_mdn.poses.confidences import refuse_percentages
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.poses.keypoints import KeypointSequence
from pose_mdn.poses.lens_model import BROWN, LensModel
from pose_mdn.reprojection import CheckSettings, ReprojectionCheck
from pose_mdn.reprojection.check import observations, picture_size, require_both_cameras
from pose_mdn_server.codec.lift_stream import decode_lift_stream_response, encode_lift_stream
from pose_mdn_server.codec.lifting import decode_lift_response, encode_lift_request
from pose_mdn_server.codec.reprojection_request import encode_check_request
from pose_mdn_server.codec.reprojection_response import decode_check_response
from pose_mdn_server.rpc import pose_lifting_pb2_grpc, reprojection_pb2_grpc
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
        return self.lift_sequence(sequence, model=model, body=body, num_hypotheses=num_hypotheses, seed=seed)

    def lift_sequence(
        self,
        sequence: KeypointSequence,
        *,
        model: str = "mdn_lifter",
        body: KnownBody | None = None,
        num_hypotheses: int | None = None,
        seed: int = 0,
    ) -> HypothesisSequence:
        """Lift a sequence in one call; see `lift`."""
        refuse_percentages(sequence.confidence)
        name, _, version = model.partition("/")
        request = encode_lift_request(
            sequence, model_name=name, model_version=version, body=body, num_hypotheses=num_hypotheses, seed=seed
        )
        try:
            response = self._stub.Lift(request, timeout=self._timeout_s)
        except grpc.RpcError as error:
            raise from_rpc_error(error, self.target) from error
        return decode_lift_response(response, sequence)

    def lift_stream(
        self, sequences: Iterable[KeypointSequence], *, model: str = "mdn_lifter", body: KnownBody | None = None
    ) -> Iterator[HypothesisSequence]:
        """Lift frames as they are seen, over one call: an answer for each sequence, in order.

        The next sequence is taken from the iterable while answers are under way, so it may wait for a camera. Frame
        numbers must never fall, and a camera must be the same for all rows of a sequence.

        Raises:
            InputError: The server refused a sequence; the message names the field.
            ModelNotFoundError: The server has no such model.
            ServerUnavailableError: The server did not answer, or ended the stream.
        """
        name, _, version = model.partition("/")
        outgoing = _Outgoing(sequences)
        responses = self._stub.LiftStream(
            encode_lift_stream(outgoing, model_name=name, model_version=version, body=body)
        )
        try:
            for response in responses:
                yield decode_lift_stream_response(response, outgoing.under_way.popleft())
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
