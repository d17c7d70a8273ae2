"""A metrics page read back: the inverse of `exposition`."""

import http.client
import urllib.error
import urllib.request
from dataclasses import dataclass

from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from pose_mdn_server.errors import ServerUnavailableError
from pose_mdn_server.telemetry.families import FAMILIES, PREFIX, Family
from pose_mdn_server.telemetry.labels import key_of
from pose_mdn_server.telemetry.snapshots import Snapshot, empty

_MAX_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Page:
    """What a server says of itself.

    Attributes:
        version: Of the server.
        snapshot: What it has counted.
    """

    version: str
    snapshot: Snapshot


def fetch(address: str, *, timeout_s: float = 2.0) -> Page:
    """The present metrics of the server whose HTTP port is at `address`, "127.0.0.1:8002".

    Raises:
        ServerUnavailableError: Nobody answers there, or not with the metrics of a server of ours.
    """
    # Without the proxies of the environment: what is looked at is this machine, or one beside it.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://{address}/metrics", timeout=timeout_s) as answer:
            text = answer.read(_MAX_BYTES).decode("utf-8")
        return read_page(text)
    except urllib.error.HTTPError as error:
        reason = f"status {error.code}"
    except (OSError, http.client.HTTPException) as error:
        cause = getattr(error, "reason", error)
        reason = str(getattr(cause, "strerror", None) or cause or type(cause).__name__).lower()
    except ValueError as error:
        reason = str(error)
    raise ServerUnavailableError(
        f"expected metrics at http://{address}/metrics, got {reason}; start a server with `pose-mdn serve`, "
        "or name the HTTP port of one that runs: `pose-mdn top HOST:PORT`"
    )


def read_page(text: str) -> Page:
    """Read a page in Prometheus' text format. Metrics that are not ours, or not known, are left out.

    Raises:
        ValueError: It is no such page, or not of a server of ours.
    """
    version, snapshot = "", empty()
    try:
        metrics = list(text_string_to_metric_families(text))
    except Exception as error:  # the parser has no exception of its own
        raise ValueError("a page in another format") from error
    for metric in metrics:
        if metric.name == f"{PREFIX}build_info":
            version = metric.samples[0].labels["version"]
        name = metric.name.removeprefix(PREFIX)
        family = FAMILIES.get(name)
        if family is not None and metric.name.startswith(PREFIX):
            _add(snapshot, name, family, metric)
    if not version:
        raise ValueError("a page of another program")
    return Page(version=version, snapshot=snapshot)


def _add(snapshot: Snapshot, name: str, family: Family, metric: Metric) -> None:
    reached: dict[str, list[int]] = {}
    sums: dict[str, int] = {}
    for sample in metric.samples:
        key = key_of(*(sample.labels.get(label, "") for label in family.labels))
        if family.kind == "gauge":
            snapshot["gauges"].setdefault(name, {})[key] = sample.value
        elif family.kind == "counter":
            snapshot["counters"].setdefault(name, {})[key] = round(sample.value / family.unit)
        elif sample.name.endswith("_bucket"):
            reached.setdefault(key, []).append(round(sample.value))
        elif sample.name.endswith("_sum"):
            sums[key] = round(sample.value / family.unit)
    for key, row in reached.items():
        counts = [now - before for before, now in zip([0, *row], row, strict=False)]
        if len(counts) == len(family.bounds) + 1:
            snapshot["histograms"].setdefault(name, {})[key] = [sums.get(key, 0), *counts]
