"""Write the dream page: one HTML file in which a pose VAE decodes under two sliders, in the browser, without a network.

    make dream
    python examples/dream/build.py --out dream.html

The decoder, ONNX Runtime's WebAssembly and the scripts are all inside the file. Needs Node.js 18 or newer and its npm,
which installs the two pinned packages of package-lock.json into .cache/dream.
"""

import argparse
import base64
import gzip
import hashlib
import html
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from directions import SAMPLES, find_directions

from pose_mdn import visualization
from pose_mdn.inference.pose_prior import PosePrior, load_pose_prior
from pose_mdn.skeletons.human36m import HUMAN36M17
from pose_mdn.visualization.payload import JSONValue, encode_description

HERE = Path(__file__).resolve().parent
CACHE = HERE.parents[1] / ".cache" / "dream"
REPORT = Path(visualization.__file__).parent / "report"
REPORT_SCRIPTS = ("algebra.js", "orbit_camera.js", "palette.js", "scene_view.js")
OWN_SCRIPTS = ("decoder.js", "pad.js", "main.js")
DIRECTIONS = 6
SIDES = {"l": "left", "r": "right"}


def main() -> None:
    """Build the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("dream.html"), help="the page (default: %(default)s)")
    out = parser.parse_args().out
    packages = install_packages()
    prior = load_pose_prior()
    wasm = packages / "onnxruntime-web" / "dist" / "ort-wasm-simd-threaded.wasm"
    parts = {
        "title": html.escape(f"What {prior.name} dreams of"),
        "style": (REPORT / "report.css").read_text() + (HERE / "page.css").read_text(),
        "description": encode_description(describe(prior)),
        "wasm": base64.b64encode(gzip.compress(wasm.read_bytes(), mtime=0)).decode(),
        "decoder": base64.b64encode(prior.bundle.graph_paths["decode"].read_bytes()).decode(),
        "script": bundle_scripts(packages),
    }
    head, *pieces = (HERE / "page.html").read_text().split("{{")
    page = head + "".join(parts[name] + rest for name, _, rest in (piece.partition("}}") for piece in pieces))
    unfinished = out.with_name(out.name + ".part")
    unfinished.write_text(page, encoding="utf-8")
    unfinished.replace(out)
    print(f"Wrote {out} ({len(page) / 1e6:.1f} MB); open it in a browser.")


def install_packages() -> Path:
    """What the lock file pins, in a folder of its own; installed unless it is there."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        sys.exit("The dream page is bundled with Node.js, which is missing; on Debian and Ubuntu: apt-get install npm")
    pinned = hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()[:12]
    installed = CACHE / pinned
    if installed.exists():
        return installed
    CACHE.mkdir(parents=True, exist_ok=True)
    print("Installing onnxruntime-web and esbuild ...", flush=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, folder)
        # Without install scripts: esbuild's binary comes as a package, and nothing else is run.
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        if subprocess.run(command, cwd=folder, check=False).returncode != 0:
            sys.exit("npm ci failed, see above; it downloads packages on its first run and so needs a network")
        # Two builds at once may both install; the folder of the first, which is not empty, stays.
        try:
            (Path(folder) / "node_modules").rename(installed)
        except OSError:
            if not installed.exists():
                raise
    return installed


def describe(prior: PosePrior) -> dict[str, JSONValue]:
    """What the scripts and the reader need to know of the model."""
    found = find_directions(prior, DIRECTIONS)
    directions: list[JSONValue] = [
        {"axis": axis.tolist(), "share": float(share), "moves": [spoken(HUMAN36M17.joint_names[j]) for j in most]}
        for axis, share, most in zip(found.axes, found.share, (-found.motion_m).argsort(axis=1)[:, :2], strict=True)
    ]
    return {
        "model": f"{prior.name}/{prior.version}",
        "samples": SAMPLES,
        "directions": directions,
        "joint_names": list(HUMAN36M17.joint_names),
        "bones": [list(bone) for bone in HUMAN36M17.bones],
        "left": list(HUMAN36M17.left),
    }


def spoken(joint: str) -> str:
    """Name of a joint for readers, left wrist for l_wrist."""
    side, _, name = joint.partition("_")
    return f"{SIDES[side]} {name}" if side in SIDES else joint.replace("_", " ")


def bundle_scripts(packages: Path) -> str:
    """The report's drawing and this page's scripts in one scope, with ONNX Runtime Web, as one module."""
    paths = [*(REPORT / name for name in REPORT_SCRIPTS), *(HERE / name for name in OWN_SCRIPTS)]
    command = [
        str(packages / ".bin" / "esbuild"),
        "--bundle", "--minify", "--format=esm", "--platform=browser", "--target=es2022", "--log-level=warning",
    ]  # fmt: skip
    environment = os.environ | {"NODE_PATH": str(packages)}
    source = "\n".join(path.read_text() for path in paths)
    return subprocess.run(
        command, input=source, cwd=HERE, env=environment, text=True, stdout=subprocess.PIPE, check=True
    ).stdout


if __name__ == "__main__":
    main()
