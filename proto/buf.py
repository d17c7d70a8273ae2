"""Check the wire contract with buf: its style, and that it still serves everybody whom it served when it was released.

python proto/buf.py lint        style: buf's rules STANDARD, with the exceptions that buf.yaml gives reasons for
python proto/buf.py breaking    compare with released.binpb, the contract as it was released
python proto/buf.py release     write released.binpb from what is here now (no Node.js needed)

buf comes from npm, in the version of package-lock.json, into .cache/buf. Without Node.js 18 or newer, or without a
network at the first run, the checks say so and pass.
"""

import argparse
import hashlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from describe import descriptors

SOURCES = Path(__file__).resolve().parent
CACHE = SOURCES.parent / ".cache" / "buf"
BUF = Path("node_modules") / ".bin" / "buf"
RELEASED = SOURCES / "released.binpb"


def installed_buf() -> Path | None:
    """The pinned buf, installed unless it is there; None, after a notice, where it cannot be."""
    folder = CACHE / hashlib.sha256((SOURCES / "package-lock.json").read_bytes()).hexdigest()[:12]
    return folder / BUF if (folder / BUF).exists() or _install(folder) else None


def _install(folder: Path) -> bool:
    if shutil.which("npm") is None or shutil.which("node") is None:
        return _skip("no Node.js here, which brings buf (on Debian and Ubuntu: apt-get install npm)")
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as scratch:
        unfinished = Path(scratch) / folder.name
        unfinished.mkdir()
        for name in ("package.json", "package-lock.json"):
            shutil.copy(SOURCES / name, unfinished)
        # Without install scripts: the binary comes as a package, and nothing else is run.
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        if subprocess.run(command, cwd=unfinished, stdout=subprocess.DEVNULL, check=False).returncode != 0:
            return _skip("npm could not install buf, see above")
        if subprocess.run([unfinished / BUF, "--version"], stdout=subprocess.DEVNULL, check=False).returncode != 0:
            return _skip("there is no buf for this machine, see above")
        # Two checks at once may both install; the folder of the first, which is not empty, stays.
        try:
            unfinished.rename(folder)
        except OSError:
            if not folder.exists():
                raise
    return True


def _skip(reason: str) -> bool:
    print(f"NOTICE: {reason}; the wire contract was not checked.")
    return False


def lint(buf: Path) -> int:
    """Style; the exit code of buf."""
    return subprocess.run([buf, "lint"], cwd=SOURCES, check=False).returncode


def breaking(buf: Path) -> int:
    """Compatibility with the released contract; the exit code of buf."""
    code = subprocess.run([buf, "breaking", "--against", RELEASED.name], cwd=SOURCES, check=False).returncode
    if code != 0:
        print(
            "expected a contract that only grows, as proto/README.md has it; what was released is in released.binpb, "
            "which `make proto-release` writes anew",
            file=sys.stderr,
        )
    return code


def main() -> int:
    """Command line; see the head of this file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["lint", "breaking", "release"])
    what = parser.parse_args().what
    if what == "release":
        RELEASED.write_bytes(descriptors(with_comments=False).SerializeToString(deterministic=True))
        return 0
    buf = installed_buf()
    if buf is None:
        return 0
    return lint(buf) if what == "lint" else breaking(buf)


if __name__ == "__main__":
    sys.exit(main())
