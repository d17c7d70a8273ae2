"""Draw the pictures of docs/generative_models.md.

python docs/make_pose_sheets.py

Samples of the bundled priors, seed 7: sixteen of `pose_vae`, and four of each class of `pose_cvae`, a class per column.
"""

from pathlib import Path

from pose_mdn.inference import load_pose_prior
from pose_mdn.visualization.pose_sheet import pose_sheet_svg

IMAGES = Path(__file__).parent / "images"
SEED = 7
ROWS = 4


def main() -> None:
    """Write both sheets."""
    prior, conditioned = load_pose_prior("pose_vae"), load_pose_prior("pose_cvae")
    (IMAGES / "pose_vae_samples.svg").write_text(pose_sheet_svg(prior.sample(16, seed=SEED)), encoding="utf-8")
    classes = len(conditioned.labels)
    samples = conditioned.sample(ROWS * classes, seed=SEED)
    captions = conditioned.labels_of_samples(len(samples), None)
    sheet = pose_sheet_svg(samples, captions, columns=classes)
    (IMAGES / "pose_cvae_samples.svg").write_text(sheet, encoding="utf-8")


if __name__ == "__main__":
    main()
