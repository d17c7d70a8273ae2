"""Draw the pictures of docs/lecture.md at full settings and print what was measured, as Markdown tables.

    python docs/make_lecture_pictures.py [NAME ...]

Needs `pip install 'pose-mdn[lecture]'` and some minutes.
"""

import argparse
from pathlib import Path

from PIL import Image

from pose_mdn.lecture.catalogue import EXAMPLES, Example
from pose_mdn.lecture.example import no_progress
from pose_mdn.visualization.chart_style import house_style

FOLDER = Path(__file__).parent / "lecture"
DOTS_PER_INCH = 110
COLOURS = 256
SEED = 0


def make_picture(example: Example) -> str:
    """Run an example, write its picture with a palette, which is a third as large, and give its table."""
    outcome = example.load()(seed=SEED, quick=False, progress=no_progress)
    path = FOLDER / f"{example.name}.png"
    with house_style():
        outcome.draw().savefig(path, dpi=DOTS_PER_INCH)
    with Image.open(path) as picture:
        picture.convert("RGB").quantize(COLOURS, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(
            path, optimize=True
        )
    rows = [f"| {finding.value:.4g} | {finding.meaning} | {finding.expected} |" for finding in outcome.findings]
    return "\n".join([f"## {example.title}", "", "| measured | what | the lecture says |", "|---:|---|---|", *rows])


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", choices=[[], *(example.name for example in EXAMPLES)], metavar="NAME")
    chosen = parser.parse_args().names
    FOLDER.mkdir(exist_ok=True)
    for example in EXAMPLES:
        if not chosen or example.name in chosen:
            print(make_picture(example), end="\n\n", flush=True)


if __name__ == "__main__":
    main()
