"""Refuses to open an address of a network to callers whom nobody can name, over connections that anybody can read."""

import ipaddress
import os

from pose_mdn.errors import ConfigError
from pose_mdn_server.config import ServerConfig

SECOND_CONSENT = "POSE_MDN_ALLOW_INSECURE_PUBLIC"
"""Environment variable that has to be "1" beside the setting `allow_insecure_public`."""


def require_safe_address(config: ServerConfig) -> None:
    """Refuse addresses beyond this machine without encryption and without tokens or client certificates.

    Whoever has both elsewhere, for example in a proxy or in a container whose port is published on loopback only, says
    so twice: by the setting and by the environment variable. One of them alone is too easily copied from somewhere.

    Raises:
        ConfigError: An address is open to a network, something is missing, and it was not said twice.
    """
    missing = _missing(config)
    if not missing:
        return
    addresses = [("host", config.host)]
    if config.http_port is not None:
        addresses.append(("http_host", config.http_host))
    for setting, address in addresses:
        if not is_loopback(address) and not _allowed_twice(config):
            raise ConfigError(
                f"{setting}: expected an address of this machine alone, such as 127.0.0.1, got {address!r} without "
                f"{missing}; set them, or take the risk by --allow-insecure-public together with the environment "
                f"variable {SECOND_CONSENT}=1"
            )


def is_loopback(address: str) -> bool:
    """Whether only this machine reaches an address. A name other than "localhost" may lead anywhere, so it does not."""
    if address == "localhost":
        return True
    try:
        parsed = ipaddress.ip_address(address.strip("[]").partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(parsed, "ipv4_mapped", None)
    return bool((mapped or parsed).is_loopback)


def _missing(config: ServerConfig) -> str:
    wanted = {
        "encryption (tls_certificate, tls_key)": config.tls_certificate is not None,
        "knowing who calls (tokens, or tls_client_ca)": config.tokens is not None or config.tls_client_ca is not None,
    }
    return " and without ".join(name for name, there in wanted.items() if not there)


def _allowed_twice(config: ServerConfig) -> bool:
    return config.allow_insecure_public and os.environ.get(SECOND_CONSENT) == "1"
