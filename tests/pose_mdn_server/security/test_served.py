"""The whole server, encrypted, with tokens: what each client may do, over two workers."""

import json
import os
import signal
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import numpy as np
import pytest

from pose_mdn.errors import ModelNotFoundError
from pose_mdn.poses.keypoints import FloatArray
from pose_mdn_server.client import ConnectionOptions, ModelClient, PoseLiftingClient
from pose_mdn_server.errors import PermissionDeniedError, QuotaExceededError, UnauthenticatedError
from pose_mdn_server.rpc import open_inference_pb2 as oip

from ..conftest import served_process
from .conftest import Authority, Pair

WAIT_S = 30.0
SIZE = (1000, 1000)


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < end, "it did not become so in time"
        time.sleep(0.05)


def new_token(path: Path, name: str, *rights: str) -> str:
    command = [sys.executable, "-c", "from pose_mdn.cli import main; main()", "token", "new", str(path), name, *rights]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[0]


class Served:
    def __init__(self, address: str, authority: Authority, tokens: dict[str, str], http: str, pid: int) -> None:
        self.port = address.rpartition(":")[2]
        self.authority = authority
        self.tokens = tokens
        self.http = http
        self.pid = pid

    def options(self, who: str | None) -> ConnectionOptions:
        token = None if who is None else self.tokens[who]
        return ConnectionOptions(tls=self.authority.certificate, token=token, channels=1, attempts=1)

    def lifting(self, who: str | None) -> PoseLiftingClient:
        return PoseLiftingClient(f"localhost:{self.port}", options=self.options(who))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("secured")
    authority = Authority(folder, "test-authority")
    pair: Pair = authority.issue("server")
    path = folder / "tokens.toml"
    tokens = {
        "app": new_token(path, "app"),
        "narrow": new_token(path, "narrow", "--model", "cvae_lifter"),
        "small": new_token(path, "small", "--poses-per-s", "10"),
        "admin": new_token(path, "admin", "--administers"),
    }
    options = ("--tls-certificate", pair.certificate, "--tls-key", pair.key, "--tokens", path)
    more = ("--workers", "2", "--model-control", "--access-log")
    with served_process(*map(str, options), *more) as (process, address):
        assert process.stdout is not None
        http = process.stdout.readline().rpartition("http://")[2].strip()
        yield Served(address, authority, tokens, http, process.pid)
        process.terminate()
        output, errors = process.communicate(timeout=WAIT_S)
        assert "every call was answered" in output
        for token in tokens.values():
            assert token not in errors


def test_only_those_who_are_known_are_answered(served: Served, people: FloatArray) -> None:
    with served.lifting("app") as client:
        assert client.lift(people, image_size=SIZE).lifted.all()
    with served.lifting(None) as nobody, pytest.raises(UnauthenticatedError, match="authorization"):
        nobody.lift(people, image_size=SIZE)
    with grpc.insecure_channel(f"localhost:{served.port}") as clear, pytest.raises(grpc.RpcError) as refused:
        clear.unary_unary("/grpc.health.v1.Health/Check")(b"", timeout=5)
    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE


def test_tokens_reach_as_far_as_they_should(served: Served, people: FloatArray) -> None:
    with served.lifting("narrow") as client:
        assert client.lift(people, image_size=SIZE, model="cvae_lifter").lifted.all()
        with pytest.raises(PermissionDeniedError, match="cvae_lifter"):
            client.lift(people, image_size=SIZE)
    with ModelClient(f"localhost:{served.port}", options=served.options("narrow")) as models:
        assert {model.name for model in models.list_models()} == {"cvae_lifter"}


def test_quotas_hold_over_all_workers(served: Served, people: FloatArray) -> None:
    answered = 0
    refusals: list[QuotaExceededError] = []
    # Each connection may meet another worker.
    for _ in range(8):
        with served.lifting("small") as client:
            try:
                answered += len(client.lift(people, image_size=SIZE))
            except QuotaExceededError as error:
                refusals.append(error)
    assert 6 <= answered <= 24
    assert refusals
    assert all(refusal.retry_after_s > 0 for refusal in refusals)


def test_a_model_that_is_unloaded_is_gone_from_every_worker(served: Served, people: FloatArray) -> None:
    credentials = grpc.ssl_channel_credentials(served.authority.certificate.read_bytes())
    metadata = {who: (("authorization", f"Bearer {served.tokens[who]}"),) for who in ("admin", "app")}

    def control(what: str, who: str) -> None:
        request = oip.RepositoryModelUnloadRequest(model_name="cvae_lifter")
        with grpc.secure_channel(f"localhost:{served.port}", credentials) as channel:
            call = channel.unary_unary(f"/inference.GRPCInferenceService/RepositoryModel{what}")
            call(request.SerializeToString(), metadata=metadata[who], timeout=WAIT_S)

    def answers() -> int:
        """How many of some new connections find the model."""
        found = 0
        for _ in range(6):
            with served.lifting("app") as client:
                try:
                    client.lift(people, image_size=SIZE, model="cvae_lifter")
                    found += 1
                except ModelNotFoundError:
                    pass
        return found

    with pytest.raises(grpc.RpcError) as refused:
        control("Unload", "app")
    assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED
    control("Unload", "admin")
    until(lambda: answers() == 0)
    control("Load", "admin")
    until(lambda: answers() == 6)


def test_the_http_port_is_encrypted_and_asks_for_tokens_too(served: Served, people: FloatArray) -> None:
    context = ssl.create_default_context(cafile=str(served.authority.certificate))
    url = f"https://localhost:{served.http.rpartition(':')[2]}/pose_mdn.v1.PoseLiftingService/Lift"
    body = json.dumps(
        {"keypointsPx": people[0].ravel().tolist(), "camera": {"imageWidthPx": 1000, "imageHeightPx": 1000}}
    )

    def ask(**headers: str) -> dict[str, object]:
        request = urllib.request.Request(url, body.encode(), {"content-type": "application/json", **headers})
        try:
            answer = urllib.request.urlopen(request, timeout=WAIT_S, context=context)
        except urllib.error.HTTPError as error:
            return dict(json.loads(error.read()))
        return dict(json.loads(answer.read()))

    assert ask()["code"] == "unauthenticated"
    assert np.isfinite(ask(authorization=f"Bearer {served.tokens['app']}")["meansM"]).all()  # type: ignore[call-overload]


def test_sighup_leaves_calls_alone(served: Served, people: FloatArray) -> None:
    with served.lifting("app") as client:
        for number in range(40):
            if number % 10 == 5:
                os.kill(served.pid, signal.SIGHUP)
            assert client.lift(people, image_size=SIZE).lifted.all()
