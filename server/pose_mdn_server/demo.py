"""`pose-mdn demo`: the main job, end to end, on a clip of a real person."""

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the `demo` command."""
    app.command("demo")(demo)


def demo(
    output: Annotated[Path, typer.Option("--output", "-o", help="Page to write.")] = Path("demo-report.html"),
    rows: Annotated[int, typer.Option(help="Frames to print.", min=1)] = 12,
) -> None:
    """Lift the bundled clip: start a server on loopback, send real keypoints over gRPC, show what came back."""
    import time  # noqa: PLC0415
    from importlib.resources import as_file, files  # noqa: PLC0415

    from rich.console import Console  # noqa: PLC0415

    from pose_mdn.formats import read_keypoints  # noqa: PLC0415
    from pose_mdn.visualization import hypotheses_table, write_report  # noqa: PLC0415
    from pose_mdn_server.client import PoseLiftingClient  # noqa: PLC0415
    from pose_mdn_server.config import ServerConfig  # noqa: PLC0415
    from pose_mdn_server.server import PoseServer  # noqa: PLC0415

    console = Console(highlight=False)
    with as_file(files("pose_mdn") / "samples" / "walking_clip.npz") as path:
        clip = read_keypoints(path)
    with PoseServer(ServerConfig(port=0)) as server, PoseLiftingClient(server.address) as client:
        console.print(f"server on {server.address}; sending {len(clip)} frames of {clip.skeleton.name} keypoints ...")
        started = time.perf_counter()
        hypotheses = client.lift_sequence(clip)
        elapsed_ms = (time.perf_counter() - started) * 1e3
    console.print(hypotheses_table(hypotheses, max_rows=rows))
    report = write_report(hypotheses, output, title="pose-mdn demo: a person walks")
    console.print(
        f"{int(hypotheses.lifted.sum())} of {len(clip)} frames lifted by {hypotheses.model} in {elapsed_ms:.0f} ms, "
        f"{hypotheses.num_hypotheses} hypotheses each\n"
        f"intrinsics: {hypotheses.intrinsics_source}\n\n"
        f"report: [bold]{report.path.resolve()}[/bold], to be opened in a browser\n"
        "next:   pose-mdn lift YOUR_KEYPOINTS -o result.npz    your own detector's files\n"
        "        pose-mdn serve                                a server for your own app (docs/protocol.md)",
        soft_wrap=True,
    )
