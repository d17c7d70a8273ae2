"""Frames as they are seen, over one call."""

import queue
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import grpc
import numpy as np
import pytest

from pose_mdn import load_lifter
from pose_mdn.errors import InputError, ModelNotFoundError
from pose_mdn.inference import OnlineVideoLifter
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.poses.keypoints import KeypointSequence
from pose_mdn_server.client import PoseLiftingClient
from pose_mdn_server.config import ServerConfig
from pose_mdn_server.errors import ServerError
from pose_mdn_server.rpc import pose_lifting_pb2, pose_lifting_pb2_grpc
from pose_mdn_server.server import PoseServer
from pose_mdn_server.status import field_violations

NO_ANSWER_S = 20.0


def frames(clip: KeypointSequence, count: int) -> Iterator[KeypointSequence]:
    for row in range(count):
        yield clip.take(slice(row, row + 1))


def settings_message(**fields: object) -> pose_lifting_pb2.LiftStreamRequest:
    return pose_lifting_pb2.LiftStreamRequest(settings=pose_lifting_pb2.LiftStreamSettings(**fields))


def poses_message(count: int = 1, **fields: object) -> pose_lifting_pb2.LiftStreamRequest:
    points = np.random.default_rng(0).uniform(100, 900, count * 34)
    return pose_lifting_pb2.LiftStreamRequest(poses=pose_lifting_pb2.StreamedPoses(keypoints_px=points, **fields))


def test_a_stream_answers_as_one_call_does(client: PoseLiftingClient, clip: KeypointSequence) -> None:
    answers = list(client.lift_stream(frames(clip, 20)))
    expected = load_lifter().lift(clip.take(slice(20)))
    assert [answer.frame.tolist() for answer in answers] == [[frame] for frame in clip.frame[:20]]
    np.testing.assert_allclose(
        np.concatenate([answer.means_m for answer in answers]), expected.means_m, rtol=1e-4, atol=1e-5
    )
    assert [str(answer.status[0]) for answer in answers] == expected.status.tolist()


def test_answers_come_while_the_stream_goes_on(client: PoseLiftingClient, clip: KeypointSequence) -> None:
    camera: queue.Queue[KeypointSequence | None] = queue.Queue()
    answers = client.lift_stream(iter(camera.get, None))
    for frame in frames(clip, 3):
        camera.put(frame)
        assert next(answers).frame.tolist() == frame.frame.tolist()
    camera.put(None)
    assert list(answers) == []


def test_several_people_and_frames_travel_in_one_message(client: PoseLiftingClient, clip: KeypointSequence) -> None:
    crowd = replace(clip.take(slice(0, 4)), frame=np.array([5, 5, 6, 6]), person=np.array([8, 3, 3, 8]))
    (answer,) = client.lift_stream([crowd])
    assert answer.frame.tolist() == [5, 5, 6, 6]
    assert answer.person.tolist() == [8, 3, 3, 8]


def test_every_stream_gets_its_own_answers(server: PoseServer, clip: KeypointSequence) -> None:
    seen: dict[int, list[int]] = {}

    def follow(start: int) -> None:
        with PoseLiftingClient(server.address) as own:
            part = clip.take(slice(start, start + 12))
            seen[start] = [int(answer.frame[0]) for answer in own.lift_stream(frames(part, 12))]

    threads = [threading.Thread(target=follow, args=(start,)) for start in (0, 30, 60, 90)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(NO_ANSWER_S)
    assert seen == {start: clip.frame[start : start + 12].tolist() for start in (0, 30, 60, 90)}


def test_frames_are_counted_if_none_are_given(server: PoseServer) -> None:
    messages = [settings_message(), poses_message(), poses_message(count=2), poses_message(frame=[9]), poses_message()]
    with grpc.insecure_channel(server.address) as channel:
        stub = pose_lifting_pb2_grpc.PoseLiftingServiceStub(channel)
        answers = list(stub.LiftStream(iter(messages), timeout=NO_ANSWER_S))
    assert [list(answer.frame) for answer in answers] == [[0], [1, 1], [9], [10]]


@pytest.mark.parametrize(
    ("messages", "field"),
    [
        ([poses_message()], "settings"),
        ([pose_lifting_pb2.LiftStreamRequest()], "message"),
        ([settings_message(camera={"intrinsics": [1.0] * 18})], "settings.camera.intrinsics"),
        ([settings_message(), poses_message(frame=[1, 2])], "poses.frame"),
        ([settings_message(), poses_message(frame=[4]), poses_message(frame=[3])], "poses.frame"),
        ([settings_message(), poses_message(person=[1, 2])], "poses.person"),
        ([settings_message(skeleton="octopus"), poses_message()], "skeleton"),
        ([settings_message(), poses_message(confidence=[2.0] * 17)], "confidence"),
    ],
)
def test_what_is_wrong_with_a_message_ends_the_stream_and_is_named(
    server: PoseServer, messages: list[pose_lifting_pb2.LiftStreamRequest], field: str
) -> None:
    with grpc.insecure_channel(server.address) as channel:
        stub = pose_lifting_pb2_grpc.PoseLiftingServiceStub(channel)
        with pytest.raises(grpc.RpcError) as refused:
            list(stub.LiftStream(iter(messages), timeout=NO_ANSWER_S))
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert [violation.field for violation in field_violations(refused.value)] == [field]


def test_a_client_says_what_its_own_source_raised(client: PoseLiftingClient, clip: KeypointSequence) -> None:
    def camera() -> Iterator[KeypointSequence]:
        yield from frames(clip, 2)
        raise OSError("unplugged")

    answers = client.lift_stream(camera())
    with pytest.raises(OSError, match="unplugged"):
        list(answers)
    with pytest.raises(InputError, match="confidence"):
        list(client.lift_stream([replace(clip.take(slice(1)), confidence=np.full((1, 33), 88.0, np.float32))]))


def test_an_unknown_model_is_said(client: PoseLiftingClient, clip: KeypointSequence) -> None:
    with pytest.raises(ModelNotFoundError, match="nobody"):
        list(client.lift_stream(frames(clip, 1), model="nobody"))


def test_a_refusal_does_not_wait_for_an_answer_that_never_comes(server: PoseServer) -> None:
    unknown = settings_message(model_name="nobody")
    unknown.settings.camera.image_width_px = unknown.settings.camera.image_height_px = 1000
    with grpc.insecure_channel(server.address) as channel:
        stub = pose_lifting_pb2_grpc.PoseLiftingServiceStub(channel)
        with pytest.raises(grpc.RpcError) as refused:
            list(stub.LiftStream(iter([unknown, poses_message()]), timeout=NO_ANSWER_S))
    assert refused.value.code() is grpc.StatusCode.NOT_FOUND


def test_one_stream_too_many_is_refused_and_other_calls_go_on(clip: KeypointSequence) -> None:
    with (
        PoseServer(ServerConfig(port=0, drain_s=1.0, call_threads=1, max_streams=1)) as small,
        PoseLiftingClient(small.address) as client,
    ):
        camera: queue.Queue[KeypointSequence | None] = queue.Queue()
        first = client.lift_stream(iter(camera.get, None))
        camera.put(clip.take(slice(1)))
        next(first)
        with pytest.raises(ServerError, match="RESOURCE_EXHAUSTED: expected at most 1 streams"):
            list(client.lift_stream(frames(clip, 1)))
        assert len(client.lift_sequence(clip.take(slice(2)))) == 2
        camera.put(None)
        assert list(first) == []
        assert len(list(client.lift_stream(frames(clip, 2)))) == 2


def test_a_caller_who_goes_away_leaves_room_for_the_next(clip: KeypointSequence) -> None:
    with (
        PoseServer(ServerConfig(port=0, drain_s=1.0, max_streams=1)) as small,
        PoseLiftingClient(small.address) as client,
    ):
        unplugged = threading.Event()

        def camera() -> Iterator[KeypointSequence]:
            yield from frames(clip, 1)
            unplugged.wait(NO_ANSWER_S)

        answers = client.lift_stream(camera())
        next(answers)
        answers.close()
        unplugged.set()
        assert _within(NO_ANSWER_S, lambda: len(list(client.lift_stream(frames(clip, 2)))) == 2)


def _within(seconds: float, attempt: Callable[[], bool]) -> bool:
    """Whether an attempt succeeds before the time is over; refusals are tried again."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            return attempt()
        except ServerError:
            time.sleep(0.02)
    return False


def test_a_smoothed_stream_gives_what_the_library_gives_live(client: PoseLiftingClient, clip: KeypointSequence) -> None:
    film = replace(clip.take(slice(25)), fps=30.0)
    live = OnlineVideoLifter(load_lifter(), lag=4)
    pushed = [live.push(frame) for frame in frames(film, len(film))]
    expected = HypothesisSequence.concatenate([part for part in [*pushed, live.flush()] if part is not None])
    answers = list(client.lift_stream(frames(film, len(film)), lag=4))
    assert [answer.frame.tolist() for answer in answers[:2]] == [[film.frame[0]], [film.frame[1]]]
    got = HypothesisSequence.concatenate(answers)
    assert got.frame.tolist() == film.frame.tolist()
    np.testing.assert_allclose(got.means_m, expected.means_m, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(got.std_m, expected.std_m, rtol=1e-3, atol=1e-5)


def test_what_waits_comes_before_other_settings(server: PoseServer) -> None:
    smoothing = {"smoothing": pose_lifting_pb2.Smoothing(lag_frames=3), "fps": 30.0}
    messages = [settings_message(**smoothing), poses_message(), poses_message(), settings_message(), poses_message()]
    with grpc.insecure_channel(server.address) as channel:
        stub = pose_lifting_pb2_grpc.PoseLiftingServiceStub(channel)
        answers = list(stub.LiftStream(iter(messages), timeout=NO_ANSWER_S))
    assert [list(answer.frame) for answer in answers] == [[], [], [0, 1], [2]]
    assert [answer.is_rest for answer in answers] == [False, False, True, False]


def test_people_without_numbers_are_followed(client: PoseLiftingClient, clip: KeypointSequence) -> None:
    walker = replace(clip.take(slice(20, 32)), fps=30.0)
    beside = replace(walker, keypoints_px=walker.keypoints_px + np.float32([600.0, 0.0]))

    def camera() -> Iterator[KeypointSequence]:
        for row in range(12):
            both = [walker.take(slice(row, row + 1)), beside.take(slice(row, row + 1))][:: 1 if row % 2 else -1]
            points = np.concatenate([one.keypoints_px for one in both])
            confidence = np.concatenate([one.confidence for one in both])
            frame = np.repeat(walker.frame[row], 2)
            yield replace(walker, keypoints_px=points, confidence=confidence, frame=frame, person=np.zeros(2, np.int64))

    answers = list(client.lift_stream(camera(), follow_people=True))
    walkers = [answer.person[0 if row % 2 else 1] for row, answer in enumerate(answers)]
    others = [answer.person[1 if row % 2 else 0] for row, answer in enumerate(answers)]
    assert set(walkers) == {0}
    assert set(others) == {1}


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"fps": -1.0}, "settings.fps"),
        ({"fps": float("nan")}, "settings.fps"),
        ({"smoothing": pose_lifting_pb2.Smoothing(lag_frames=10**6)}, "settings.smoothing.lag_frames"),
    ],
)
def test_impossible_settings_are_named(server: PoseServer, fields: dict[str, object], field: str) -> None:
    with grpc.insecure_channel(server.address) as channel:
        stub = pose_lifting_pb2_grpc.PoseLiftingServiceStub(channel)
        with pytest.raises(grpc.RpcError) as refused:
            list(stub.LiftStream(iter([settings_message(**fields)]), timeout=NO_ANSWER_S))
    assert [violation.field for violation in field_violations(refused.value)] == [field]
