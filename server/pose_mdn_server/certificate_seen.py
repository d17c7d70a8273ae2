"""What a server on this machine shows as its certificate, taken as it is.

gRPC has no switch that turns verification off. A probe on loopback asks for health and sends no secret, so it looks at
the certificate first and then expects exactly this one.
"""

import socket
import ssl
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class SeenCertificate:
    """A certificate, unverified.

    Attributes:
        pem: The certificate, PEM.
        name: A host name or address that it is valid for; "localhost" if it states none.
    """

    pem: bytes
    name: str


def certificate_seen(target: str, *, timeout_s: float) -> SeenCertificate:
    """Ask a server for its certificate.

    Args:
        target: Address, "host:port".
        timeout_s: How long each of two connections may take.

    Raises:
        OSError: Nobody answers, or not with TLS.
    """
    blind = _context()
    blind.check_hostname = False
    blind.verify_mode = ssl.CERT_NONE
    with _connected(target, blind, timeout_s) as first:
        pem = ssl.DER_cert_to_PEM_cert(first.getpeercert(binary_form=True) or b"")
    # Python tells the contents of a certificate only if it is trusted: trust it alone, whoever signed it.
    trusting = _context()
    trusting.check_hostname = False
    trusting.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    trusting.load_verify_locations(cadata=pem)
    with _connected(target, trusting, timeout_s) as second:
        names = (second.getpeercert() or {}).get("subjectAltName", ())
    found = [str(name) for kind, name in names if kind in {"DNS", "IP Address"}]  # type: ignore[misc, str-unpack]
    # "*.example.org" is valid for any one word in the star's place.
    return SeenCertificate(pem=pem.encode(), name=(found or ["localhost"])[0].replace("*", "probe", 1))


def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_alpn_protocols(["h2"])
    return context


def _connected(target: str, context: ssl.SSLContext, timeout_s: float) -> ssl.SSLSocket:
    host, _, port = target.rpartition(":")
    plain = socket.create_connection((host.strip("[]"), int(port)), timeout=timeout_s)
    try:
        return context.wrap_socket(plain)
    except BaseException:
        plain.close()
        raise
