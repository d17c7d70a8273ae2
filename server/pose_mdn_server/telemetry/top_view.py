"""`pose-mdn top` on a terminal: what a server does, at a glance, on 80 columns and 24 lines or more."""

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from pose_mdn_server.telemetry.activity import Activity, MethodActivity, ModelActivity, WorkerActivity
from pose_mdn_server.telemetry.amounts import bytes_text, count_text, duration_text, rate_text, seconds_text, sparkline

_FIXED_LINES = 15
"""Lines of the view that are not rows of its three tables."""
_MAX_WIDTH = 110
"""What is wider is harder to read along."""
_NARROW = 100
"""Below so many columns methods go without their services."""
_HEADING = "dim"
_FAILED = "bold red"


def top_view(
    now: Activity, *, title: str, history: Sequence[Activity], size: tuple[int, int], notice: Text | None = None
) -> RenderableType:
    """Everything, for a terminal of `size` columns and lines.

    `title` says which server, `history` is what came before, oldest first, `notice` stands at the foot.
    """
    width, height = min(size[0], _MAX_WIDTH), size[1]
    shown = share_lines(height - _FIXED_LINES, (len(now.methods), len(now.models), len(now.workers)))
    return Group(
        _header(now, title, width),
        Text(),
        _tiles(now, [*history, now], width),
        Text(),
        _methods(now.methods, shown[0], width),
        _models(now.models, shown[1], width),
        _workers(now.workers, shown[2], width),
        _foot(now, width, notice),
    )


def share_lines(lines: int, wanted: Sequence[int]) -> list[int]:
    """How many lines each table gets: one by one in turn, at least one each, none more than it has rows."""
    given = [min(rows, 1) for rows in wanted]
    while sum(given) < min(lines, sum(wanted)):
        for index, rows in enumerate(wanted):
            if given[index] < rows and sum(given) < lines:
                given[index] += 1
    return given


def rows_shown(rows: int, lines: int) -> int:
    """How many of a table's rows fit into its lines: if not all do, the last line says how many are left."""
    return rows if rows <= lines else max(lines - 1, 0)


def _header(now: Activity, title: str, width: int) -> RenderableType:
    line = Table.grid(expand=True)
    line.add_column(overflow="ellipsis", no_wrap=True)
    line.add_column(justify="right", no_wrap=True)
    uptime = "" if now.uptime_s is None else f"up {duration_text(now.uptime_s)}   "
    restarts = Text(f"restarts {now.worker_restarts}", style="yellow" if now.worker_restarts else "dim")
    line.add_row(Text(title, style="bold"), Text.assemble((uptime, "dim"), restarts))
    line.width = width
    return line


def _tiles(now: Activity, history: Sequence[Activity], width: int) -> RenderableType:
    cpu = "-" if now.cpu_us_per_answer is None else f"{now.cpu_us_per_answer:,.0f} µs"
    tiles = (
        ("answers/s", rate_text(now.answers_per_s), [past.answers_per_s for past in history]),
        ("poses/s", rate_text(now.poses_per_s), [past.poses_per_s for past in history]),
        ("p50", seconds_text(now.p50_s), [past.p50_s or 0.0 for past in history]),
        ("p99", seconds_text(now.p99_s), [past.p99_s or 0.0 for past in history]),
        ("queue", count_text(now.queue_poses), [past.queue_poses for past in history]),
        ("CPU/answer", cpu, [past.cpu_us_per_answer or 0.0 for past in history]),
    )
    column = (width - 2 * (len(tiles) - 1)) // len(tiles)
    table = Table.grid(padding=(0, 2, 0, 0))
    for _ in tiles:
        table.add_column(width=column, no_wrap=True)
    table.add_row(*(Text(name, style=_HEADING) for name, _, _ in tiles))
    table.add_row(*(Text(value, style="bold cyan") for _, value, _ in tiles))
    table.add_row(*(Text(sparkline(values, column), style="cyan") for _, _, values in tiles))
    return table


def _methods(methods: Sequence[MethodActivity], shown: int, width: int) -> RenderableType:
    table = _table(("method", "model"), ("answers/s", "poses/s", "p50", "p99", "failed/s"), width)
    for row in methods[: rows_shown(len(methods), shown)]:
        failed = Text(rate_text(row.failures_per_s), style=_FAILED if row.failures_per_s else "dim")
        table.add_row(
            row.method.rpartition("/")[2] if width < _NARROW else short_method(row.method),
            row.model or "-",
            rate_text(row.answers_per_s),
            rate_text(row.poses_per_s),
            seconds_text(row.p50_s),
            seconds_text(row.p99_s),
            failed,
        )
    return _with_rest(table, len(methods))


def _models(models: Sequence[ModelActivity], shown: int, width: int) -> RenderableType:
    table = _table(("model",), ("queued p50/p99", "ran p50/p99", "rest p50/p99", "batches/s", "poses", "busy"), width)
    for row in models[: rows_shown(len(models), shown)]:
        table.add_row(
            row.model or "-",
            *("/".join(seconds_text(value) for value in pair) for pair in (row.queue_s, row.run_s, row.rest_s)),
            rate_text(row.batches_per_s),
            "-" if row.poses_per_batch is None else f"{row.poses_per_batch:.1f}",
            f"{row.busy:.0%}",
        )
    return _with_rest(table, len(models))


def _workers(workers: Sequence[WorkerActivity], shown: int, width: int) -> RenderableType:
    headings = ("CPU", "memory", "queue", "calls", "streams", "conns", "files", "up")
    table = _table(("process",), headings, width)
    for row in workers[: rows_shown(len(workers), shown)]:
        table.add_row(
            row.worker,
            f"{row.cpu:.0%}",
            bytes_text(row.memory_bytes),
            *(count_text(value) for value in (row.queue_poses, row.in_flight, row.streams, row.connections)),
            "-" if row.open_fds is None else count_text(row.open_fds),
            "-" if row.uptime_s is None else duration_text(row.uptime_s),
        )
    return _with_rest(table, len(workers))


def _foot(now: Activity, width: int, notice: Text | None) -> RenderableType:
    failing = {**now.codes_per_s, **{f"refused {reason}": rate for reason, rate in now.refused_per_s.items()}}
    rates = [f"{name} {rate_text(rate)}/s" for name, rate in sorted(failing.items(), key=lambda item: -item[1]) if rate]
    failed = Text.assemble(("failures  ", _HEADING))
    failed.append("   ".join(rates) or "none", style=_FAILED if rates else "green")
    streams = Text.assemble(("streams   ", _HEADING))
    streams.append(f"{count_text(now.streams_open)} open")
    for direction in ("received", "sent"):
        streams.append(f"   {rate_text(now.messages_per_s.get(direction, 0.0))} {direction}/s")
    for result, count in sorted((result, count) for result, count in now.reloads.items() if count):
        streams.append(f"   reloads {result} {count}", style=_FAILED if result == "refused" else "")
    if now.log_lines_dropped:
        streams.append(f"   {now.log_lines_dropped} log lines dropped", style=_FAILED)
    lines = [failed, streams, *([notice] if notice else [])]
    for line in lines:
        line.truncate(width, overflow="ellipsis")
    return Group(*lines)


def short_method(method: str) -> str:
    """As "PoseLifting/Lift" for "pose_mdn.v1.PoseLiftingService/Lift"."""
    service, _, name = method.rpartition("/")
    return f"{service.rpartition('.')[2].removesuffix('Service')}/{name}".removeprefix("/")


def _table(texts: Sequence[str], numbers: Sequence[str], width: int) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1), header_style=_HEADING, width=width)
    for heading in texts:
        table.add_column(heading, ratio=1 if heading == texts[0] else None, no_wrap=True, overflow="ellipsis")
    for heading in numbers:
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def _with_rest(table: Table, rows: int) -> RenderableType:
    if table.row_count < rows:
        table.add_row(Text(f"... {rows - table.row_count} more", style="dim"))
    return Group(table, Text())
