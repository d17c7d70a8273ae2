"""Certificates that change while clients connect all the time."""

import os
import ssl
import subprocess
import tempfile
import time
from pathlib import Path

from accounts import Account, judged
from fault_load import LoadSettings, load
from fault_setting import FaultSettings, Outcome, missing_option
from served import Served, pose_mdn, wait_until

ROTATIONS = 3
SEEN_S = 20.0


def certificate_rotation(settings: FaultSettings) -> Outcome:
    """The certificate on disk is replaced, several times: new connections see the new one, no call fails."""
    name = "certificate rotation"
    if reason := missing_option("--tls-certificate", "--tls-key"):
        return Outcome(scenario=name, skipped=reason)
    with tempfile.TemporaryDirectory(prefix="pose-mdn-tls-") as folder:
        authority = _Authority(Path(folder))
        certificate, key = authority.issue(0)
        options = {"--tls-certificate": certificate, "--tls-key": key}
        with pose_mdn(workers=2, options=options) as served:
            account, failures = _rotate_under_load(served, authority, settings)
    return Outcome(
        scenario=name,
        account=account,
        failures=failures,
        notes=(f"{ROTATIONS} new certificates; new clients after each, old connections went on",),
    )


def _rotate_under_load(
    served: Served, authority: "_Authority", settings: FaultSettings
) -> tuple[Account, tuple[str, ...]]:
    address = f"localhost:{served.port}"
    client = LoadSettings(address=address, threads=settings.threads, seed=settings.seed, ca=str(authority.certificate))
    failures: tuple[str, ...] = ()
    account = Account()
    with load(client, settings.processes) as steady:
        for number in range(1, ROTATIONS + 1):
            time.sleep(settings.seconds / (ROTATIONS + 1))
            certificate, _ = authority.issue(number)
            wanted = ssl.PEM_cert_to_DER_cert(certificate.read_text())
            if not wait_until(lambda wanted=wanted: _shown(served) == wanted, SEEN_S, interval_s=0.2):
                failures += (f"certificate {number} was not taken up within {SEEN_S:g} s",)
            with load(client) as fresh:
                time.sleep(1)
                account += fresh.finish()
        account += steady.finish()
    return account, failures + judged(account)


def _shown(served: Served) -> bytes:
    try:
        return ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate(("127.0.0.1", served.port), timeout=5))
    except OSError:
        return b""


class _Authority:
    """Signs certificates for localhost and puts them where the server reads them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.certificate, self._key = folder / "ca.pem", folder / "ca.key"
        _openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
            "-subj", "/CN=test authority", "-keyout", str(self._key), "-out", str(self.certificate),
        )  # fmt: skip

    def issue(self, number: int) -> tuple[Path, Path]:
        """A new key and certificate in place of those before, each replaced at once, the key first."""
        key, request, certificate = (self._folder / f"new.{suffix}" for suffix in ("key", "csr", "pem"))
        names = self._folder / "names"
        names.write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
        _openssl(
            "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-subj", f"/CN=server {number}", "-keyout", str(key), "-out", str(request),
        )  # fmt: skip
        _openssl(
            "x509", "-req", "-in", str(request), "-CA", str(self.certificate), "-CAkey", str(self._key),
            "-CAcreateserial", "-days", "2", "-extfile", str(names), "-out", str(certificate),
        )  # fmt: skip
        placed = self._folder / "server.pem", self._folder / "server.key"
        os.replace(key, placed[1])
        os.replace(certificate, placed[0])
        return placed


def _openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)
