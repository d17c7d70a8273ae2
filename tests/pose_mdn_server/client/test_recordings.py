import collections
import itertools
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import grpc
import numpy as np
import pytest

from pose_mdn.errors import ConfigError, InputError, ModelNotFoundError
from pose_mdn.geometry.body import KnownBody
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.poses.keypoints import KeypointSequence
from pose_mdn_server.client import ConnectionOptions, PoseLiftingClient, recordings
from pose_mdn_server.client.recordings import Recording, RecordingSettings
from pose_mdn_server.codec.lifting import encode_lift_response
from pose_mdn_server.config import ServerConfig
from pose_mdn_server.errors import OverloadedError, QueueFullError, QuotaExceededError, ServerError
from pose_mdn_server.server import PoseServer
from pose_mdn_server.status import to_status


def assert_equal(got: HypothesisSequence, expected: HypothesisSequence) -> None:
    for name, value in vars(expected).items():
        if isinstance(value, np.ndarray) and value.dtype.kind == "f":
            # Batches of other sizes are multiplied in another order.
            np.testing.assert_allclose(getattr(got, name), value, rtol=1e-4, atol=1e-4, err_msg=name)
        elif isinstance(value, np.ndarray):
            np.testing.assert_array_equal(getattr(got, name), value, err_msg=name)
        else:
            assert getattr(got, name) == value, name


def unknown_camera(clip: KeypointSequence) -> KeypointSequence:
    """A clip of whose camera nothing is known, so that the assumption depends on every row."""
    return replace(clip, image_size=None, intrinsics=None, distortion=None)


@pytest.mark.parametrize("poses_per_call", [7, 50, 10_000])
def test_several_calls_answer_what_one_does(
    client: PoseLiftingClient, clip: KeypointSequence, poses_per_call: int
) -> None:
    film = unknown_camera(clip)
    assert_equal(client.lift_many(film, poses_per_call=poses_per_call), client.lift_sequence(film))


def test_parts_alone_would_answer_otherwise(client: PoseLiftingClient, clip: KeypointSequence) -> None:
    film = unknown_camera(clip)
    alone = client.lift_sequence(film.take(slice(0, 7)))
    assert not np.allclose(alone.intrinsics, client.lift_sequence(film).intrinsics[:7])


def test_what_is_known_of_people_and_cameras_travels(client: PoseLiftingClient, clip: KeypointSequence) -> None:
    matrices = np.tile([[1000.0, 0, 500], [0, 1000, 300], [0, 0, 1]], (len(clip), 1, 1))
    matrices[:, 0, 0] += np.arange(len(clip))
    film = replace(clip, intrinsics=matrices, frame=clip.frame + 40, tracked=False)
    body = KnownBody(stature_m=1.3)
    got = client.lift_many(film, poses_per_call=20, body=body)
    assert_equal(got, client.lift_sequence(film, body=body))
    assert got.intrinsics_source == "given"
    assert not got.tracked


def test_models_that_sample_give_the_same_samples(client: PoseLiftingClient, clip: KeypointSequence) -> None:
    film = clip.take(slice(0, 40))
    settings: dict[str, Any] = {"model": "cvae_lifter", "num_hypotheses": 3, "seed": 5}
    assert_equal(client.lift_many(film, poses_per_call=16, **settings), client.lift_sequence(film, **settings))


def test_answers_stay_below_what_a_server_answers(clip: KeypointSequence) -> None:
    settings = RecordingSettings(num_hypotheses=1024, model="cvae_lifter")
    film = clip.take(slice(0, 100))
    rows = [
        len(exchange.request.keypoints_px) // (film.keypoints_px[0].size)
        for exchange in Recording(film, settings).exchanges()
    ]
    assert rows == [64, 36]


def test_progress_is_told_in_the_order_of_rows(client: PoseLiftingClient, clip: KeypointSequence) -> None:
    told: list[int] = []
    client.lift_many(clip.take(slice(0, 50)), poses_per_call=20, on_progress=told.append)
    assert told == [20, 20, 10]


def test_recordings_come_out_in_their_order_and_are_taken_as_needed(
    client: PoseLiftingClient, clip: KeypointSequence
) -> None:
    taken: list[int] = []

    def films() -> Iterator[KeypointSequence]:
        for start in itertools.count(0, 5):
            taken.append(start)
            yield clip.take(slice(start % 50, start % 50 + 5))

    answers = client.lift_each(films(), in_flight=3)
    for start in range(0, 40, 5):
        assert next(answers).frame.tolist() == clip.frame[start : start + 5].tolist()
        assert len(taken) <= start // 5 + 1 + 3
    answers.close()


def test_what_is_wrong_with_a_recording_is_said_before_anything_is_sent(
    client: PoseLiftingClient, clip: KeypointSequence
) -> None:
    with pytest.raises(InputError, match="expected pixels"):
        client.lift_many(replace(unknown_camera(clip), keypoints_px=clip.keypoints_px / 5000))
    with pytest.raises(InputError, match="confidence"):
        client.lift_many(replace(clip, confidence=clip.confidence * 100 + 50))
    with pytest.raises(ConfigError, match="poses_per_call"):
        client.lift_many(clip, poses_per_call=0)
    with pytest.raises(ModelNotFoundError):
        client.lift_many(clip, model="nobody", poses_per_call=10)


def busy(server: PoseServer, clip: KeypointSequence, refusals: int) -> Any:
    """Refuses so many calls, then answers with the first rows of the clip."""
    answer = encode_lift_response(server.models.get().lifter.lift(clip.take(slice(0, 10)))).SerializeToString()

    def handle(number: int, context: grpc.ServicerContext) -> bytes:
        if number < refusals:
            context.abort_with_status(to_status(QueueFullError("full", retry_after_s=0.02), "id"))
        return answer

    return handle


def test_a_busy_server_is_asked_again(scripted: Any, server: PoseServer, clip: KeypointSequence) -> None:
    options = ConnectionOptions(attempts=1)
    with scripted(busy(server, clip, 7)) as seen, PoseLiftingClient(seen.address, options=options) as client:
        with pytest.raises(OverloadedError):
            client.lift_sequence(clip.take(slice(0, 10)))
        answer = client.lift_many(clip.take(slice(0, 40)), poses_per_call=10, in_flight=2)
    assert len(answer) == 40
    assert len(seen.peers) == 7 + 4
    assert {metadata.get("x-priority") for metadata in seen.metadata[1:]} == {"bulk"}


def test_a_quota_slows_a_recording_and_does_not_stop_it(clip: KeypointSequence) -> None:
    options = ConnectionOptions(attempts=1)
    with (
        PoseServer(ServerConfig(port=0, calls_per_s=20.0)) as own,
        PoseLiftingClient(own.address, options=options) as client,
    ):
        assert len(client.lift_many(clip.take(slice(0, 60)), poses_per_call=2)) == 60
        one_pose = clip.take(slice(0, 1))
        with pytest.raises(QuotaExceededError) as refused:
            collections.deque((client.lift_sequence(one_pose) for _ in range(200)), maxlen=0)
        assert 0 < refused.value.retry_after_s <= 1


def test_patience_ends(
    scripted: Any, server: PoseServer, clip: KeypointSequence, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recordings, "PATIENCE_S", 0.2)
    options = ConnectionOptions(attempts=1)
    with (
        scripted(busy(server, clip, 10**6)) as seen,
        PoseLiftingClient(seen.address, options=options) as client,
        pytest.raises(OverloadedError, match="full"),
    ):
        client.lift_many(clip.take(slice(0, 10)))
    assert len(seen.peers) > 1


def test_delays_grow_are_at_least_what_is_asked_for_and_differ() -> None:
    asked = QueueFullError("full", retry_after_s=0.3)
    assert all(0.3 <= recordings.Patience().delay_s(asked) <= 0.45 for _ in range(20))
    patience = recordings.Patience()
    delays = [patience.delay_s(QueueFullError("full", retry_after_s=0.0)) for _ in range(8)]
    assert delays[0] < 0.08
    assert delays[-1] >= 2.0
    assert len({recordings.Patience().delay_s(asked) for _ in range(20)}) > 1


def test_a_model_that_changes_in_the_middle_is_noticed(clip: KeypointSequence, server: PoseServer) -> None:
    lifted = server.models.get().lifter.lift(clip.take(slice(0, 20)))
    recording = Recording(clip.take(slice(0, 40)), RecordingSettings(poses_per_call=20))
    with pytest.raises(ServerError, match="mdn_lifter/1 and mdn_lifter/2"):
        recording.join([replace(lifted, model="mdn_lifter/1"), replace(lifted, model="mdn_lifter/2")])


def test_a_slow_reader_of_a_stream_stops_its_source(client: PoseLiftingClient, clip: KeypointSequence) -> None:
    taken, full = [], threading.Event()

    def camera() -> Iterator[KeypointSequence]:
        for index in itertools.count():
            taken.append(index)
            if len(taken) == 6:
                full.set()
            row = clip.take(slice(index % 50, index % 50 + 1))
            yield replace(row, frame=np.array([index]))

    answers = client.lift_stream(camera(), unanswered=5)
    assert next(answers).frame.tolist() == [0]
    assert full.wait(20)
    # One was answered, five are under way, and one more may have been taken and not sent.
    assert len(taken) <= 7
    for index in range(1, 20):
        assert next(answers).frame.tolist() == [index]
        assert len(taken) <= index + 7
    answers.close()
