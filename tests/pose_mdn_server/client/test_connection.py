import shutil
import socket
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import pytest

from pose_mdn.errors import InputError, ModelNotFoundError, PoseMDNError
from pose_mdn_server.client import ConnectionOptions, ModelClient, PoseGenerationClient, PoseLiftingClient
from pose_mdn_server.client.connection import Connection
from pose_mdn_server.errors import (
    DrainingError,
    FieldViolation,
    ModelNotReadyError,
    NotOfferedError,
    OverloadedError,
    PermissionDeniedError,
    QueueFullError,
    QuotaExceededError,
    RequestError,
    ServerError,
    ServerUnavailableError,
    UnauthenticatedError,
)
from pose_mdn_server.server import PoseServer
from pose_mdn_server.status import to_status

ONCE = ConnectionOptions(attempts=1)


def refuse(context: grpc.ServicerContext, error: Exception, *pushback: tuple[str, str]) -> None:
    status = to_status(error, "id-77")
    status = type(status)(status.code, status.details, (*status.trailing_metadata, *pushback))
    context.abort_with_status(status)


def test_token_priority_and_request_id_go_with_every_call(willing: Any) -> None:
    numbers = iter(range(2))
    options = ConnectionOptions(token="secret-1", priority="bulk", request_ids=lambda: f"mine-{next(numbers)}")
    with ModelClient(willing.address, options=options) as client:
        client.get_model()
        client.get_model()
    for number, metadata in enumerate(willing.metadata):
        assert metadata["authorization"] == "Bearer secret-1"
        assert metadata["x-priority"] == "bulk"
        assert metadata["x-request-id"] == f"mine-{number}"


def test_nothing_is_said_that_was_not_asked_for(willing: Any) -> None:
    with ModelClient(willing.address) as client:
        client.get_model()
    assert not willing.metadata[0].keys() & {"authorization", "x-priority", "x-request-id"}


@pytest.mark.parametrize("passing", [DrainingError("stopping"), ModelNotReadyError("loading"), QueueFullError("full")])
def test_what_passes_is_tried_again(scripted: Any, passing: ServerError) -> None:
    with (
        scripted(lambda number, context: refuse(context, passing) if number < 2 else None) as seen,
        ModelClient(seen.address) as client,
    ):
        assert client.get_model().name == "scripted"
    assert len(seen.peers) == 3


def test_the_delay_that_a_server_asks_for_is_kept(scripted: Any) -> None:
    with (
        scripted(
            lambda number, context: (
                refuse(context, QueueFullError("full"), ("grpc-retry-pushback-ms", "700")) if number < 1 else None
            )
        ) as seen,
        ModelClient(seen.address) as client,
    ):
        started = time.perf_counter()
        client.get_model()
        assert time.perf_counter() - started >= 0.7


def test_what_would_fail_again_is_not_tried_again(scripted: Any) -> None:
    with (
        scripted(lambda number, context: refuse(context, ModelNotFoundError("no such model"))) as seen,
        ModelClient(seen.address) as client,
        pytest.raises(ModelNotFoundError, match="no such model"),
    ):
        client.get_model("x")
    assert len(seen.peers) == 1


@pytest.mark.parametrize(
    ("sent", "raised"),
    [
        (RequestError((FieldViolation("body.stature_m", "expected more"),)), RequestError),
        (InputError("keypoints: expected pixels", field="keypoints"), RequestError),
        (ModelNotFoundError("none"), ModelNotFoundError),
        (ModelNotReadyError("loading"), ServerUnavailableError),
        (DrainingError("stopping"), ServerUnavailableError),
        (QuotaExceededError("quota", retry_after_s=1.25), QuotaExceededError),
        (QueueFullError("full", retry_after_s=0.5), OverloadedError),
        (UnauthenticatedError("who"), UnauthenticatedError),
        (PermissionDeniedError("no"), PermissionDeniedError),
        (NotOfferedError("closed"), NotOfferedError),
        (RuntimeError("a bug"), ServerError),
    ],
)
def test_what_a_server_raises_a_client_raises(scripted: Any, sent: Exception, raised: type[PoseMDNError]) -> None:
    with (
        scripted(lambda number, context: refuse(context, sent)) as seen,
        ModelClient(seen.address, options=ONCE) as client,
        pytest.raises(PoseMDNError) as caught,
    ):
        client.get_model()
    assert type(caught.value) is raised
    assert caught.value.__notes__ == ["request id id-77"]
    if isinstance(sent, OverloadedError) and isinstance(caught.value, OverloadedError):
        assert caught.value.retry_after_s == pytest.approx(sent.retry_after_s)


def test_a_status_of_a_proxy_is_understood_by_its_code(scripted: Any) -> None:
    with (
        scripted(lambda number, context: context.abort(grpc.StatusCode.UNAUTHENTICATED, "no token")) as seen,
        ModelClient(seen.address) as client,
        pytest.raises(UnauthenticatedError, match="no token"),
    ):
        client.get_model()


def test_details_that_belong_to_another_code_are_left_alone(scripted: Any) -> None:
    def change_the_code(number: int, context: grpc.ServicerContext) -> None:
        status = to_status(QuotaExceededError("quota"), "id")
        context.abort_with_status(type(status)(grpc.StatusCode.PERMISSION_DENIED, "no", status.trailing_metadata))

    with (
        scripted(change_the_code) as seen,
        ModelClient(seen.address) as client,
        pytest.raises(PermissionDeniedError, match="no"),
    ):
        client.get_model()


def test_a_client_that_waits_for_its_server_finds_it_later(scripted: Any) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ConnectionOptions(wait_for_ready=True, channels=1)
    with ModelClient(f"127.0.0.1:{port}", options=options) as client, ThreadPoolExecutor(1) as pool:
        waits = pool.submit(client.get_model)
        with scripted(port=port):
            assert waits.result(20).name == "scripted"


def test_clients_of_several_services_share_a_connection(server: PoseServer) -> None:
    with Connection(server.address) as connection:
        with ModelClient(connection) as models:
            assert models.get_model("mdn_lifter").num_hypotheses > 1
            assert {model.name for model in models.list_models()} >= {"mdn_lifter", "pose_vae"}
        poses, _ = PoseGenerationClient(connection).sample(2, seed=1)
        assert poses.shape == (2, 17, 3)
        assert PoseLiftingClient(connection).target == server.address


def test_methods_show_the_arguments_that_callers_give() -> None:
    import inspect  # noqa: PLC0415

    lift = inspect.signature(PoseLiftingClient.lift)
    assert list(lift.parameters)[:3] == ["self", "keypoints_px", "confidence"]
    assert list(inspect.signature(PoseGenerationClient.sample).parameters) == [
        "self", "count", "seed", "label", "temperature",
    ]  # fmt: skip
    assert PoseLiftingClient.lift.__doc__.startswith("Lift poses.")


def make_certificates(folder: Path) -> None:
    """An authority, and a certificate of localhost that it signed."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl on this machine, which makes the certificates of this test")
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    for command in (
        ["req", "-x509", *curve, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=test authority"],
        ["req", *curve[:-2], "-keyout", "key.pem", "-out", "request.pem", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost"],
        ["x509", "-req", "-in", "request.pem", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
         "-copy_extensions", "copy", "-out", "certificate.pem"],
    ):  # fmt: skip
        subprocess.run(["openssl", *command], cwd=folder, check=True, capture_output=True)


def test_tls_with_certificates_of_both_sides(scripted: Any, tmp_path: Path) -> None:
    make_certificates(tmp_path)
    key, certificate, authority = ((tmp_path / name).read_bytes() for name in ("key.pem", "certificate.pem", "ca.pem"))
    demanding = grpc.ssl_server_credentials([(key, certificate)], authority, require_client_auth=True)
    mine = {"client_certificate": tmp_path / "certificate.pem", "client_key": tmp_path / "key.pem"}
    with scripted(credentials=demanding) as seen:
        trusting = ConnectionOptions(
            tls=tmp_path / "ca.pem", server_name="localhost", token="secret-1", channels=1, **mine
        )
        with ModelClient(seen.address, options=trusting) as client:
            assert client.get_model().name == "scripted"
        assert seen.metadata[0]["authorization"] == "Bearer secret-1"
        nameless = ConnectionOptions(tls=tmp_path / "ca.pem", server_name="localhost", attempts=1)
        stranger = ConnectionOptions(tls=True, server_name="localhost", attempts=1, **mine)
        for options in (nameless, stranger, ONCE):
            with ModelClient(seen.address, options=options) as client, pytest.raises(ServerUnavailableError):
                client.get_model()
        assert len(seen.peers) == 1


def test_a_client_may_be_closed_while_a_call_is_under_way(scripted: Any) -> None:
    arrived, may_answer = threading.Event(), threading.Event()

    def hang(number: int, context: grpc.ServicerContext) -> None:
        arrived.set()
        may_answer.wait(20)

    with scripted(hang) as seen, ThreadPoolExecutor(1) as pool:
        client = ModelClient(seen.address, options=ONCE)
        waits = pool.submit(client.get_model)
        assert arrived.wait(20)
        client.close()
        with pytest.raises(PoseMDNError):
            waits.result(20)
        may_answer.set()
