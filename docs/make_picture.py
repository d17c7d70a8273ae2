"""Take the README's picture: a screenshot of a report in headless Chromium.

    pose-mdn lift CLIP -o result.npz && pose-mdn view result.npz -o report.html
    python docs/make_picture.py report.html docs/picture.png --frame 40

Needs `playwright` (in the dev extra) and a Chromium (on Debian: apt-get install chromium).
"""

import argparse
import shutil
from pathlib import Path

from playwright.sync_api import sync_playwright


def take_picture(report: Path, picture: Path, *, step: int, scheme: str, width: int, height: int) -> None:
    """Open a report from the disk, go to a step and save what the window shows at twice the resolution."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        raise SystemExit("no Chromium found; on Debian: apt-get install chromium")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(
            viewport={"width": width, "height": height},
            color_scheme="dark" if scheme == "dark" else "light",
            device_scale_factor=2,
        )
        page.goto(report.resolve().as_uri())
        page.wait_for_selector("html[data-ready]", state="attached")
        page.locator("#slider").fill(str(step))
        page.locator("#slider").blur()
        page.wait_for_timeout(300)
        page.screenshot(path=picture)
        browser.close()


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("report", type=Path)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--frame", type=int, default=0, help="position of the slider, from 0")
    parser.add_argument("--scheme", choices=("light", "dark"), default="light")
    parser.add_argument("--width", type=int, default=1280)
    parser.add_argument("--height", type=int, default=800)
    given = parser.parse_args()
    take_picture(
        given.report, given.picture, step=given.frame, scheme=given.scheme, width=given.width, height=given.height
    )


if __name__ == "__main__":
    main()
