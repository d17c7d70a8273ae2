"""The example page in a real browser: another origin's page calls through fetch, Connect's client and gRPC-Web's."""

import functools
import http.server
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pose_mdn_server.client import PoseLiftingClient
from pose_mdn_server.config import ServerConfig
from pose_mdn_server.server import PoseServer

from .conftest import RunningGateway, running_gateway

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[3]
BUILD = ROOT / "examples" / "clients" / "browser" / "build.py"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


class QuietFiles(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments: object) -> None:
        pass


@contextmanager
def served_folder(folder: Path) -> Iterator[str]:
    """Origin of a folder's files."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(QuietFiles, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if shutil.which("npm") is None:
        pytest.skip("no Node.js on this machine; on Debian: apt-get install npm")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, str(BUILD), "--out", str(folder / "index.html")]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    if "npm ci failed" in built.stderr:
        pytest.skip(f"npm cannot install the page's packages here: {built.stderr.splitlines()[0]}")
    assert built.returncode == 0, built.stderr
    with served_folder(folder) as origin:
        yield origin


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None:
        pytest.skip("no Chromium on this machine; on Debian: apt-get install chromium")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is in the dev extra")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def allowing(server: PoseServer, site: str) -> Iterator[RunningGateway]:
    with running_gateway(
        ServerConfig(http_port=0, workers=1, drain_s=1.0, http_allowed_origins=(site,)), server.address
    ) as running:
        yield running


@pytest.fixture
def page(chromium: Any, site: str, allowing: RunningGateway) -> Iterator[Any]:
    opened = chromium.new_page(viewport={"width": 960, "height": 720})
    opened.goto(f"{site}/?server=http://127.0.0.1:{allowing.port}")
    yield opened
    opened.close()


def press(page: Any, button: str) -> str:
    """What the page says after a button was pressed and answered."""
    page.click(f"#{button}")
    page.wait_for_function("id => document.getElementById('said').textContent.startsWith(`${id}: `)", arg=button)
    return str(page.inner_text("#said"))


@pytest.fixture
def expected_m(client: PoseLiftingClient, page: Any) -> np.ndarray:
    sample = page.evaluate("() => JSON.parse(document.getElementById('sample').textContent)")
    frame = sample["frames"][0]
    keypoints = np.array([float(value) for value in frame["keypointsPx"]]).reshape(1, -1, 2)
    lifted = client.lift(
        keypoints,
        np.array(frame["confidence"])[None],
        skeleton=sample["skeleton"],
        image_size=(sample["imageWidthPx"], sample["imageHeightPx"]),
    )
    return lifted.means_m


@pytest.mark.parametrize("way", ["plain", "connect", "grpc-web"])
def test_every_way_lifts_as_python_does(page: Any, expected_m: np.ndarray, way: str) -> None:
    assert "1 × 5 hypotheses by mdn_lifter/1" in press(page, way)
    means = np.array(page.evaluate("() => window.lifted.meansM"), np.float64)
    np.testing.assert_allclose(means, expected_m.ravel(), rtol=0, atol=1e-6)
    lines = page.locator("#picture line").count()
    assert 16 * 2 * 5 < lines <= 16 * (1 + 2 * 5)  # of the keypoints, some are missing


def test_a_stream_answers_every_frame(page: Any) -> None:
    assert "10 × 5 hypotheses" in press(page, "stream")


def test_mistakes_name_the_field(page: Any) -> None:
    assert "keypoints_px: expected N * 33 * 2 values" in press(page, "mistake")
    assert "confidence: expected" in press(page, "mistake-library")
    assert page.get_attribute("#said", "class") == "wrong"


def test_a_page_of_another_origin_learns_nothing(chromium: Any, site: str, gateway: RunningGateway) -> None:
    stranger = chromium.new_page()
    stranger.goto(f"{site}/?server=http://127.0.0.1:{gateway.port}")
    for way in ("plain", "grpc-web"):
        assert "Failed to fetch" in press(stranger, way)
    stranger.close()
