"""Snapshots as a page that Prometheus reads."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from pose_mdn import __version__
from pose_mdn_server.telemetry.families import FAMILIES, PREFIX, Family
from pose_mdn_server.telemetry.labels import SEPARATOR
from pose_mdn_server.telemetry.snapshots import Snapshot

_OPENMETRICS = "application/openmetrics-text; version=1.0.0"


def exposition(snapshot: Snapshot, openmetrics: bool = False) -> tuple[bytes, str]:
    """The metrics page and its content type: Prometheus' text format, or OpenMetrics for those who accept it.

    A family of which the snapshot has nothing stands there with its help and no series.
    """
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Once(snapshot))
    generate, content_type = choose_encoder(_OPENMETRICS if openmetrics else "")
    return generate(registry), content_type


class _Once(Collector):
    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def collect(self) -> Iterator[Metric]:
        yield InfoMetricFamily(PREFIX + "build", "The version that serves.", {"version": __version__})
        for name, family in FAMILIES.items():
            if family.kind == "histogram":
                yield _histogram(name, family, self._snapshot["histograms"].get(name, {}))
            elif family.kind == "counter":
                yield _counter(name, family, self._snapshot["counters"].get(name, {}))
            else:
                yield _gauge(name, family, self._snapshot["gauges"].get(name, {}))


def _counter(name: str, family: Family, series: dict[str, int]) -> Metric:
    metric = CounterMetricFamily(PREFIX + name, family.help, labels=family.labels)
    for key, count in {**dict.fromkeys(family.always, 0), **series}.items():
        metric.add_metric(_labels(family, key), count * family.unit)
    return metric


def _gauge(name: str, family: Family, series: dict[str, float]) -> Metric:
    metric = GaugeMetricFamily(PREFIX + name, family.help, labels=family.labels)
    for key, level in series.items():
        metric.add_metric(_labels(family, key), level)
    return metric


def _histogram(name: str, family: Family, series: dict[str, list[int]]) -> Metric:
    metric = HistogramMetricFamily(PREFIX + name, family.help, labels=family.labels)
    edges = [*(f"{edge:.12g}" for edge in family.bounds), "+Inf"]
    for key, (total, *counts) in series.items():
        reached, buckets = 0, []
        for edge, count in zip(edges, counts, strict=True):
            reached += count
            buckets.append((edge, float(reached)))
        metric.add_metric(_labels(family, key), buckets, total * family.unit)
    return metric


def _labels(family: Family, key: str) -> list[str]:
    return key.split(SEPARATOR) if family.labels else []
