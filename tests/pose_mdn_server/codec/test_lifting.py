import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pose_mdn.geometry.body import BONE_CLASSES, KnownBody
from pose_mdn.geometry.ground_plane import GroundPlane
from pose_mdn.geometry.known_distance import KnownDistance
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.poses.keypoints import KeypointSequence
from pose_mdn.poses.status import Status
from pose_mdn.skeletons import SKELETONS, to_human36m17
from pose_mdn_server.codec.lifting import (
    decode_lift_request,
    decode_lift_response,
    encode_lift_request,
    encode_lift_response,
)
from pose_mdn_server.errors import RequestError
from pose_mdn_server.rpc.body_pb2 import GroundPlane as Ground
from pose_mdn_server.rpc.body_pb2 import KnownBody as Body
from pose_mdn_server.rpc.body_pb2 import KnownDistance as Distance
from pose_mdn_server.rpc.camera_pb2 import Camera
from pose_mdn_server.rpc.pose_lifting_pb2 import LiftRequest

PINHOLE = [1000.0, 0.0, 500.0, 0.0, 1000.0, 500.0, 0.0, 0.0, 1.0]


@st.composite
def sequences(draw: st.DrawFn) -> KeypointSequence:
    skeleton = draw(st.sampled_from(sorted(SKELETONS.values(), key=lambda skeleton: skeleton.name)))
    n, joints = draw(st.integers(1, 4)), skeleton.num_joints
    any_float = st.floats(width=32, allow_nan=True, allow_infinity=True)
    fisheye = draw(st.booleans())
    lens = 4 if fisheye else draw(st.sampled_from([None, 4, 5, 8, 12, 14]))
    per_pose = draw(st.booleans())
    intrinsics = np.array(PINHOLE).reshape(3, 3)
    return KeypointSequence(
        keypoints_px=draw(hnp.arrays(np.float32, (n, joints, 2), elements=any_float)),
        confidence=draw(hnp.arrays(np.float32, (n, joints), elements=st.floats(0, 1, width=32))),
        skeleton=skeleton,
        frame=np.arange(n),
        person=np.zeros(n, dtype=np.int64),
        image_size=draw(st.none() | st.tuples(st.integers(1, 10_000), st.integers(1, 10_000))),
        intrinsics=np.tile(intrinsics, (n, 1, 1)) if per_pose and n > 1 else intrinsics,
        distortion=None if lens is None else np.linspace(0.01, 0.1, lens),
        lens_model="fisheye" if fisheye else "brown",
    )


BODIES = st.one_of(
    st.none(),
    st.builds(
        KnownBody,
        stature_m=st.floats(0.4, 2.6),
        bone_lengths_m=st.none() | st.dictionaries(st.sampled_from(BONE_CLASSES), st.floats(0.01, 1.0), min_size=1),
    ),
    st.builds(KnownBody, bone_lengths_m=st.just({"knee": 0.43})),
)


@given(sequences(), BODIES)
def test_a_request_says_what_the_sequence_says(sequence: KeypointSequence, body: KnownBody | None) -> None:
    request = encode_lift_request(sequence, model_name="mdn_lifter", model_version="1", body=body)
    job = decode_lift_request(LiftRequest.FromString(request.SerializeToString()), max_poses=4)
    assert (job.model_name, job.model_version) == ("mdn_lifter", "1")
    assert job.body == body
    for name in ("skeleton", "image_size", "lens_model"):
        assert getattr(job.keypoints, name) == getattr(sequence, name)
    for name in ("keypoints_px", "confidence", "intrinsics", "distortion"):
        np.testing.assert_array_equal(getattr(job.keypoints, name), getattr(sequence, name), err_msg=name)


def test_a_request_without_confidence_means_that_every_joint_was_seen() -> None:
    request = LiftRequest(keypoints_px=[1.0] * 34)
    job = decode_lift_request(request, max_poses=1)
    assert job.keypoints.skeleton.name == "human36m17"
    assert (job.keypoints.confidence == 1).all()
    assert job.keypoints.intrinsics is None


def test_confidences_that_the_library_takes_are_sent_as_it_understands_them() -> None:
    confidence = np.array([[np.nan, 1.5, -0.2] + [0.5] * 14], dtype=np.float32)
    sequence = KeypointSequence(
        keypoints_px=np.ones((1, 17, 2), np.float32),
        confidence=confidence,
        skeleton=SKELETONS["human36m17"],
        frame=np.arange(1),
        person=np.zeros(1, np.int64),
    )
    job = decode_lift_request(encode_lift_request(sequence), max_poses=1)
    np.testing.assert_array_equal(job.keypoints.confidence[0, :4], [0.0, 1.0, 0.0, 0.5])


def lift_request(**fields: object) -> LiftRequest:
    return LiftRequest(**{"keypoints_px": [1.0] * 34 * 2, **fields})  # type: ignore[arg-type]


def camera_request(**fields: object) -> LiftRequest:
    return lift_request(camera=Camera(**{"intrinsics": PINHOLE, **fields}))  # type: ignore[arg-type]


def test_known_distances_and_a_ground_travel_with_a_request() -> None:
    sequence = KeypointSequence(
        keypoints_px=np.ones((2, 17, 2), np.float32),
        confidence=np.ones((2, 17), np.float32),
        skeleton=SKELETONS["human36m17"],
        frame=np.arange(2),
        person=np.zeros(2, np.int64),
    )
    distances = (
        KnownDistance(joints=("l_hip", "l_knee"), distance_m=0.43),
        KnownDistance(joints=("l_wrist", "r_wrist"), distance_m=1.1, frame=0),
    )
    ground = GroundPlane.of_height_and_tilt(1.5, 0.2)
    request = encode_lift_request(sequence, distances=distances, ground=ground, estimate_focal=True)
    job = decode_lift_request(request, max_poses=2)
    assert (job.distances, job.estimate_focal) == (distances, True)
    assert job.scale is not None
    assert job.scale.ground is not None
    np.testing.assert_allclose(job.scale.ground.up, ground.up)
    assert job.scale.ground.camera_height_m == pytest.approx(1.5)
    assert decode_lift_request(encode_lift_request(sequence), max_poses=2).scale is None


@pytest.mark.parametrize(
    ("request_message", "fields"),
    [
        pytest.param(LiftRequest(), ["keypoints_px"], id="no pose"),
        pytest.param(lift_request(keypoints_px=[1.0] * 33), ["keypoints_px"], id="half a joint"),
        pytest.param(lift_request(skeleton="coco17", keypoints_px=[1.0] * 50), ["keypoints_px"], id="25 points as 17"),
        pytest.param(lift_request(keypoints_px=[1.0] * 34 * 4), ["keypoints_px"], id="too many poses"),
        pytest.param(lift_request(skeleton="h36m"), ["skeleton"], id="unknown skeleton"),
        pytest.param(lift_request(confidence=[1.0] * 17), ["confidence"], id="confidence of one pose of two"),
        pytest.param(lift_request(confidence=[1.0] * 33 + [1.01]), ["confidence"], id="confidence above 1"),
        pytest.param(lift_request(confidence=[-0.01] + [1.0] * 33), ["confidence"], id="confidence below 0"),
        pytest.param(lift_request(confidence=[np.nan] + [1.0] * 33), ["confidence"], id="confidence NaN"),
        pytest.param(lift_request(confidence=[np.inf] + [1.0] * 33), ["confidence"], id="confidence infinite"),
        pytest.param(camera_request(intrinsics=PINHOLE * 3), ["camera.intrinsics"], id="3 cameras for 2 poses"),
        pytest.param(camera_request(intrinsics=[1.0] * 8), ["camera.intrinsics"], id="8 values"),
        pytest.param(camera_request(intrinsics=[np.nan, *PINHOLE[1:]]), ["camera.intrinsics"], id="focal length NaN"),
        pytest.param(camera_request(intrinsics=[0.0, *PINHOLE[1:]]), ["camera.intrinsics"], id="focal length 0"),
        pytest.param(camera_request(intrinsics=[0.0] * 9), ["camera.intrinsics"], id="not invertible"),
        pytest.param(
            camera_request(intrinsics=np.reshape(PINHOLE, (3, 3)).T.ravel()), ["camera.intrinsics"], id="column-major"
        ),
        pytest.param(camera_request(distortion=[0.1] * 3), ["camera.distortion"], id="3 coefficients"),
        pytest.param(camera_request(lens_model=2), ["camera.distortion"], id="fisheye without coefficients"),
        pytest.param(camera_request(distortion=[0.1] * 5, lens_model=2), ["camera.distortion"], id="5 of a fisheye"),
        pytest.param(camera_request(distortion=[0.1] * 4, lens_model=7), ["camera.lens_model"], id="unknown lens"),
        pytest.param(camera_request(distortion=[np.inf] * 5), ["camera.distortion"], id="infinite coefficients"),
        pytest.param(
            camera_request(intrinsics=[], distortion=[0.1] * 5), ["camera.intrinsics"], id="lens without a matrix"
        ),
        pytest.param(camera_request(image_width_px=640), ["camera.image_height_px"], id="width without height"),
        pytest.param(
            camera_request(image_width_px=2**32 - 1, image_height_px=480), ["camera.image_width_px"], id="absurd width"
        ),
        pytest.param(lift_request(body=Body(stature_m=182)), ["body.stature_m"], id="stature in centimetres"),
        pytest.param(lift_request(body=Body(stature_m=np.nan)), ["body.stature_m"], id="stature NaN"),
        pytest.param(
            lift_request(
                known_distances=[
                    Distance(joint="l_hip", other_joint="l_knee", distance_m=0.4),
                    Distance(joint="l_wrist", other_joint="r_wrist", distance_m=0.4),
                ]
            ),
            ["known_distances[1]"],
            id="joints that move, without a pose",
        ),
        pytest.param(lift_request(ground=Ground(normal=[0, 1], offset_m=1)), ["ground"], id="a normal of two numbers"),
        pytest.param(lift_request(ground=Ground(normal=[0, 1, 0])), ["ground"], id="a camera on the ground"),
        pytest.param(
            lift_request(body=Body(stature_m=-1, bone_lengths_m={"l_knee": 0.4})),
            ["body.stature_m", "body.bone_lengths_m"],
            id="a bone with a side",
        ),
        pytest.param(
            lift_request(confidence=[2.0], camera=Camera(intrinsics=[1.0], distortion=[1.0], image_width_px=1)),
            ["confidence", "camera.intrinsics", "camera.distortion", "camera.image_height_px"],
            id="everything at once",
        ),
    ],
)
def test_a_wrong_request_is_refused_with_every_field_at_fault(request_message: LiftRequest, fields: list[str]) -> None:
    with pytest.raises(RequestError) as refused:
        decode_lift_request(request_message, max_poses=3)
    assert [violation.field for violation in refused.value.violations] == fields
    for violation in refused.value.violations:
        assert violation.description.startswith("expected ")
        assert "got" in violation.description
        assert "\n" not in violation.description


@given(
    n=st.integers(1, 3),
    m=st.integers(1, 4),
    per_pose=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
    statuses=st.lists(st.sampled_from(Status), min_size=3, max_size=3),
)
def test_a_response_says_what_the_hypotheses_say(
    n: int, m: int, per_pose: bool, seed: int, statuses: list[Status]
) -> None:
    random = np.random.default_rng(seed)

    def floats(*shape: int) -> np.ndarray:
        values = random.normal(size=shape).astype(np.float32)
        values[random.random(shape) < 0.1] = np.nan
        return values

    skeleton = SKELETONS["coco17"]
    sequence = KeypointSequence(
        keypoints_px=floats(n, 17, 2),
        confidence=np.ones((n, 17), np.float32),
        skeleton=skeleton,
        frame=random.integers(0, 100, n),
        person=random.integers(0, 9, n),
        image_size=(640, 480),
        fps=25.0,
    )
    hypotheses = HypothesisSequence(
        means_m=floats(n, m, 17, 3),
        std_m=floats(n, m, 17, 2),
        view_rotation=floats(n, 3, 3),
        mixing_coefficients=floats(n, m),
        root_translation_m=floats(n, m, 3),
        reprojection_error_px=floats(n, m),
        status=np.array([status.value for status in statuses[:n]]),
        keypoints_px=floats(n, 17, 2),
        confidence=floats(n, 17),
        frame=sequence.frame,
        person=sequence.person,
        intrinsics=random.normal(size=(n if per_pose else 1, 3, 3)) * np.ones((n, 1, 1)),
        intrinsics_source="given",
        distortion=np.zeros(0),
        image_size=(640, 480),
        fps=25.0,
        source_skeleton="coco17",
        model="mdn_lifter/1",
        ood_score=floats(n),
        root_std_m=floats(n, m, 2),
        size_source="given: stature 1.8 m",
    )
    wire = encode_lift_response(hypotheses)
    assert len(wire.intrinsics) == (9 * n if per_pose else 9)
    decoded = decode_lift_response(wire, sequence)
    for name, value in vars(hypotheses).items():
        if isinstance(value, np.ndarray):
            np.testing.assert_array_equal(getattr(decoded, name), value, err_msg=name)
        else:
            assert getattr(decoded, name) == value, name


def test_an_answer_of_an_older_server_leaves_scores_and_sizes_unknown(random_hypotheses) -> None:
    hypotheses = random_hypotheses(0)
    wire = encode_lift_response(hypotheses)
    wire.ClearField("ood_score")
    wire.ClearField("size_source")
    sequence = KeypointSequence(
        keypoints_px=hypotheses.keypoints_px,
        confidence=hypotheses.confidence,
        skeleton=SKELETONS["human36m17"],
        frame=hypotheses.frame,
        person=hypotheses.person,
    )
    decoded = decode_lift_response(wire, sequence)
    assert np.isnan(decoded.ood_score).tolist() == [True] * len(hypotheses)
    assert decoded.size_source == "prior"


def test_a_rule_that_servers_do_not_know_is_followed_by_the_client() -> None:
    points = np.random.default_rng(0).uniform(0, 900, (2, 17, 2)).astype(np.float32)
    sequence = KeypointSequence(
        keypoints_px=points,
        confidence=np.ones((2, 17), np.float32),
        skeleton=SKELETONS["coco17"],
        frame=np.arange(2),
        person=np.zeros(2, np.int64),
        mapping="mmpose",
    )
    received = decode_lift_request(encode_lift_request(sequence), max_poses=2).keypoints
    expected, _ = to_human36m17(points, sequence.confidence, sequence.skeleton, "mmpose")
    assert received.skeleton.name == "human36m17"
    np.testing.assert_array_equal(received.keypoints_px, expected)
