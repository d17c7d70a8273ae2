"""The page on generative models keeps its word."""

import re
from pathlib import Path

from pose_mdn.data.actions import ACTION_CLASSES
from pose_mdn.inference import list_bundles, load_lifter, load_pose_prior

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "generative_models.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```python\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)


def test_the_examples_run():
    names: dict[str, object] = {}
    for example in EXAMPLES:
        if "127.0.0.1" not in example:
            exec(compile(example, "docs/generative_models.md", "exec"), names)
    assert names["whole"].shape == names["poses"].shape
    assert names["lifter"].num_hypotheses == 200


def test_the_classes_are_those_of_the_code():
    assert ", ".join(ACTION_CLASSES) in " ".join(PAGE.split())
    assert load_pose_prior("pose_cvae").labels == ACTION_CLASSES


def test_every_model_that_is_named_is_bundled():
    names = {bundle.name for bundle in list_bundles()}
    assert {"pose_vae", "pose_cvae", "cvae_lifter", "mdn_lifter"} <= names
    assert load_lifter("cvae_lifter").latent_dim == 16
