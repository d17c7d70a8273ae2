"""A running server in place of a local session: the same answers, at the server's pace."""

import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from pose_mdn.batch.backend import LocalBackend, identify_model, open_backend
from pose_mdn.batch.settings import LiftSettings
from pose_mdn.cli import build_app
from pose_mdn.errors import ConfigError, InputError, ModelNotFoundError
from pose_mdn.formats import read_hypotheses, write_keypoints
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.poses.keypoints import KeypointSequence
from pose_mdn_server.client.backend import ServerBackend, connection_options, with_port
from pose_mdn_server.config import ServerConfig
from pose_mdn_server.errors import ServerUnavailableError
from pose_mdn_server.server import PoseServer


@pytest.fixture
def settings(server: PoseServer) -> LiftSettings:
    return LiftSettings(server=server.address)


@pytest.fixture
def backend(settings: LiftSettings) -> Iterator[ServerBackend]:
    with closing(ServerBackend(settings)) as opened:
        yield opened


def assert_same(got: HypothesisSequence, expected: HypothesisSequence) -> None:
    for name, value in vars(expected).items():
        if isinstance(value, np.ndarray) and value.dtype.kind == "f":
            # Other batches are multiplied in another order.
            np.testing.assert_allclose(getattr(got, name), value, rtol=1e-3, atol=1e-3, err_msg=name)
        elif isinstance(value, np.ndarray):
            np.testing.assert_array_equal(getattr(got, name), value, err_msg=name)
        else:
            assert getattr(got, name) == value, name


@pytest.mark.parametrize("min_confidence", [0.1, 0.6])
@pytest.mark.parametrize("mapping", ["names", "mmpose"])
def test_it_answers_as_a_local_session(
    backend: ServerBackend, clip: KeypointSequence, min_confidence: float, mapping: str
) -> None:
    film = replace(clip, mapping=mapping, image_size=None, intrinsics=None, distortion=None)
    with closing(LocalBackend(LiftSettings())) as local:
        expected = local.lift(film, min_confidence=min_confidence)
    rows: list[int] = []
    got = backend.lift(film, min_confidence=min_confidence, on_progress=rows.append)
    if mapping != "names":
        # The server sees Human3.6M-17, and does not know which layout these joints came in.
        expected = replace(expected, status=got.status)
    assert_same(got, expected)
    assert sum(rows) == len(film)


def test_settings_with_a_server_open_it(settings: LiftSettings) -> None:
    with closing(open_backend(settings)) as opened:
        assert isinstance(opened, ServerBackend)
        assert (opened.name, opened.version) == ("mdn_lifter", "1")
        assert identify_model(settings) == opened.identity


def test_what_servers_do_not_offer_is_refused(settings: LiftSettings) -> None:
    with pytest.raises(InputError, match=r"min_confidence: expected at least 0\.1.*got 0\.05"):
        ServerBackend(replace(settings, min_confidence=0.05))
    with pytest.raises(ModelNotFoundError):
        ServerBackend(replace(settings, model="nothing"))
    with pytest.raises(InputError, match="HOST:PORT, got nothing"):
        ServerBackend(replace(settings, server=" "))


def test_nobody_there_is_told_soon() -> None:
    began_s = time.monotonic()
    with pytest.raises(ServerUnavailableError):
        ServerBackend(LiftSettings(server="127.0.0.1:9"))
    assert time.monotonic() - began_s < 20


def test_a_server_that_is_full_is_waited_for(clip: KeypointSequence) -> None:
    everybody = np.tile(np.arange(len(clip)), 40)
    crowd = clip.take(everybody)
    with PoseServer(ServerConfig(port=0, max_queued_poses=1100, drain_s=5.0)) as small:
        settings = LiftSettings(server=small.address)
        backends = [ServerBackend(settings, threads=2) for _ in range(3)]
        answers: list[HypothesisSequence] = []
        threads = [threading.Thread(target=lambda each=each: answers.append(each.lift(crowd))) for each in backends]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=120)
        for each in backends:
            each.close()
    assert [len(answer) for answer in answers] == [len(crowd)] * 3
    np.testing.assert_array_equal(answers[0].status, answers[1].status)


def test_a_server_that_restarts_is_waited_for(clip: KeypointSequence) -> None:
    first = PoseServer(ServerConfig(port=0, drain_s=1.0))
    with first:
        port = int(first.address.rpartition(":")[2])
        backend = ServerBackend(LiftSettings(server=first.address))
        expected = backend.lift(clip)
    answers: list[HypothesisSequence] = []
    caller = threading.Thread(target=lambda: answers.append(backend.lift(clip)))
    caller.start()
    with closing(backend), PoseServer(ServerConfig(port=port, drain_s=5.0)):
        caller.join(timeout=60)
        assert not caller.is_alive()
    assert_same(answers[0], expected)


def test_addresses() -> None:
    assert with_port("lab") == "lab:8001"
    assert with_port("lab:9") == "lab:9"
    assert with_port("[::1]") == "[::1]:8001"
    assert with_port("[::1]:9") == "[::1]:9"
    assert with_port("unix:/run/pose.sock") == "unix:/run/pose.sock"


def test_the_token_comes_from_its_file_and_is_never_shown(tmp_path: Path) -> None:
    secret = tmp_path / "token"
    secret.write_text(" open-sesame\n")
    settings = LiftSettings(server="127.0.0.1", server_ca="system", server_token_file=str(secret))
    options = connection_options(settings)
    assert options.token == "open-sesame"
    assert options.tls is True
    assert "sesame" not in repr(settings) + repr(options) + str(settings.document)
    with pytest.raises(ConfigError, match="expected a file that holds the server's token"):
        connection_options(replace(settings, server_token_file=str(tmp_path / "none")))


def test_the_command_lifts_a_folder_at_a_server(server: PoseServer, clip: KeypointSequence, tmp_path: Path) -> None:
    (tmp_path / "in" / "deep").mkdir(parents=True)
    for name, rows in (("a.npz", slice(0, 60)), ("b.parquet", slice(60, 160)), ("deep/c.npz", slice(10, 20))):
        write_keypoints(tmp_path / "in" / name, clip.take(rows))
    (tmp_path / "in" / "bad.json").write_text("[{")
    lift = ["lift", str(tmp_path / "in"), "--no-index", "--to", "parquet", "-o"]
    runner = CliRunner()
    there = runner.invoke(build_app(), [*lift, str(tmp_path / "there"), "--server", server.address, "--workers", "2"])
    here = runner.invoke(build_app(), [*lift, str(tmp_path / "here")])
    assert (there.exit_code, here.exit_code) == (1, 1), there.output
    for name in ("a", "b", "deep/c"):
        got, expected = (read_hypotheses(tmp_path / place / f"{name}.parquet") for place in ("there", "here"))
        assert_same(got, expected)
    again = runner.invoke(build_app(), [*lift, str(tmp_path / "there"), "--server", server.address, "--resume"])
    assert "3 were done already" in again.output
