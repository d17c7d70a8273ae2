"""`pose-mdn sample`: poses from a prior, and what else a prior is good for."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pose_mdn.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pose_mdn.inference import PosePrior

    Floats = NDArray[np.float64]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("sample")(sample)


def sample(
    model: Annotated[str, typer.Argument(help="Bundled prior, NAME/VERSION, or the folder of a bundle.")] = "pose_vae",
    *,
    number: Annotated[int, typer.Option("-n", "--number", min=1, help="How many poses, or steps between two.")] = 16,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the latents; the same seed gives the same poses.")] = 0,
    label: Annotated[
        str | None, typer.Option(help="Class of actions of a conditioned prior; every class in turn if left out.")
    ] = None,
    temperature: Annotated[float, typer.Option(min=0.0, help="Below 1: more usual poses.")] = 1.0,
    complete: Annotated[
        Path | None, typer.Option(metavar="POSES", help="Fill the missing joints (NaN) of a poses file instead.")
    ] = None,
    denoise: Annotated[Path | None, typer.Option(metavar="POSES", help="Smooth away noise of a poses file.")] = None,
    noise_mm: Annotated[float, typer.Option(min=0.0, help="Of --denoise: standard deviation of coordinates.")] = 30.0,
    interpolate: Annotated[
        Path | None, typer.Option(metavar="POSES", help="Go from the first to the last pose of a file in -n steps.")
    ] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Poses file .npz to write.")] = None,
    picture: Annotated[Path | None, typer.Option(help="Picture of the poses to write, .svg.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print joints and scores for machines.")] = False,
) -> None:
    """Sample poses from a prior, or complete, denoise or join given ones.

    Poses are root-relative metres in the upright frame: y down along gravity, x to the person's left, facing. A poses
    file is an .npz with `pose` (N, 17, 3), joints of Human3.6M-17, NaN where missing.

    Examples: pose-mdn sample pose_vae -n 16 --seed 7 --picture poses.svg

        pose-mdn sample pose_cvae --label sitting -o sitting.npz

        pose-mdn sample --complete holes.npz -o whole.npz --picture whole.svg

        pose-mdn sample --interpolate ends.npz -n 8 --picture between.svg
    """
    from pose_mdn.inference import load_pose_prior  # noqa: PLC0415

    if sum(path is not None for path in (complete, denoise, interpolate)) > 1:
        raise InputError("--complete, --denoise, --interpolate: expected at most one of them, got several")
    prior = load_pose_prior(model)
    if complete or denoise or interpolate:
        poses = _from_given(prior, complete, denoise, interpolate, label=label, noise_mm=noise_mm, steps=number)
        labels = [label or ""] * len(poses)
    else:
        poses = prior.sample(number, seed=seed, label=label, temperature=temperature)
        labels = prior.labels_of_samples(number, label) or [""] * number
    _show(prior, poses, labels, output, picture, as_json=as_json)


def _from_given(
    prior: "PosePrior",
    complete: Path | None,
    denoise: Path | None,
    interpolate: Path | None,
    *,
    label: str | None,
    noise_mm: float,
    steps: int,
) -> "Floats":
    from pose_mdn.cli.progress import row_progress  # noqa: PLC0415
    from pose_mdn.formats.poses_npz import read_poses  # noqa: PLC0415
    from pose_mdn.inference import complete_poses, denoise_poses  # noqa: PLC0415

    if prior.labels and label is None:
        raise InputError(f"--label: expected one of {', '.join(prior.labels)}, got none")
    given = complete or denoise
    if given:
        poses = read_poses(given)
        with row_progress() as progress:
            progress.begin("fit", len(poses))
            if complete:
                return complete_poses(prior, poses, label=label, on_progress=progress.advance)
            std_m = noise_mm / 1000.0
            return denoise_poses(prior, poses, noise_std_m=std_m, label=label, on_progress=progress.advance)
    assert interpolate is not None
    ends = read_poses(interpolate)
    if len(ends) < 2:
        raise InputError(f"{interpolate}: expected at least two poses to go between, got {len(ends)}")
    return prior.interpolate(ends[0], ends[-1], steps, label=label)


def _show(
    prior: "PosePrior",
    poses: "Floats",
    labels: list[str],
    output: Path | None,
    picture: Path | None,
    *,
    as_json: bool,
) -> None:
    import numpy as np  # noqa: PLC0415

    from pose_mdn.formats.atomic import replace_atomically  # noqa: PLC0415
    from pose_mdn.formats.poses_npz import write_poses  # noqa: PLC0415
    from pose_mdn.visualization.pose_sheet import pose_sheet_svg  # noqa: PLC0415

    index = np.array([prior.labels.index(name) for name in labels]) if prior.labels else None
    scores = prior.score(poses, label=index)
    if output is not None:
        columns = {"score_nats": scores.bound_nats, "standard_error_nats": scores.standard_error_nats}
        write_poses(output, poses, columns | ({"label": np.array(labels)} if prior.labels else {}))
    if picture is not None:
        captions = [
            f"{name} {score:.0f}".strip() for name, score in zip(labels, scores.bound_nats.tolist(), strict=True)
        ]
        with replace_atomically(picture) as stream:
            stream.write(pose_sheet_svg(poses, captions).encode())
    if as_json:
        facts = [
            {
                "pose_m": np.round(pose, 5).tolist(),
                "score_nats": round(float(score), 3),
                "standard_error_nats": round(float(error), 3),
                "usual": bool(usual),
                **({"label": name} if name else {}),
            }
            for pose, score, error, usual, name in zip(
                poses, scores.bound_nats, scores.standard_error_nats, scores.usual, labels, strict=True
            )
        ]
        typer.echo(json.dumps({"model": f"{prior.name}/{prior.version}", "frame": "upright", "poses": facts}))
        return
    low, high = prior.usual_range_nats
    usual = int(scores.usual.sum())
    typer.echo(
        f"{len(poses)} poses of {prior.name}/{prior.version}; {usual} score as real ones do ({low:.0f} to {high:.0f} "
        f"nats), median {np.nanmedian(scores.bound_nats):.1f}"
    )
