from pathlib import Path

import pytest

from pose_mdn.errors import PoseMDNError
from pose_mdn_server.calls import Client
from pose_mdn_server.config import ServerConfig
from pose_mdn_server.errors import NotOfferedError, PermissionDeniedError, UnauthenticatedError
from pose_mdn_server.security.gate import Gate, host_of
from pose_mdn_server.security.quotas import Quotas
from pose_mdn_server.security.tokens import new_token

PEER = "ipv4:127.0.0.1:5000"
LIFT = "/pose_mdn.v1.PoseLiftingService/Lift"
HEALTH = "/grpc.health.v1.Health/Check"
REFLECTION = (
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
)
LISTING = ("/pose_mdn.v1.ModelService/ListModels", "/inference.GRPCInferenceService/RepositoryIndex")
CONTROL = tuple(f"/inference.GRPCInferenceService/RepositoryModel{verb}" for verb in ("Load", "Unload"))


def admit(
    config: ServerConfig, path: str = LIFT, *, token: str | bytes | None = None, identity: str | None = None
) -> Client:
    metadata = {} if token is None else {"authorization": token}
    return Gate(config, Quotas()).admit(path, metadata, PEER, identity)


@pytest.fixture
def tokens(tmp_path: Path) -> tuple[Path, str, str]:
    """File, an ordinary token, a token of an administrator."""
    (user, user_digest), (admin, admin_digest) = new_token(), new_token()
    path = tmp_path / "tokens.toml"
    path.write_text(
        f'[[token]]\nname = "user"\nsha256 = "{user_digest}"\nposes_per_s = 7\n'
        f'[[token]]\nname = "admin"\nsha256 = "{admin_digest}"\nadministers = true\n'
    )
    path.chmod(0o600)
    return path, f"Bearer {user}", f"Bearer {admin}"


def test_anybody_may_call_a_server_without_tokens_under_the_name_of_an_address() -> None:
    client = admit(ServerConfig(calls_per_s=3))
    assert client == Client(name="127.0.0.1", calls_per_s=3)
    assert admit(ServerConfig()) == Client(name="127.0.0.1")


@pytest.mark.parametrize("path", [LIFT, *REFLECTION, *LISTING, "/no.such/Method"])
def test_tokens_are_wanted_for_everything_but_health(tokens: tuple[Path, str, str], path: str) -> None:
    config = ServerConfig(tokens=tokens[0])
    for wrong in (None, "", "Bearer nothing", tokens[1].encode()):
        with pytest.raises(UnauthenticatedError, match="authorization: Bearer TOKEN") as refused:
            admit(config, path, token=wrong)
        assert "nothing" not in str(refused.value)
    assert admit(config, path, token=tokens[1]).name == "user"
    assert admit(config, path, token=tokens[1]).poses_per_s == 7


def test_probes_need_no_token_and_have_no_quota(tokens: tuple[Path, str, str]) -> None:
    config = ServerConfig(tokens=tokens[0], calls_per_s=1)
    assert admit(config, HEALTH) == Client(name="127.0.0.1")
    assert admit(config, HEALTH, token="Bearer nothing") == Client(name="127.0.0.1")


def test_a_certificate_names_its_client_only_where_certificates_are_checked(tmp_path: Path) -> None:
    checked = ServerConfig(tls_client_ca=tmp_path / "ca.pem", poses_per_s=9)
    assert admit(checked, identity="camera-7") == Client(name="camera-7", poses_per_s=9)
    assert admit(checked, identity=None).name == "127.0.0.1"
    assert admit(ServerConfig(), identity="camera-7").name == "127.0.0.1"


def test_a_token_counts_more_than_a_certificate(tokens: tuple[Path, str, str], tmp_path: Path) -> None:
    config = ServerConfig(tokens=tokens[0], tls_client_ca=tmp_path / "ca.pem")
    assert admit(config, token=tokens[1], identity="camera-7").name == "user"
    with pytest.raises(UnauthenticatedError):
        admit(config, identity="camera-7")


@pytest.mark.parametrize(
    ("paths", "setting"), [(REFLECTION, "reflection"), (LISTING, "model_listing")], ids=["reflection", "listing"]
)
def test_what_is_closed_is_closed_for_everybody(
    tokens: tuple[Path, str, str], paths: tuple[str, ...], setting: str
) -> None:
    for path in paths:
        with pytest.raises(NotOfferedError):
            admit(ServerConfig(**{setting: False}), path)
        with pytest.raises(NotOfferedError):
            admit(ServerConfig(tokens=tokens[0], **{setting: False}), path, token=tokens[2])
        assert admit(ServerConfig(**{setting: True}), path)


@pytest.mark.parametrize("path", CONTROL)
@pytest.mark.parametrize(
    ("who", "control", "expected"),
    [
        (0, True, PermissionDeniedError),
        (1, True, PermissionDeniedError),
        (2, True, None),
        (2, False, NotOfferedError),
    ],
    ids=["anonymous", "user", "administrator", "closed"],
)
def test_models_are_controlled_by_administrators(
    tokens: tuple[Path, str, str], path: str, who: int, control: bool, expected: type[PoseMDNError] | None
) -> None:
    config = ServerConfig(model_control=control, tokens=tokens[0] if who else None)
    token = str(tokens[who]) if who else None
    if expected is None:
        assert admit(config, path, token=token).administers
        return
    with pytest.raises(expected):
        admit(config, path, token=token)


@pytest.mark.parametrize(
    ("peer", "host"),
    [
        ("ipv4:127.0.0.1:5000", "127.0.0.1"),
        ("ipv4:10.1.2.3", "10.1.2.3"),
        ("ipv6:%5B::1%5D:5000", "::1"),
        ("ipv6:[fe80::1%25eth0]:5000", "fe80::1%eth0"),
        ("ipv6:[::ffff:10.1.2.3]:5000", "10.1.2.3"),
        ("unix:/run/pose.sock", "local"),
        ("unix:", "local"),
        ("", ""),
    ],
)
def test_an_address_is_a_name_without_its_port(peer: str, host: str) -> None:
    assert host_of(peer) == host
    assert Gate(ServerConfig(), Quotas()).admit(LIFT, {}, peer, None).name == host


def test_the_gate_remembers_no_more_than_it_should() -> None:
    gate = Gate(ServerConfig(), Quotas())
    for number in range(10_000):
        address = f"ipv4:10.0.{number // 256}.{number % 256}:{number}"
        assert gate.admit(f"/made.up/{number}", {}, address, None).name == address[5:].split(":", maxsplit=1)[0]
    remembered = [cache.cache_info().currsize for cache in (gate._access, gate._named, gate._at_address)]
    assert max(remembered) <= 4096
