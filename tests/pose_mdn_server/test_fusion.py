from collections.abc import Callable
from dataclasses import fields, replace

import grpc
import numpy as np
import pytest

from pose_mdn.errors import InputError
from pose_mdn.fusion import FusionSettings, fuse_views
from pose_mdn.geometry.camera import Camera
from pose_mdn.people import people_of_views
from pose_mdn.poses.fused import FusedPoseSequence
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.poses.keypoints import KeypointSequence
from pose_mdn.skeletons import HUMAN36M17
from pose_mdn_server.client import PoseLiftingClient
from pose_mdn_server.codec.fusion_request import decode_fusion_request, encode_fusion_request
from pose_mdn_server.errors import RequestError
from pose_mdn_server.rpc import pose_fusion_pb2, pose_fusion_pb2_grpc
from pose_mdn_server.server import PoseServer

FLIP = list(HUMAN36M17.flip_indices)
Rig = tuple[dict[str, HypothesisSequence], dict[str, Camera]]


@pytest.fixture(scope="module")
def rig(server: PoseServer, clip: KeypointSequence) -> Rig:
    """The bundled clip's person as her first hypothesis has her, seen and lifted by two cameras."""
    lifter = server.models.get().lifter
    first = lifter.lift(clip)
    first = first.take(np.flatnonzero(first.lifted)[:12])
    joints = (first.means_m[:, 0] + first.root_translation_m[:, :1]).astype(np.float64)
    here = Camera(intrinsics=first.intrinsics[0], image_size=first.image_size, name="here")
    middle = joints.mean(axis=(0, 1))
    turn = np.array([[0.0, 0, -1], [0, 1, 0], [1, 0, 0]])
    there = replace(here, rotation=turn, translation=[0, 0, middle[2]] - turn @ middle, name="there")
    views = {}
    for camera in (here, there):
        seen = KeypointSequence(
            keypoints_px=camera.project(joints).astype(np.float32),
            confidence=np.ones((12, 17), np.float32),
            skeleton=HUMAN36M17,
            frame=first.frame,
            person=first.person,
            intrinsics=camera.intrinsics,
            fps=25.0,
        )
        views[camera.name] = lifter.lift(seen)
    return views, {"here": here, "there": there}


def assert_same(got: FusedPoseSequence, expected: FusedPoseSequence) -> None:
    for field in fields(expected):
        value, answer = getattr(expected, field.name), getattr(got, field.name)
        if isinstance(value, np.ndarray) and value.dtype.kind == "f":
            np.testing.assert_allclose(answer, value, rtol=1e-4, atol=1e-5, err_msg=field.name)
        else:
            np.testing.assert_array_equal(answer, value, err_msg=field.name)


@pytest.mark.parametrize("method", ["posterior", "consistency", "triangulation"])
def test_the_server_fuses_as_the_library_does(client: PoseLiftingClient, rig: Rig, method: str) -> None:
    settings = FusionSettings(method=method, noise=0.02, num_hypotheses=3)
    expected = fuse_views(*rig, settings=settings)
    assert (expected.status == "fused").all()
    assert_same(client.fuse_views(*rig, settings=settings), expected)


def test_persons_offsets_and_missing_rows_travel_too(client: PoseLiftingClient, rig: Rig) -> None:
    views, cameras = rig
    status = views["here"].status.astype("<U32")
    status[3] = "no_person"
    views = {
        "here": replace(views["here"], status=status),
        "there": replace(views["there"], frame=views["there"].frame + 9).take(slice(2, 12)),
    }
    arguments = {"persons": [np.full(12, 5), np.array([5] * 9 + [-1])], "offsets": {"there": -9}}
    expected = fuse_views(views, cameras, **arguments)
    got = client.fuse_views(views, cameras, **arguments)
    assert_same(got, expected)
    assert got.view_status[3].tolist() == ["not_lifted", "used"]
    assert got.view_status[11].tolist() == ["used", "absent"]


def test_the_server_matches_people_if_asked(client: PoseLiftingClient, rig: Rig) -> None:
    views, cameras = rig
    beside = {name: _moved(view, cameras[name], np.array([1.5, 0.0, 0.5])) for name, view in views.items()}
    crowd = {
        "here": HypothesisSequence.concatenate([views["here"], replace(beside["here"], person=np.ones(12, int))]),
        "there": HypothesisSequence.concatenate([replace(beside["there"], person=np.full(12, 4)), views["there"]]),
    }
    crowd["there"] = replace(crowd["there"], person=crowd["there"].person + 3)
    expected = fuse_views(crowd, cameras, persons=people_of_views(list(crowd.values()), list(cameras.values())))
    assert (expected.status == "fused").all()
    assert len(expected) == 24
    assert_same(client.fuse_views(crowd, cameras, match_people=True), expected)
    assert (client.fuse_views(crowd, cameras).status != "fused").all()


def _moved(view: HypothesisSequence, camera: Camera, shift_m: np.ndarray) -> HypothesisSequence:
    """The same person elsewhere in the world, seen exactly as the first hypothesis says."""
    root = view.root_translation_m + (camera.rotation @ shift_m).astype(np.float32)
    joints = camera.camera_to_world((view.means_m[:, 0] + root[:, :1]).astype(np.float64))
    return replace(view, root_translation_m=root, keypoints_px=camera.project(joints).astype(np.float32))


def test_faults_are_named(server: PoseServer, rig: Rig) -> None:
    views, cameras = rig
    exchanged = replace(views["there"], keypoints_px=views["there"].keypoints_px[:, FLIP])
    request = encode_fusion_request(
        {**views, "there": exchanged}, cameras, FusionSettings(), persons=None, offsets={}, match_people=False
    )
    with grpc.insecure_channel(server.address) as channel:
        answer = pose_fusion_pb2_grpc.PoseFusionServiceStub(channel).FusePoses(request)
    told = [set(text.split("; ")) for text in answer.reasons]
    assert sum(any("left and right are exchanged" in text for text in texts) for texts in told) > 6
    assert pose_fusion_pb2.VIEW_STATUS_SIDES_EXCHANGED in answer.view_status


def _refused(request: pose_fusion_pb2.FusePosesRequest, max_poses: int = 100) -> dict[str, str]:
    with pytest.raises(RequestError) as refused:
        decode_fusion_request(request, max_poses=max_poses)
    return {violation.field: violation.description for violation in refused.value.violations}


@pytest.fixture
def request_of(rig: Rig) -> Callable[[], pose_fusion_pb2.FusePosesRequest]:
    return lambda: encode_fusion_request(*rig, FusionSettings(), persons=None, offsets={}, match_people=False)


def test_everything_that_is_wrong_is_named_at_once(request_of) -> None:
    request = request_of()
    first, second = request.views
    second.name = first.name
    del first.camera.intrinsics[:]
    second.extrinsics.rotation[0] = 4.0
    request.settings.noise_of_size = -1.0
    request.settings.num_hypotheses = 1000
    request.settings.method = 17
    assert set(_refused(request)) == {
        "views[1].name",
        "settings.method",
        "settings.noise_of_size",
        "settings.num_hypotheses",
        "views[0].camera.intrinsics",
        "views[1].extrinsics.rotation",
    }


def test_columns_that_do_not_fit_are_named(request_of) -> None:
    request = request_of()
    request.views[0].frame.append(3)
    request.views[0].ood_score.append(0.0)
    request.views[1].hypotheses.means_m.append(0.0)
    del request.views[1].extrinsics.translation_m[:]
    refused = _refused(request)
    assert set(refused) == {
        "views[0].frame", "views[0].ood_score", "views[1].extrinsics.translation_m"
    }  # fmt: skip
    assert refused["views[0].frame"] == "expected 0 or 12 values, got 13"


def test_numbers_of_views_and_poses_are_bounded(request_of) -> None:
    assert _refused(pose_fusion_pb2.FusePosesRequest()) == {"views": "expected 1 to 64 views, got 0"}
    refused = _refused(request_of(), max_poses=20)
    assert refused == {"views": "expected at most 20 poses in all views together, got 24; send fewer"}


def test_the_client_refuses_what_the_library_refuses(client: PoseLiftingClient, rig: Rig) -> None:
    with pytest.raises(InputError, match="expected names of cameras"):
        client.fuse_views({"left": rig[0]["here"]}, rig[1])
