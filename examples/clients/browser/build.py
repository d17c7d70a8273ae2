"""Write a page that lifts poses from a browser: with plain fetch, and with Connect's and gRPC-Web's client.

    python examples/clients/browser/build.py --out site/index.html
    python -m http.server 8003 --bind 127.0.0.1 --directory site
    pose-mdn serve --http-allowed-origins http://127.0.0.1:8003

Then open http://127.0.0.1:8003. Needs Node.js 18 or newer and its npm, which installs the pinned packages of
package-lock.json into .cache/browser_client, and grpcio-tools, whose protoc makes the messages.
"""

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from importlib.resources import files
from pathlib import Path

import google.rpc
import numpy as np

from pose_mdn.formats import read_keypoints
from pose_mdn.skeletons.human36m import HUMAN36M17

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
CACHE = ROOT / ".cache" / "browser_client"
SCRIPTS = ("plain.js", "library.js", "drawing.js", "main.js")
GOOGLE_PROTOS = Path(next(iter(google.rpc.__path__))).parents[1]
FRAMES = range(20, 50, 3)


def main() -> None:
    """Build the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("site/index.html"), help="the page (default: %(default)s)")
    parser.add_argument("--server", default="http://127.0.0.1:8002", help="HTTP port to call (default: %(default)s)")
    arguments = parser.parse_args()
    script = bundle_script(install_packages())
    page = (HERE / "page.html").read_text()
    for name, value in (("sample", json.dumps(sample(arguments.server))), ("script", script)):
        page = page.replace("{{" + name + "}}", value.replace("</", "<\\/"))
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(page, encoding="utf-8")
    print(f"Wrote {arguments.out} ({len(page) / 1e3:.0f} kB).")


def install_packages() -> Path:
    """What the lock file pins, in a folder of its own; installed unless it is there."""
    if shutil.which("npm") is None:
        sys.exit("The page is bundled with Node.js, which is missing; on Debian and Ubuntu: apt-get install npm")
    installed = CACHE / hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()[:12]
    if (installed / "node_modules").exists():
        return installed
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, folder)
        # Without install scripts: the binary of esbuild comes as a package, and nothing else is run.
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        if subprocess.run(command, cwd=folder, check=False).returncode != 0:
            sys.exit("npm ci failed, see above; it downloads packages on its first run and so needs a network")
        shutil.copytree(folder, installed, symlinks=True, dirs_exist_ok=True)
    return installed


def bundle_script(packages: Path) -> str:
    """The page's scripts, the messages that protoc makes of `proto/`, and the libraries, as one module."""
    with tempfile.TemporaryDirectory(dir=packages) as folder:
        work = Path(folder)
        binaries = packages / "node_modules" / ".bin"
        (work / "messages").mkdir()
        protoc = [
            sys.executable, "-m", "grpc_tools.protoc",
            f"--proto_path={ROOT / 'proto'}", f"--proto_path={GOOGLE_PROTOS}",
            f"--plugin=protoc-gen-es={binaries / 'protoc-gen-es'}",
            "--es_opt=target=js", f"--es_out={work / 'messages'}",
        ]  # fmt: skip
        sources = [str(path.relative_to(ROOT / "proto")) for path in (ROOT / "proto" / "pose_mdn").rglob("*.proto")]
        subprocess.run([*protoc, *sources, "google/rpc/error_details.proto"], check=True)
        for name in SCRIPTS:
            shutil.copy(HERE / name, work)
        command = [binaries / "esbuild", "main.js", "--bundle", "--minify", "--format=esm", "--target=es2022"]
        return subprocess.run(
            [*command, "--log-level=warning"], cwd=work, text=True, stdout=subprocess.PIPE, check=True
        ).stdout


def sample(server: str) -> dict[str, object]:
    """Some frames of the bundled clip as a detector gives them, and how to draw an answer."""
    clip = read_keypoints(Path(str(files("pose_mdn") / "samples" / "walking_clip.npz")))
    assert clip.image_size is not None
    return {
        "server": server,
        "skeleton": clip.skeleton.name,
        "imageWidthPx": clip.image_size[0],
        "imageHeightPx": clip.image_size[1],
        "frames": [
            # JSON has no NaN; the protobuf mapping writes it as a string.
            {
                "keypointsPx": [round(float(v), 2) if np.isfinite(v) else "NaN" for v in clip.keypoints_px[i].ravel()],
                "confidence": [round(float(v), 3) for v in clip.confidence[i]],
            }
            for i in FRAMES
        ],
        "bones": [list(bone) for bone in HUMAN36M17.bones],
    }


if __name__ == "__main__":
    main()
