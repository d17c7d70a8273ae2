"""The container's probe tells a serving server from one that is not, with and without encryption."""

import datetime
import http.server
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from pose_mdn_server import healthcheck
from pose_mdn_server.config_sources import settings

ServingStatus = health_pb2.HealthCheckResponse.ServingStatus


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("POSE_MDN_CONFIG", *(setting.variable for setting in settings().values())):
        monkeypatch.delenv(variable, raising=False)


@contextmanager
def serving(servicer: health.HealthServicer, credentials: grpc.ServerCredentials | None = None) -> Iterator[str]:
    server = grpc.server(ThreadPoolExecutor(max_workers=1))
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    bind = server.add_insecure_port if credentials is None else server.add_secure_port
    port = bind("127.0.0.1:0", *(() if credentials is None else (credentials,)))
    server.start()
    yield f"127.0.0.1:{port}"
    server.stop(grace=None)


@dataclass(frozen=True, kw_only=True)
class Identity:
    """A certificate and its key, on disk."""

    certificate: Path
    key: Path

    @classmethod
    def issued(cls, folder: Path, name: str, *names: x509.GeneralName, by: "Identity | None" = None) -> "Identity":
        """Signed by another identity, or by itself."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        issuer, signer = subject, key
        if by is not None:
            issuer = x509.load_pem_x509_certificate(by.certificate.read_bytes()).subject
            loaded = serialization.load_pem_private_key(by.key.read_bytes(), None)
            assert isinstance(loaded, ec.EllipticCurvePrivateKey)
            signer = loaded
        now = datetime.datetime.now(datetime.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(hours=1))
            .add_extension(x509.BasicConstraints(ca=not names, path_length=None), critical=True)
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        found = cls(certificate=folder / f"{name}.pem", key=folder / f"{name}.key")
        found.certificate.write_bytes(builder.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
        found.key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return found

    def server_credentials(self, *, client_ca: "Identity | None" = None) -> grpc.ServerCredentials:
        pair = (self.key.read_bytes(), self.certificate.read_bytes())
        roots = client_ca.certificate.read_bytes() if client_ca else None
        return grpc.ssl_server_credentials([pair], roots, require_client_auth=client_ca is not None)


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    return Identity.issued(tmp_path_factory.mktemp("ca"), "ca")


@pytest.fixture
def probe(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """Run the probe as a program; its exit code and its output."""

    def run(*arguments: str | Path) -> tuple[int, str]:
        monkeypatch.setattr("sys.argv", ["healthcheck", *map(str, arguments)])
        code = healthcheck.main()
        captured = capsys.readouterr()
        return code, captured.out + captured.err

    return run


Probe = Callable[..., tuple[int, str]]


@pytest.fixture
def servicer() -> health.HealthServicer:
    found = health.HealthServicer()
    found.set("", ServingStatus.SERVING)
    return found


@pytest.mark.parametrize(("name", "exit_code"), [("SERVING", 0), ("NOT_SERVING", 1)])
def test_exit_code_follows_the_serving_status(
    name: str, exit_code: int, servicer: health.HealthServicer, probe: Probe
) -> None:
    servicer.set("", ServingStatus.Value(name))
    with serving(servicer) as target:
        assert probe(target) == (exit_code, f"{target}: {name}\n")


def test_one_model_may_be_asked_for(servicer: health.HealthServicer, probe: Probe) -> None:
    servicer.set("mdn_lifter", ServingStatus.NOT_SERVING)
    with serving(servicer) as target:
        assert probe(target, "--service", "mdn_lifter") == (1, f"{target}: NOT_SERVING\n")
        assert probe(target, "--service", "nobody") == (1, f"{target}: NOT_FOUND\n")


def test_nobody_listening_is_unavailable_and_not_a_traceback(probe: Probe) -> None:
    with socket.socket() as unused:  # bound but not listening: connections are refused
        unused.bind(("127.0.0.1", 0))
        target = f"127.0.0.1:{unused.getsockname()[1]}"
        assert healthcheck.check(target, timeout_s=5) == "UNAVAILABLE"
        for options in (["--tls"], ["--http"], ["--http", "--tls"]):
            assert probe(target, *options) == (1, f"{target}: UNAVAILABLE\n")


@pytest.mark.parametrize(
    "name",
    [
        x509.DNSName("pose.example.org"),
        x509.DNSName("*.example.org"),
        x509.IPAddress(ipaddress.ip_address("192.0.2.1")),
    ],
    ids=["another host", "any host", "another address"],
)
@pytest.mark.parametrize("signed", [True, False])
def test_on_loopback_any_certificate_will_do(
    *, name: x509.GeneralName, signed: bool, ca: Identity, tmp_path: Path, servicer: health.HealthServicer, probe: Probe
) -> None:
    identity = Identity.issued(tmp_path, "server", name, by=ca if signed else None)
    with serving(servicer, identity.server_credentials()) as target:
        assert probe(target, "--tls") == (0, f"{target}: SERVING\n")
        assert probe(target) == (1, f"{target}: UNAVAILABLE\n")


def test_with_a_ca_the_server_must_be_signed_by_it(
    ca: Identity, tmp_path: Path, servicer: health.HealthServicer, probe: Probe
) -> None:
    here = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    stranger = Identity.issued(tmp_path, "stranger")
    with serving(servicer, Identity.issued(tmp_path, "server", here, by=ca).server_credentials()) as target:
        assert probe(target, "--ca", ca.certificate) == (0, f"{target}: SERVING\n")
        assert probe(target, "--ca", stranger.certificate) == (1, f"{target}: UNAVAILABLE\n")


def test_a_server_that_wants_certificates_gets_one(
    ca: Identity, tmp_path: Path, servicer: health.HealthServicer, probe: Probe
) -> None:
    server = Identity.issued(tmp_path, "server", x509.DNSName("localhost"), by=ca)
    mine = Identity.issued(tmp_path, "probe", x509.DNSName("probe"), by=ca)
    with serving(servicer, server.server_credentials(client_ca=ca)) as target:
        shown = ("--certificate", mine.certificate, "--key", mine.key)
        assert probe(target, "--tls", *shown) == (0, f"{target}: SERVING\n")
        assert probe(target, "--tls") == (1, f"{target}: UNAVAILABLE\n")


def test_across_a_network_nobody_is_believed_unseen(probe: Probe) -> None:
    code, output = probe("192.0.2.1:8001", "--tls")
    assert code == 2
    assert "--ca: expected" in output


@pytest.mark.parametrize("target", ["127.0.0.1", "127.0.0.1:http", ":"])
@pytest.mark.parametrize("option", ["--tls", "--http"])
def test_a_target_without_a_port_is_refused(target: str, option: str, probe: Probe) -> None:
    assert probe(target, option) == (2, f"error: expected HOST:PORT, got '{target}'\n")


def test_a_port_that_was_left_out_cannot_be_asked(probe: Probe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSE_MDN_HTTP_PORT", "none")
    code, output = probe("--http")
    assert code == 2
    assert "http_port: expected a port" in output


def test_a_certificate_that_is_not_there_is_named(probe: Probe, tmp_path: Path) -> None:
    code, output = probe("127.0.0.1:1", "--ca", tmp_path / "ca.pem")
    assert code == 2
    assert "ca.pem" in output
    assert len(output.splitlines()) == 1


def test_without_a_target_it_asks_the_server_of_these_settings(
    ca: Identity,
    tmp_path: Path,
    servicer: health.HealthServicer,
    probe: Probe,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = Identity.issued(tmp_path, "server", x509.DNSName("pose.example.org"), by=ca)
    with serving(servicer, server.server_credentials()) as target:
        file = tmp_path / "server.toml"
        file.write_text("[security]\ntls_certificate = 'server.pem'\ntls_key = 'server.key'\n")
        monkeypatch.setenv("POSE_MDN_CONFIG", str(file))
        monkeypatch.setenv("POSE_MDN_HOST", "0.0.0.0")
        monkeypatch.setenv("POSE_MDN_PORT", target.rpartition(":")[2])
        assert probe() == (0, f"{target}: SERVING\n")
        monkeypatch.setenv("POSE_MDN_PORT", "nonsense")
        assert probe()[0] == 2


def test_the_probe_of_a_server_that_wants_certificates_shows_the_servers_own(
    ca: Identity,
    tmp_path: Path,
    servicer: health.HealthServicer,
    probe: Probe,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = Identity.issued(tmp_path, "server", x509.DNSName("pose.example.org"), by=ca)
    with serving(servicer, server.server_credentials(client_ca=ca)) as target:
        monkeypatch.setenv("POSE_MDN_PORT", target.rpartition(":")[2])
        for name, path in (("CERTIFICATE", server.certificate), ("KEY", server.key), ("CLIENT_CA", ca.certificate)):
            monkeypatch.setenv(f"POSE_MDN_TLS_{name}", str(path))
        assert probe() == (0, f"{target}: SERVING\n")


@contextmanager
def answering(status: int, identity: Identity | None = None) -> Iterator[str]:
    """An HTTP port whose /readyz has a status."""

    class Ready(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/readyz" else 404)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Ready) as server:
        server.handle_error = lambda *_: None  # type: ignore[method-assign]
        if identity is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(identity.certificate, identity.key)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize(("status", "expected"), [(200, (0, "SERVING")), (503, (1, "HTTP 503"))])
def test_over_http_readiness_counts(
    status: int, expected: tuple[int, str], probe: Probe, monkeypatch: pytest.MonkeyPatch
) -> None:
    with answering(status) as target:
        assert probe(target, "--http") == (expected[0], f"{target}: {expected[1]}\n")
        monkeypatch.setenv("POSE_MDN_HTTP_PORT", target.rpartition(":")[2])
        assert probe("--http") == (expected[0], f"{target}: {expected[1]}\n")


def test_over_https_certificates_count_as_they_do_for_grpc(ca: Identity, tmp_path: Path, probe: Probe) -> None:
    here = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    stranger = Identity.issued(tmp_path, "stranger")
    with answering(200, Identity.issued(tmp_path, "server", here, by=ca)) as target:
        assert probe(target, "--http", "--tls") == (0, f"{target}: SERVING\n")
        assert probe(target, "--http", "--ca", ca.certificate) == (0, f"{target}: SERVING\n")
        assert probe(target, "--http", "--ca", stranger.certificate) == (1, f"{target}: UNAVAILABLE\n")
        assert probe(target, "--http", "--ca", tmp_path / "nowhere.pem")[0] == 2
        assert probe("192.0.2.1:1", "--http", "--tls")[0] == 2


@pytest.mark.parametrize("options", [("--http", "--service", "x"), ("--key", "k.pem"), ("--frobnicate",)])
def test_what_makes_no_sense_is_refused(options: tuple[str, ...], probe: Probe) -> None:
    with pytest.raises(SystemExit) as ended:
        probe(*options)
    assert ended.value.code == 2


@pytest.mark.parametrize(
    ("host", "reachable"),
    [("0.0.0.0", "127.0.0.1"), ("::", "[::1]"), ("::1", "[::1]"), ("[::]", "[::1]"), ("10.0.0.7", "10.0.0.7")],
)
def test_a_server_that_listens_everywhere_is_asked_on_loopback(host: str, reachable: str) -> None:
    assert healthcheck._reachable(host) == reachable
