"""The dream page in a real browser: it asks for nothing, follows sliders, pad and mouse, and decodes as Python does."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pose_mdn.inference.pose_prior import load_pose_prior

from .conftest import OpenReport

pytestmark = pytest.mark.browser

BUILD = Path(__file__).parents[3] / "examples" / "dream" / "build.py"
SAME_POSE_M = 1e-6


@pytest.fixture(scope="module")
def dream_page(chromium_path: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("npm") is None or shutil.which("node") is None:
        pytest.skip("no Node.js on this machine; on Debian: apt-get install npm")
    page = tmp_path_factory.mktemp("dream") / "dream.html"
    built = subprocess.run(
        [sys.executable, str(BUILD), "--out", str(page)], capture_output=True, text=True, check=False
    )
    if "npm ci failed" in built.stderr:
        pytest.skip(f"npm cannot install the page's packages here: {built.stderr.splitlines()[0]}")
    assert built.returncode == 0, built.stderr
    return page


@pytest.fixture
def dream(open_page: Callable[..., OpenReport], dream_page: Path) -> OpenReport:
    return open_page(dream_page)


def shown(dream: OpenReport) -> tuple[np.ndarray, np.ndarray]:
    """The (32,) latent and the (17, 3) joints on the screen."""
    pose: dict[str, Any] = dream.page.evaluate("() => window.dream.read()")
    return np.array(pose["latent"]), np.array(pose["joints_m"])


def assert_decoded_as_in_python(dream: OpenReport) -> None:
    latent, joints_m = shown(dream)
    np.testing.assert_allclose(joints_m, load_pose_prior().decode(latent[None])[0], rtol=0, atol=SAME_POSE_M)


def test_sliders_move_the_pose_that_python_decodes(dream: OpenReport) -> None:
    latent, middle_m = shown(dream)
    assert not latent.any()
    assert_decoded_as_in_python(dream)
    drawn = dream.picture()
    for slider, value in (("#along-0", 1.7), ("#along-1", -1.2)):
        before, before_m = shown(dream)
        dream.page.locator(slider).fill(str(value))
        after, after_m = shown(dream)
        # Directions are unit vectors, so sliders are in standard deviations.
        assert np.linalg.norm(after - before) == pytest.approx(abs(value), abs=1e-5)
        assert np.linalg.norm(after_m - before_m, axis=1).max() > 0.05
        assert_decoded_as_in_python(dream)
    assert dream.picture() != drawn
    dream.page.click("#middle")
    np.testing.assert_array_equal(shown(dream)[1], middle_m)


def test_the_pad_is_both_sliders(dream: OpenReport) -> None:
    box = dream.page.locator("#pad").bounding_box()
    dream.page.mouse.click(box["x"] + 0.75 * box["width"], box["y"] + 0.75 * box["height"])
    assert float(dream.page.input_value("#along-0")) == pytest.approx(1.5, abs=0.05)
    assert float(dream.page.input_value("#along-1")) == pytest.approx(-1.5, abs=0.05)
    assert_decoded_as_in_python(dream)


def test_a_sample_of_the_prior_has_every_latent(dream: OpenReport) -> None:
    dream.page.click("#sample")
    latent, _ = shown(dream)
    assert (latent != 0).all()
    assert_decoded_as_in_python(dream)


def test_the_mouse_turns_the_skeleton(dream: OpenReport) -> None:
    start = dream.picture()
    box = dream.page.locator("#scene").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    dream.page.mouse.move(x, y)
    dream.page.mouse.down()
    dream.page.mouse.move(x + 90, y + 20, steps=4)
    dream.page.mouse.up()
    assert dream.picture() != start
