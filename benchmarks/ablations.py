"""What each part of the lifter is worth: the default recipe with one thing changed, on equal numbers of views.

    python benchmarks/ablations.py --data motions.npz                      # all of them, 4 minutes each on one core
    python benchmarks/ablations.py --data motions.npz m_1 isotropic        # these alone
    python benchmarks/ablations.py --data motions.npz --table              # the table of what is done

Every variant is trained on `--views` views of the `train` split, calibrated on `validation`, exported, and measured on
views of the `test` split's distinct poses. Runs and figures stay in `--output`; what is done is not done again, so that
several processes may share the work, each with variants and, in OMP_NUM_THREADS, a core of its own.
"""

import argparse
import dataclasses
import json
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

from pose_mdn.config import TrainingConfig, load_preset
from pose_mdn.evaluation.protocol import evaluate
from pose_mdn.evaluation.virtual_views import virtual_views
from pose_mdn.inference import load_lifter
from pose_mdn.training.calibration import calibrate_run
from pose_mdn.training.checkpoint import load_trained
from pose_mdn.training.trainer import Trainer
from pose_mdn_export.bundle_writer import BundleDescription, write_bundle
from pose_mdn_export.signature import TOLERANCES, Tolerance

Settings = TypeVar("Settings")

LIKELIHOOD_ALONE = {"loss": {"top_1_weight": 0.0, "best_of_m_weight": 0.0}}
NO_TEMPERING = {"initial_temperature": 1.0}

VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    "default": ("the default recipe", {}),
    "m_1": ("M = 1", {"model": {"num_hypotheses": 1}}),
    "m_3": ("M = 3", {"model": {"num_hypotheses": 3}}),
    "m_10": ("M = 10", {"model": {"num_hypotheses": 10}}),
    "dirichlet_none": ("no Dirichlet prior (concentration 1)", {"loss": {"dirichlet_concentration": 1.0}}),
    "dirichlet_2": ("Dirichlet concentration 2", {"loss": {"dirichlet_concentration": 2.0}}),
    "dirichlet_5": ("Dirichlet concentration 5", {"loss": {"dirichlet_concentration": 5.0}}),
    "isotropic": ("one standard deviation per hypothesis", {"model": {"covariance": "isotropic"}}),
    "untempered": ("no tempering", {"loss": NO_TEMPERING}),
    "camera_view": ("no canonical view", {"model": {"view": "camera"}}),
    "free_head": ("free coordinates instead of bones", {"model": {"head": "free"}}),
    "points_alone": ("no distances between joints", {"model": {"distances": False}}),
    "adamw": ("AdamW instead of Muon", {"optimizer": {"name": "adamw", "learning_rate": 1.2e-3}}),
    "frames": ("bodies drawn by frame", {"views": {"body": {"distinct_share": 0.0}}}),
    "likelihood": ("likelihood alone", LIKELIHOOD_ALONE),
    "likelihood_m_1": ("likelihood alone, M = 1", {**LIKELIHOOD_ALONE, "model": {"num_hypotheses": 1}}),
    "likelihood_untempered": (
        "likelihood alone, no tempering, no prior",
        {"loss": {**LIKELIHOOD_ALONE["loss"], **NO_TEMPERING, "dirichlet_concentration": 1.0}},
    ),
    "likelihood_dirichlet_2": (
        "likelihood alone, no tempering, concentration 2",
        {"loss": {**LIKELIHOOD_ALONE["loss"], **NO_TEMPERING, "dirichlet_concentration": 2.0}},
    ),
    "li_lee_2019": ("Li and Lee 2019", {}),
}
"""What the table calls each variant, and what is changed."""

PARITY = {
    **TOLERANCES,
    "root_translation_m": Tolerance(absolute=1e-2),
    "reprojection_error_px": Tolerance(absolute=1.0, relative=1e-2),
}
"""Free coordinates may be no bodies, whose root is then ill-conditioned; what the table shows does not rest on it."""

COLUMNS = {
    "clean best": ("clean", "best_of_m"),
    "clean top-1": ("clean", "top_1"),
    "noisy best": ("noisy", "best_of_m"),
    "noisy top-1": ("noisy", "top_1"),
    "2 missing best": ("two_missing", "best_of_m"),
    "noisy NLL": ("noisy", "nll"),
    "noisy CRPS": ("noisy", "crps"),
    "noisy ECE": ("noisy", "ece"),
    "effective M": ("noisy", "effective_hypotheses"),
    "rarest winner": ("noisy", "win_rates"),
    "MPSSE": ("noisy", "mpsse"),
}


def settings(name: str, views: int) -> TrainingConfig:
    """A variant's settings on a budget of views."""
    config = load_preset("li_lee_2019" if name == "li_lee_2019" else "default")
    config = _changed(config, VARIANTS[name][1])
    if name == "li_lee_2019":
        # Its own recipe on the same views of the same bodies and cameras.
        config = dataclasses.replace(config, views=load_preset("default").views)
    return dataclasses.replace(config, steps=views // config.batch_size, checkpoint_every=10**9)


def _changed(config: Settings, changes: dict[str, Any]) -> Settings:
    values = {
        key: _changed(getattr(config, key), value) if isinstance(value, dict) else value
        for key, value in changes.items()
    }
    return dataclasses.replace(config, **values)  # type: ignore[type-var]


def run(name: str, data: Path, folder: Path, views: int, rows: int) -> dict[str, Any]:
    """Train, calibrate, export and measure a variant."""
    start = time.time()
    config = settings(name, views)
    Trainer(config, data, folder).run(
        lambda step, figures: print(f"\r{name}: {step}/{config.steps} {figures['loss']:.1f}", end="", flush=True)
    )
    calibrate_run(folder, data)
    graph, config, steps = load_trained(folder)
    description = BundleDescription(name=name, version=1, licence="", training_data="", card="")
    bundle, _ = write_bundle(graph, config, steps, description, folder / "bundles", tolerances=PARITY)
    lifter = load_lifter(str(bundle))
    figures: dict[str, Any] = {"minutes": (time.time() - start) / 60}
    for view in virtual_views(data, "test", count=rows, seed=0, balanced=True):
        if view.name in {path[0] for path in COLUMNS.values()}:
            figures[view.name] = evaluate(view.name, lifter.lift(view.keypoints), view.pose_camera_m).as_dict()
    (folder / "figures.json").write_text(json.dumps(figures, indent=2))
    print(f"\r{name}: {figures['minutes']:.1f} minutes")
    return figures


def table(output: Path, names: Iterable[str]) -> str:
    """Markdown of the variants that are done."""
    lines = ["| variant | " + " | ".join(COLUMNS) + " |", "|---" * (len(COLUMNS) + 1) + "|"]
    for name in names:
        path = output / name / "figures.json"
        if path.is_file():
            figures = json.loads(path.read_text())
            cells = [_cell(column, figures[view][key]) for column, (view, key) in COLUMNS.items()]
            lines.append(f"| {VARIANTS[name][0]} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(column: str, value: Any) -> str:
    if column == "rarest winner":
        return f"{100 * min(value):.0f} %"
    digits = {"noisy NLL": 2, "noisy ECE": 3, "effective M": 1}.get(column, 1)
    return f"{value:.{digits}f}"


def main() -> None:
    """Run what is asked for and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("variants", nargs="*", choices=[[], *VARIANTS], help="all if none is named")
    parser.add_argument("--data", type=Path, required=True, help="motion data .npz")
    parser.add_argument("-o", "--output", type=Path, default=Path("runs/ablations"), help="runs and figures")
    parser.add_argument("--views", type=int, default=1_200_000, help="training views of each variant")
    parser.add_argument("--rows", type=int, default=2000, help="test views per measurement")
    parser.add_argument("--table", action="store_true", help="print the table alone")
    arguments = parser.parse_args()
    names = arguments.variants or list(VARIANTS)
    for name in [] if arguments.table else names:
        if not (arguments.output / name / "figures.json").is_file():
            run(name, arguments.data, arguments.output / name, arguments.views, arguments.rows)
    print(table(arguments.output, names))


if __name__ == "__main__":
    main()
