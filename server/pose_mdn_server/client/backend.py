"""A running server in place of a session on this machine, for `pose-mdn lift --server`."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from pose_mdn.batch.backend import ModelIdentity
from pose_mdn.batch.settings import LiftSettings
from pose_mdn.errors import ConfigError, InputError
from pose_mdn.inference.observations import DEFAULT_MIN_CONFIDENCE
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.poses.keypoints import KeypointSequence
from pose_mdn_server.client.clients import ModelClient, PoseLiftingClient
from pose_mdn_server.client.connection import Connection
from pose_mdn_server.client.options import ConnectionOptions
from pose_mdn_server.codec.model_description import ModelDescription

TIMEOUT_S = 120.0
"""Of one call. A batch outlives a restart of its server: calls wait so long for it to come back."""
FIRST_TIMEOUT_S = 10.0
"""Of the first question, which tells a wrong address from a server that restarts."""
DEFAULT_PORT = 8001
SYSTEM_AUTHORITIES = "system"
"""In place of a file of authorities: those that the system trusts."""


class ServerBackend:
    """A model of a running server. Safe to use from several threads.

    Calls carry a thousand rows each, a few of them at a time, and give way to others' calls. Those that the server
    refuses because it is busy are sent again, no sooner than it asks for; so a batch goes at the server's pace.
    """

    def __init__(self, settings: LiftSettings, *, threads: int = 1) -> None:
        """Connect, and ask for the model.

        Args:
            settings: With the address of the server.
            threads: How many cores would lift on this machine; calls under way are twice as many.

        Raises:
            InputError: The settings ask for what servers do not offer.
            ConfigError: The token or the authorities cannot be read.
            ModelNotFoundError: The server has no such model.
            ServerUnavailableError: There was no answer.
        """
        if settings.min_confidence < DEFAULT_MIN_CONFIDENCE:
            raise InputError(
                f"min_confidence: expected at least {DEFAULT_MIN_CONFIDENCE}, below which servers take joints for "
                f"missing, got {settings.min_confidence:g}; raise it, or lift without a server",
                field="min_confidence",
            )
        self._settings = settings
        target = with_port(settings.server or "")
        options = connection_options(settings)
        with ModelClient(target, options=options, timeout_s=FIRST_TIMEOUT_S) as client:
            self._model = client.get_model(settings.model)
        self._connection = Connection(target, replace(options, timeout_s=TIMEOUT_S, wait_for_ready=True))
        self._client = PoseLiftingClient(self._connection)
        self._in_flight = max(2, 2 * threads)

    @property
    def name(self) -> str:
        """The model's name."""
        return self._model.name

    @property
    def version(self) -> str:
        """The model's version; all calls name it, so that the server may get a newer one meanwhile."""
        return self._model.version

    @property
    def identity(self) -> ModelIdentity:
        """Which model it is."""
        return ModelIdentity(name=self.name, version=self.version, checksum=_checksum(self._model))

    @property
    def gives_ood_score(self) -> bool:
        """Whether answers may hold scores; those of models without one are NaN."""
        return True

    def lift(
        self,
        sequence: KeypointSequence,
        *,
        min_confidence: float = DEFAULT_MIN_CONFIDENCE,
        on_progress: Callable[[int], None] | None = None,
    ) -> HypothesisSequence:
        """Lift all rows; errors as of `PoseLiftingClient.lift_many`."""
        trusted = np.where(sequence.confidence >= min_confidence, sequence.confidence, np.float32(0))
        return self._client.lift_many(
            replace(sequence, confidence=trusted),
            model=f"{self.name}/{self.version}",
            num_hypotheses=self._settings.num_hypotheses,
            seed=self._settings.seed,
            in_flight=self._in_flight,
            on_progress=on_progress,
        )

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def connection_options(settings: LiftSettings) -> ConnectionOptions:
    """How the settings say to connect.

    Raises:
        ConfigError: The file of the token cannot be read.
    """
    token = ""
    if settings.server_token_file is not None:
        try:
            token = Path(settings.server_token_file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(
                f"{settings.server_token_file}: expected a file that holds the server's token, got {error}; check it"
            ) from error
    authorities = settings.server_ca
    encrypted = authorities is not None
    return ConnectionOptions(
        channels=2,
        priority="bulk",
        attempts=5,
        token=token,
        tls=encrypted if authorities in {None, SYSTEM_AUTHORITIES} else str(authorities),
    )


def with_port(address: str) -> str:
    """An address with the port that servers have by default, if it names none.

    Raises:
        InputError: There is no address.
    """
    if not address.strip():
        raise InputError("server: expected HOST or HOST:PORT, got nothing", field="server")
    if "/" in address or address.startswith("unix:"):
        return address
    after_host = address.rpartition("]")[2]
    return address if ":" in after_host else f"{address}:{DEFAULT_PORT}"


def _checksum(model: ModelDescription) -> str:
    """Of what the server says of its model."""
    return hashlib.sha256(repr((model.name, model.version, sorted(model.metadata.items()))).encode()).hexdigest()
