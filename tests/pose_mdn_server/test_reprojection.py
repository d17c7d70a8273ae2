from dataclasses import replace

import grpc
import numpy as np
import pytest

from pose_mdn.errors import InputError
from pose_mdn.geometry.camera import Camera
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.poses.keypoints import KeypointSequence
from pose_mdn.reprojection import CheckSettings, Fault, ReprojectionCheck, check_reprojection
from pose_mdn.skeletons import HUMAN36M17
from pose_mdn_server.client import PoseLiftingClient
from pose_mdn_server.codec.reprojection_request import decode_check_request, encode_check_request
from pose_mdn_server.errors import RequestError
from pose_mdn_server.rpc import reprojection_pb2, reprojection_pb2_grpc
from pose_mdn_server.server import PoseServer
from pose_mdn_server.status import field_violations

FLIP = list(HUMAN36M17.flip_indices)
PINHOLE = [1000.0, 0.0, 500.0, 0.0, 1000.0, 500.0, 0.0, 0.0, 1.0]


@pytest.fixture(scope="module")
def lifted(server: PoseServer, clip: KeypointSequence) -> HypothesisSequence:
    everything = server.models.get().lifter.lift(clip)
    return everything.take(np.flatnonzero(everything.lifted)[:40])


def moved(hypotheses: HypothesisSequence) -> Camera:
    """A camera half a metre beside the one that was lifted with, with a lens."""
    return Camera(
        intrinsics=hypotheses.intrinsics[0],
        distortion=[-0.1, 0.02, 0.001, -0.001, 0.0],
        translation=[0.5, 0.0, 0.1],
        image_size=hypotheses.image_size,
    )


def assert_same(got: ReprojectionCheck, expected: ReprojectionCheck) -> None:
    for part in ("projection", "agreement", "diagnosis"):
        for name, value in vars(getattr(expected, part)).items():
            answer = getattr(getattr(got, part), name)
            if name == "distance":  # pixels over standard deviations: single precision of the pixels shows most here
                np.testing.assert_allclose(answer, value, rtol=1e-3, atol=1e-3)
            elif isinstance(value, np.ndarray) and value.dtype.kind == "f":
                np.testing.assert_allclose(answer, value, rtol=1e-5, atol=1e-3, err_msg=name)
            elif isinstance(value, dict):
                for fault, left in value.items():
                    np.testing.assert_allclose(answer[fault], left, rtol=1e-4, atol=1e-6, err_msg=fault)
            else:
                np.testing.assert_array_equal(answer, value, err_msg=name)
    for name in ("in_front", "human_bones", "human_joints", "passes"):
        np.testing.assert_array_equal(getattr(got, name), getattr(expected, name), err_msg=name)
    np.testing.assert_allclose(got.root_m, expected.root_m, rtol=1e-6)
    assert got.settings == expected.settings


@pytest.mark.parametrize("estimate_root", [False, True])
def test_the_server_finds_what_the_library_finds(
    client: PoseLiftingClient, lifted: HypothesisSequence, estimate_root: bool
) -> None:
    settings = CheckSettings(level=0.9, noise=0.02, tolerance=0.03, estimate_root=estimate_root)
    assert_same(
        client.check_reprojection(lifted, settings=settings),
        check_reprojection(lifted, settings=settings),
    )


def test_a_fisheye_stays_one(client: PoseLiftingClient, lifted: HypothesisSequence) -> None:
    bent = replace(lifted, distortion=np.array([-0.05, 0.02, 0.0, 0.0]), lens_model="fisheye")
    found = check_reprojection(bent)
    assert_same(client.check_reprojection(bent), found)
    assert np.nanmax(np.abs(found.projection.points_px - check_reprojection(lifted).projection.points_px)) > 1.0


def test_another_camera_and_other_keypoints_travel_too(client: PoseLiftingClient, lifted: HypothesisSequence) -> None:
    here = Camera(intrinsics=lifted.intrinsics[0], rotation=[[0, 0, 1], [0, 1, 0], [-1, 0, 0]], translation=[1, 2, 3])
    there = Camera(
        **{
            **_fields(moved(lifted)),
            "rotation": here.rotation,
            "translation": here.translation + moved(lifted).translation,
        }
    )
    arguments = {
        "keypoints_px": lifted.keypoints_px + 3.0,
        "confidence": 0.5 * lifted.confidence,
        "camera": there,
        "lifted_with": here,
    }
    assert_same(client.check_reprojection(lifted, **arguments), check_reprojection(lifted, **arguments))


def _fields(camera: Camera) -> dict[str, object]:
    return {
        name: getattr(camera, name) for name in ("intrinsics", "distortion", "rotation", "translation", "image_size")
    }


def test_faults_and_reasons_are_named(
    server: PoseServer, client: PoseLiftingClient, lifted: HypothesisSequence
) -> None:
    exchanged = lifted.keypoints_px[:, FLIP], lifted.confidence[:, FLIP]
    assert client.check_reprojection(lifted, keypoints_px=exchanged[0]).diagnosis.overall == Fault.SIDES
    request = encode_check_request(
        lifted,
        keypoints_px=exchanged[0],
        confidence=exchanged[1],
        camera=None,
        lifted_with=None,
        settings=CheckSettings(),
    )
    with grpc.insecure_channel(server.address) as channel:
        answer = reprojection_pb2_grpc.ReprojectionServiceStub(channel).CheckReprojection(request)
    assert answer.verdict == reprojection_pb2.REPROJECTION_FAULT_SIDES
    assert answer.verdict_text == "left and right are exchanged between the hypotheses and these keypoints"
    expected = check_reprojection(lifted, keypoints_px=exchanged[0], confidence=exchanged[1])
    m = lifted.num_hypotheses
    for row, hypothesis in ((0, 0), (7, 1), (39, m - 1)):
        assert answer.reasons[row * m + hypothesis] == "; ".join(expected.reasons(row, hypothesis))
    assert any("% of the person's size" in text for text in answer.reasons)


def test_rows_that_were_not_lifted_keep_their_place(client: PoseLiftingClient, lifted: HypothesisSequence) -> None:
    means, root, status = lifted.means_m.copy(), lifted.root_translation_m.copy(), lifted.status.astype("<U32")
    means[3], root[3], status[3] = np.nan, np.nan, "no_person"
    broken = replace(lifted, means_m=means, root_translation_m=root, status=status)
    found = client.check_reprojection(broken)
    assert found.diagnosis.fault[3] == ""
    assert np.isnan(found.agreement.rms_px[3]).all()
    assert found.reasons(3, 0) == ()
    assert_same(found, check_reprojection(broken))


def _request(lifted: HypothesisSequence) -> reprojection_pb2.CheckReprojectionRequest:
    return encode_check_request(
        lifted.take(slice(0, 2)),
        keypoints_px=lifted.keypoints_px[:2],
        confidence=lifted.confidence[:2],
        camera=moved(lifted),
        lifted_with=Camera(intrinsics=lifted.intrinsics[0]),
        settings=CheckSettings(),
    )


def _refused(request: reprojection_pb2.CheckReprojectionRequest, max_poses: int = 8) -> dict[str, str]:
    with pytest.raises(RequestError) as refused:
        decode_check_request(request, max_poses=max_poses)
    return {violation.field: violation.description for violation in refused.value.violations}


@pytest.mark.parametrize("name", ["means_m", "std_m", "view_rotation", "mixing_coefficients", "root_translation_m"])
def test_columns_of_wrong_lengths_are_named(lifted: HypothesisSequence, name: str) -> None:
    request = _request(lifted)
    getattr(request.hypotheses, name).append(1.0)
    ((field, text),) = _refused(request).items()
    assert field == f"hypotheses.{name}"
    assert text.startswith("expected 2 * ")


def test_impossible_numbers_are_named_with_their_pose(lifted: HypothesisSequence) -> None:
    request = _request(lifted)
    request.settings.estimate_root = False
    request.hypotheses.std_m[-1] = -1.0
    request.hypotheses.view_rotation[9] = 7.0
    request.hypotheses.root_translation_m[0] = float("nan")
    refused = _refused(request)
    assert set(refused) == {f"hypotheses.{name}" for name in ("std_m", "view_rotation", "root_translation_m")}
    assert refused["hypotheses.std_m"] == "expected finite numbers of at least 0, got others for pose 1"
    request = _request(lifted)
    request.hypotheses.means_m[4] = float("inf")
    assert _refused(request) == {
        "hypotheses.means_m": "expected finite numbers, or NaN throughout a pose, got some of pose 0"
    }


def test_everything_else_that_is_wrong_is_named_at_once(lifted: HypothesisSequence) -> None:
    request = _request(lifted)
    request.confidence[0] = 70.0
    del request.camera.intrinsics[:]
    request.camera.ClearField("distortion")
    request.settings.level = 95.0
    request.settings.noise_of_size = float("nan")
    assert set(_refused(request)) == {
        "confidence", "camera.intrinsics", "settings.level", "settings.noise_of_size"
    }  # fmt: skip
    request = _request(lifted)
    request.extrinsics.rotation[0] = 3.0
    del request.extrinsics.translation_m[2:]
    assert _refused(request) == {"extrinsics.translation_m": "expected 3 values, got 2"}
    request.extrinsics.translation_m.append(float("inf"))
    assert set(_refused(request)) == {"extrinsics.rotation", "extrinsics.translation_m"}


def test_numbers_of_poses_and_hypotheses_are_bounded(lifted: HypothesisSequence) -> None:
    assert set(_refused(_request(lifted), max_poses=1)) == {"keypoints_px"}
    request = _request(lifted)
    request.hypotheses.num_hypotheses = 0
    assert set(_refused(request)) == {"hypotheses.num_hypotheses"}


def test_positions_and_a_camera_are_enough(server: PoseServer) -> None:
    request = reprojection_pb2.CheckReprojectionRequest(
        hypotheses=reprojection_pb2.Hypotheses(num_hypotheses=1, means_m=np.zeros(51)),
        keypoints_px=np.full(34, 500.0),
        camera={"intrinsics": PINHOLE},
        settings={"estimate_root": True},
    )
    with grpc.insecure_channel(server.address) as channel:
        stub = reprojection_pb2_grpc.ReprojectionServiceStub(channel)
        assert list(stub.CheckReprojection(request).in_front) == [True]
        del request.keypoints_px[1:]
        with pytest.raises(grpc.RpcError) as refused:
            stub.CheckReprojection(request)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert [violation.field for violation in field_violations(refused.value)] == ["keypoints_px"]


def test_the_client_refuses_what_the_library_refuses(client: PoseLiftingClient, lifted: HypothesisSequence) -> None:
    with pytest.raises(InputError, match="keypoints: expected shape"):
        client.check_reprojection(lifted, keypoints_px=lifted.keypoints_px[1:])
    with pytest.raises(InputError, match="camera: expected the camera to look through"):
        client.check_reprojection(lifted, lifted_with=moved(lifted))
