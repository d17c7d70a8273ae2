"""A certificate chain, its key and the certificates that sign clients, checked before they are used."""

import ssl
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from pose_mdn.errors import ConfigError

_SOON_S = 14 * 24 * 3600.0
"""An end that is nearer than this is worth a warning."""

_NOT_YET_VALID, _EXPIRED, _WRONG_PURPOSE = 9, 10, 26
"""OpenSSL's codes of verification (x509_vfy.h)."""

_END = "-----END CERTIFICATE-----"


@dataclass(frozen=True, kw_only=True)
class Certificates:
    """What TLS needs.

    Attributes:
        chain: Certificate of the server, then those that signed it, PEM.
        key: Its private key, PEM.
        client_ca: Certificates that sign clients' certificates, PEM, or `None` if clients need none.
        warning: What is wrong with them although they can be used; empty if nothing is.
    """

    chain: bytes
    key: bytes = field(repr=False)
    client_ca: bytes | None
    warning: str


def read_certificates(certificate: Path, key: Path, client_ca: Path | None) -> Certificates:
    """Read and check the files.

    Raises:
        ConfigError: A file is missing, is not PEM, the key is encrypted, or it is not the certificate's.
    """
    chain_pem = _read(certificate, "tls_certificate")
    key_pem = _read(key, "tls_key")
    ca_pem = None if client_ca is None else _read(client_ca, "tls_client_ca")
    context = _pair_context(certificate, key)
    if ca_pem is not None:
        _require_certificates(ca_pem, client_ca)
    if (chain_pem, key_pem) != (_read(certificate, "tls_certificate"), _read(key, "tls_key")):
        raise ConfigError(f"tls_certificate: expected files that stay as they are, got {certificate} being written")
    return Certificates(
        chain=chain_pem, key=key_pem, client_ca=ca_pem, warning=_warning(context, chain_pem, certificate)
    )


def _read(path: Path, setting: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{setting}: expected a readable PEM file, got {path} ({error.strerror})") from None


class _EncryptedKeyError(Exception):
    """OpenSSL asked for a password."""


def _pair_context(certificate: Path, key: Path) -> ssl.SSLContext:
    def ask() -> str:
        raise _EncryptedKeyError

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate, key, password=ask)
    except _EncryptedKeyError:
        raise ConfigError(
            f"tls_key: expected a key without a password, got {key}, which is encrypted; "
            f"decrypt it with `openssl pkey -in {key} -out FILE` and protect the file by its mode (600)"
        ) from None
    except ssl.SSLError as error:
        if error.reason in {"KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH"}:
            raise ConfigError(
                f"tls_key: expected the private key of {certificate}, got {key}, which belongs to another certificate"
            ) from None
        raise ConfigError(
            f"tls_certificate: expected a certificate and its key in PEM, got {certificate} and {key}, "
            f"which OpenSSL cannot read ({error.reason or 'no PEM block'})"
        ) from None
    except OSError as error:
        raise ConfigError(
            f"tls_certificate: expected readable PEM files, got {certificate} and {key} ({error.strerror})"
        ) from None
    return context


def _require_certificates(pem: bytes, path: Path | None) -> None:
    with suppress(ssl.SSLError, ValueError):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_verify_locations(cadata=pem.decode("ascii"))
        if context.cert_store_stats()["x509"]:
            return
    raise ConfigError(f"tls_client_ca: expected certificates in PEM, got {path}, which has none that OpenSSL can read")


def _warning(context: ssl.SSLContext, chain: bytes, path: Path) -> str:
    """What a client would say of the certificate, apart from who signed it and for which name."""
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    leaf = chain.decode("ascii", errors="replace").partition(_END)[0] + _END
    try:
        client.load_verify_locations(cadata=leaf[leaf.find("-----BEGIN CERTIFICATE-----") :])
        ends = _handshake(client, context)
    except ssl.SSLCertVerificationError as error:
        said = {
            _NOT_YET_VALID: "is not valid yet",
            _EXPIRED: "has expired",
            _WRONG_PURPOSE: "may not be used by servers (its extendedKeyUsage lacks serverAuth)",
        }.get(error.verify_code, f"fails verification: {error.verify_message}")
        return f"tls_certificate: {path} {said}; clients will refuse it"
    except (ssl.SSLError, ValueError) as error:
        return f"tls_certificate: {path} fails a trial handshake: {error}"
    left_s = ends - time.time()
    return f"tls_certificate: {path} expires in {left_s / 86400:.1f} days" if left_s < _SOON_S else ""


def _handshake(client: ssl.SSLContext, server: ssl.SSLContext) -> float:
    """Shake hands in memory; when the server's certificate ends, in seconds since 1970."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    asking = client.wrap_bio(to_client, to_server)
    answering = server.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(2):
        for end in (asking, answering):
            with suppress(ssl.SSLWantReadError):
                end.do_handshake()
    shown = asking.getpeercert() or {}
    return float(ssl.cert_time_to_seconds(str(shown.get("notAfter"))))
