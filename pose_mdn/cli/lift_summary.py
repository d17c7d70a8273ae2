"""What `pose-mdn lift` says of its work, for people and for machines."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Self

import typer

if TYPE_CHECKING:
    from pathlib import Path

    from pose_mdn.poses.hypotheses import HypothesisSequence

_STATUS_TEXTS = {
    "lifted": "lifted",
    "lifted_joints_missing": "lifted with joints missing",
    "lifted_cut_by_frame": "lifted, cut by the frame",
    "lifted_from_neighbours": "from neighbouring frames",
    "no_person": "without a person",
    "too_few_joints": "with too few joints",
    "degenerate": "degenerate",
}


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What became of one input.

    Attributes:
        input: As the user named it.
        output: The hypotheses file.
        rows: How many there are.
        status: How many of them have each status.
        out_of_distribution: How many look like no person as the model knows people; `None` if the model gives no score.
        intrinsics: Where the camera came from.
        size: Where the people's size came from.
    """

    input: str
    output: str
    rows: int
    status: dict[str, int]
    out_of_distribution: int | None
    intrinsics: str
    size: str

    @classmethod
    def of(cls, source: str, target: "Path", hypotheses: "HypothesisSequence", *, scored: bool) -> Self:
        """The summary of a result; `scored` says whether the model gives out-of-distribution scores."""
        return cls(
            input=source,
            output=str(target),
            rows=len(hypotheses),
            status=dict(Counter(map(str, hypotheses.status))),
            out_of_distribution=int(hypotheses.out_of_distribution.sum()) if scored else None,
            intrinsics=hypotheses.intrinsics_source,
            size=hypotheses.size_source,
        )


def print_summaries(done: Sequence[Summary], failed: list[dict[str, str]], model: str, *, as_json: bool) -> None:
    """All of them on stdout, and how many inputs were lifted if there were several."""
    if as_json:
        typer.echo(json.dumps({"model": model, "results": [asdict(summary) for summary in done], "failed": failed}))
        return
    for summary in done:
        _print(summary)
    if len(done) + len(failed) > 1:
        typer.echo(f"{len(done)} of {len(done) + len(failed)} inputs lifted by {model}")


def _print(summary: Summary) -> None:
    counts = [f"{summary.status[name]} {text}" for name, text in _STATUS_TEXTS.items() if name in summary.status]
    typer.echo(f"{summary.input} -> {summary.output}")
    typer.echo(f"  {summary.rows} rows: {', '.join(counts) or 'nobody'}")
    if summary.out_of_distribution:
        typer.echo(f"  {summary.out_of_distribution} look out of distribution: perhaps no person (ood_score > 0.5)")
    typer.echo(f"  camera {summary.intrinsics}")
    if summary.size.startswith("given"):
        typer.echo(f"  size {summary.size}")
