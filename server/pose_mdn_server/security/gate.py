"""Who calls, and whether they may: asked once for each call, before its first message is read."""

import enum
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from urllib.parse import unquote

from pose_mdn_server.calls.call import Client
from pose_mdn_server.config import ServerConfig
from pose_mdn_server.errors import NotOfferedError, PermissionDeniedError, UnauthenticatedError
from pose_mdn_server.security.quotas import Quotas
from pose_mdn_server.security.tokens import TokenFile

_HEALTH = "/grpc.health.v1."
_REFLECTION = "/grpc.reflection."
_LISTING = ("/pose_mdn.v1.ModelService/", "/inference.GRPCInferenceService/RepositoryIndex")
_CONTROL = (
    "/inference.GRPCInferenceService/RepositoryModelLoad",
    "/inference.GRPCInferenceService/RepositoryModelUnload",
)

_REMEMBERED = 4096
"""Addresses and paths of which the answer is kept; they come from outside, so there must be an end."""


class _Access(enum.Enum):
    PROBES = enum.auto()
    CLIENTS = enum.auto()
    ADMINISTRATORS = enum.auto()
    NOBODY = enum.auto()


class Gate:
    """Lets calls in.

    Attributes:
        quotas: What clients have left; to be taken from once it is known how many poses a call brings.
    """

    def __init__(self, config: ServerConfig, quotas: Quotas) -> None:
        """Read the file of tokens, if the settings name one.

        Raises:
            ConfigError: It cannot be read.
        """
        self.quotas = quotas
        self._config = config
        self._tokens = (
            None
            if config.tokens is None
            else TokenFile(config.tokens, calls_per_s=config.calls_per_s, poses_per_s=config.poses_per_s)
        )
        self._certified = config.tls_client_ca is not None
        self._access = lru_cache(maxsize=_REMEMBERED)(self._find_access)
        self._named = lru_cache(maxsize=_REMEMBERED)(self._find_named)
        self._at_address = lru_cache(maxsize=_REMEMBERED)(lambda peer: self._named(host_of(peer)))

    def admit(self, path: str, metadata: Mapping[str, str | bytes], peer: str, identity: str | None) -> Client:
        """Who calls a method.

        Args:
            path: "/package.Service/Method".
            metadata: What came with the call, by lower-case key.
            peer: Address of the other end as gRPC gives it, "ipv4:127.0.0.1:52100".
            identity: Common name of the client's certificate, if it showed one that was verified.

        Raises:
            UnauthenticatedError: The server has tokens, and the call none of them.
            PermissionDeniedError: Only administrators may call this.
            NotOfferedError: The settings closed the method.
        """
        access = self._access(path)
        if access is _Access.CLIENTS:
            return self._client(metadata, peer, identity)
        if access is _Access.NOBODY:
            raise NotOfferedError(
                f"method: expected one that this server offers, got {path[:128]}, which is closed here"
            )
        if access is _Access.PROBES:
            # Probes have no quota: a load balancer that is refused would take the server out of service.
            return Client(name=host_of(peer))
        client = self._client(metadata, peer, identity)
        if not client.administers:
            raise PermissionDeniedError(
                f"{path[:128]}: expected a token that administers this server, got one of a client without that right"
            )
        return client

    def _client(self, metadata: Mapping[str, str | bytes], peer: str, identity: str | None) -> Client:
        if self._tokens is not None:
            return self._by_token(self._tokens, metadata.get("authorization"))
        if self._certified and identity:
            return self._named(identity)
        return self._at_address(_without_port(peer))

    @staticmethod
    def _by_token(tokens: TokenFile, authorization: str | bytes | None) -> Client:
        client = tokens.find(authorization) if isinstance(authorization, str) else None
        if client is None:
            raise UnauthenticatedError(
                "authorization: expected metadata 'authorization: Bearer TOKEN' with a token that this server knows, "
                f"got {'none' if authorization is None else 'one that is unknown or has expired'}; "
                "ask whoever runs the server for one"
            )
        return client

    def _find_named(self, name: str) -> Client:
        config = self._config
        unlimited = Client(name=name)
        if not config.calls_per_s and not config.poses_per_s:
            return unlimited
        return replace(unlimited, calls_per_s=config.calls_per_s or None, poses_per_s=config.poses_per_s or None)

    def _find_access(self, path: str) -> _Access:
        config = self._config
        if path.startswith(_HEALTH):
            return _Access.PROBES
        if path.startswith(_REFLECTION):
            return _Access.CLIENTS if config.reflection else _Access.NOBODY
        if path in _CONTROL:
            return _Access.ADMINISTRATORS if config.model_control else _Access.NOBODY
        if path.startswith(_LISTING):
            return _Access.CLIENTS if config.model_listing else _Access.NOBODY
        return _Access.CLIENTS


def _without_port(peer: str) -> str:
    at = peer.rfind(":")
    return peer[:at] if at > len("ipv4:") else peer


def host_of(peer: str) -> str:
    """The address in a peer's name, without scheme and port: "ipv6:%5B::1%5D:5000" and "ipv6:[::1]" give "::1".

    Callers over a Unix socket are all "local".
    """
    scheme, _, address = unquote(peer).partition(":")
    if scheme == "unix":
        return "local"
    if address.startswith("["):
        host = address[1:].partition("]")[0]
    else:
        host = address.partition(":")[0] if address.count(":") == 1 else address
    return host.removeprefix("::ffff:") if "." in host else host
