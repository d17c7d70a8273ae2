import threading
from concurrent.futures import ThreadPoolExecutor

import grpc
import numpy as np
import pytest

from pose_mdn.errors import InputError, ModelNotFoundError
from pose_mdn.geometry.body import KnownBody
from pose_mdn.geometry.known_distance import KnownDistance
from pose_mdn.inference import Lifter
from pose_mdn.inference.arrays import sequence_from_arrays
from pose_mdn.inference.focal_length import lift_with_unknown_focal_length
from pose_mdn.inference.known_scale import KnownScale, with_known_scale
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.poses.keypoints import FloatArray, KeypointSequence
from pose_mdn.poses.status import Status
from pose_mdn_server.client import PoseLiftingClient
from pose_mdn_server.errors import RequestError, ServerUnavailableError
from pose_mdn_server.rpc import pose_lifting_pb2, pose_lifting_pb2_grpc
from pose_mdn_server.server import PoseServer
from pose_mdn_server.status import REQUEST_ID_KEY, field_violations


def assert_equal(got: HypothesisSequence, expected: HypothesisSequence) -> None:
    for name, value in vars(expected).items():
        if isinstance(value, np.ndarray):
            np.testing.assert_array_equal(getattr(got, name), value, err_msg=name)
        else:
            assert getattr(got, name) == value, name


def assert_close(got: HypothesisSequence, expected: HypothesisSequence) -> None:
    """Equal, but for the rounding that depends on how many rows go through the network together."""
    for name, value in vars(expected).items():
        if isinstance(value, np.ndarray) and value.dtype.kind == "f":
            np.testing.assert_allclose(getattr(got, name), value, rtol=1e-4, atol=1e-5, err_msg=name)
        else:
            assert np.array_equal(getattr(got, name), value), name


def test_the_server_answers_what_the_library_answers(
    server: PoseServer, client: PoseLiftingClient, clip: KeypointSequence
) -> None:
    answer = client.lift_sequence(clip)
    assert_equal(answer, server.models.get().lifter.lift(clip))
    assert answer.lifted.mean() > 0.9
    np.testing.assert_allclose(answer.mixing_coefficients[answer.lifted].sum(axis=1), 1.0, atol=1e-5)


def test_arrays_with_a_calibrated_lens_answer_what_the_library_answers(
    server: PoseServer, client: PoseLiftingClient, people: FloatArray
) -> None:
    camera = {
        "intrinsics": [[900.0, 0, 500], [0, 910, 490], [0, 0, 1]],
        "distortion": [-0.1, 0.02, 0.001, -0.001, 0.0],
        "image_size": (1000, 1000),
    }
    confidence = np.full((6, 17), 0.8)
    answer = client.lift(people, confidence, **camera)
    assert answer.intrinsics_source == "given"
    assert_equal(answer, server.models.get().lifter.lift_arrays(people, confidence, **camera))


def test_every_caller_gets_its_own_answer(server: PoseServer, client: PoseLiftingClient, people: FloatArray) -> None:
    size = (1000, 1000)
    expected = [server.models.get().lifter.lift_arrays(person, image_size=size) for person in people]
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda i: client.lift(people[i % 6], image_size=size), range(120)))
    for i, answer in enumerate(answers):
        assert_close(answer, expected[i % 6])


def test_a_bad_pose_does_not_spoil_its_neighbours(client: PoseLiftingClient, people: FloatArray) -> None:
    spoilt = people.copy()
    spoilt[1] = np.nan
    spoilt[2, 5:] = np.inf
    spoilt[3] = 444.0
    spoilt[4, 9] = np.nan
    answer = client.lift(spoilt, image_size=(1000, 1000))
    clean = client.lift(people, image_size=(1000, 1000))
    assert answer.status.tolist() == [
        Status.LIFTED,
        Status.NO_PERSON,
        Status.TOO_FEW_JOINTS,
        Status.DEGENERATE,
        Status.LIFTED_JOINTS_MISSING,
        Status.LIFTED,
    ]
    np.testing.assert_allclose(answer.means_m[[0, 5]], clean.means_m[[0, 5]], atol=1e-5)
    assert np.isnan(answer.means_m[1:4]).all()
    assert np.isfinite(answer.means_m[[0, 4, 5]]).all()


def test_a_refusal_names_the_fields(client: PoseLiftingClient, people: FloatArray) -> None:
    with pytest.raises(RequestError, match="positive focal lengths") as refused:
        client.lift(people, intrinsics=np.zeros((3, 3)), distortion=[0.1])
    assert [violation.field for violation in refused.value.violations] == ["camera.intrinsics", "camera.distortion"]


def test_what_the_library_refuses_is_the_callers_mistake_too(client: PoseLiftingClient, people: FloatArray) -> None:
    with pytest.raises(InputError, match="expected pixels") as refused:
        client.lift(people / 1000)
    assert refused.value.field == "keypoints_px"


@pytest.mark.parametrize("model", ["lifter", "mdn_lifter/99"])
def test_an_unknown_model_is_not_found(client: PoseLiftingClient, people: FloatArray, model: str) -> None:
    with pytest.raises(ModelNotFoundError, match="mdn_lifter"):
        client.lift(people, model=model)


def test_nobody_there_is_said_in_one_line(people: FloatArray) -> None:
    with (
        PoseLiftingClient("127.0.0.1:1", timeout_s=5) as nobody,
        pytest.raises(ServerUnavailableError, match="pose-mdn serve") as unreachable,
    ):
        nobody.lift(people)
    assert "\n" not in str(unreachable.value)


def test_a_deadline_that_passes_is_said(
    server: PoseServer, people: FloatArray, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_finish, lift = threading.Event(), Lifter.lift

    def lift_late(lifter: Lifter, sequence: KeypointSequence, body: KnownBody | None) -> HypothesisSequence:
        assert may_finish.wait(20)
        return lift(lifter, sequence, body=body)

    monkeypatch.setattr(Lifter, "lift", lift_late)
    with PoseLiftingClient(server.address, timeout_s=0.3) as hasty:
        with pytest.raises(ServerUnavailableError, match="in time"):
            hasty.lift(people)
        may_finish.set()


def test_a_foreign_client_sees_code_field_and_request_id(server: PoseServer) -> None:
    with grpc.insecure_channel(server.address) as channel:
        stub = pose_lifting_pb2_grpc.PoseLiftingServiceStub(channel)
        with pytest.raises(grpc.RpcError) as refused:
            stub.Lift(pose_lifting_pb2.LiftRequest(), metadata=((REQUEST_ID_KEY, "abc-1"),))
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert [violation.field for violation in field_violations(refused.value)] == ["keypoints_px"]
    assert (REQUEST_ID_KEY, "abc-1") in [(item.key, item.value) for item in refused.value.trailing_metadata()]


def test_a_known_size_travels_with_the_call(server: PoseServer, client: PoseLiftingClient, people: FloatArray) -> None:
    body = KnownBody(stature_m=1.1, bone_lengths_m={"knee": 0.25})
    served = client.lift(people, image_size=(1000, 1000), body=body)
    assert_equal(served, server.models.get().lifter.lift_arrays(people, image_size=(1000, 1000), body=body))
    assert served.size_source == "given: stature 1.1 m, knee 0.25 m"


def test_what_is_estimated_and_measured_is_what_the_library_finds(
    server: PoseServer, client: PoseLiftingClient, people: FloatArray
) -> None:
    lifter = server.models.get().lifter
    known = KnownDistance(joints=("l_hip", "l_knee"), distance_m=0.4)
    sequence = sequence_from_arrays(people, skeleton="human36m17", image_size=(1000, 1000))
    found, _ = lift_with_unknown_focal_length(lifter, sequence)
    assert_equal(client.lift(people, image_size=(1000, 1000), estimate_focal=True), found)
    sized = with_known_scale(found, KnownScale(distances=[known]))
    assert_equal(client.lift(people, image_size=(1000, 1000), estimate_focal=True, distances=[known]), sized)
    with pytest.raises(InputError, match="known distance"):
        client.lift(people, distances=[KnownDistance(joints=("l_hip", "r_wrist"), distance_m=0.4, frame=99)])
