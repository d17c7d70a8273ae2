"""The page on operation and the files beside it name the metrics, alerts and options that there are."""

import json
import re
from itertools import combinations
from pathlib import Path

import typer
from typer.main import get_command

from pose_mdn_server import cli_top
from pose_mdn_server.telemetry.families import FAMILIES, PREFIX

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "operation.md").read_text(encoding="utf-8")
ALERTS = (ROOT / "deploy" / "prometheus-alerts.yaml").read_text(encoding="utf-8")
DASHBOARD = json.loads((ROOT / "deploy" / "grafana-dashboard.json").read_text(encoding="utf-8"))


def published(name: str) -> str:
    return f"{PREFIX}{name}_total" if FAMILIES[name].kind == "counter" else PREFIX + name


def series_names() -> set[str]:
    """Names that a query may ask for."""
    names = {f"{PREFIX}build_info"}
    for name, family in FAMILIES.items():
        histogram = family.kind == "histogram"
        names |= {published(name) + suffix for suffix in (("_bucket", "_sum", "_count") if histogram else ("",))}
    return names


def test_the_table_is_that_of_the_code() -> None:
    rows = dict(re.findall(r"^\| `(pose_mdn_\w+)` \| (.*) \|$", PAGE, flags=re.MULTILINE))
    assert rows.pop(f"{PREFIX}build_info")
    assert rows == {
        published(name): f"{family.kind} | {', '.join(f'`{label}`' for label in family.labels) or '-'} | {family.help}"
        for name, family in FAMILIES.items()
    }


def test_queries_ask_for_series_that_exist() -> None:
    queries = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
    queries += re.findall(r"^\| [^|]+ \| `(.*(?:rate|sum)\(.*)` \|$", PAGE, flags=re.MULTILINE)
    queries += re.findall(r"expr: (?:\|\n)?(.*?)\n +(?:for|labels):", ALERTS, flags=re.DOTALL)
    assert len(queries) > 25
    asked = {name for query in queries for name in re.findall(r"\bpose_mdn_\w+", query)}
    assert asked - series_names() == set()


def test_queries_select_by_labels_that_exist() -> None:
    texts = json.dumps(DASHBOARD).replace('\\"', '"'), PAGE, ALERTS
    for text in texts:
        for name, selector in re.findall(r"\b(pose_mdn_\w+)\{([^}]*)\}", text):
            family = FAMILIES[re.sub(r"_(total|bucket|sum|count)$", "", name).removeprefix(PREFIX)]
            assert set(re.findall(r"(\w+)[=!]", selector)) <= {*family.labels, "instance", "le", "job"}, name


def test_every_alert_has_its_remedy() -> None:
    assert re.findall(r"- alert: (\w+)", ALERTS) == re.findall(r"^\| `(PoseMDN\w+)` \|", PAGE, flags=re.MULTILINE)


def test_the_dashboard_lies_side_by_side() -> None:
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for one, other in combinations([panel["gridPos"] for panel in panels], 2):
        apart = [one[axis] + one[size] <= other[axis] for axis, size in (("x", "w"), ("y", "h"))]
        apart += [other[axis] + other[size] <= one[axis] for axis, size in (("x", "w"), ("y", "h"))]
        assert any(apart)
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in panels)


def test_the_command_has_the_options_that_the_page_names() -> None:
    app = typer.Typer()
    cli_top.register(app)
    options = {option for parameter in get_command(app).params for option in parameter.opts}
    named = set(re.findall(r"(?<![\w|-])--[a-z][a-z-]+", PAGE))
    assert named
    assert named <= options
