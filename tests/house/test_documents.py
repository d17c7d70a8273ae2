"""Documents stay true: links lead somewhere, and tables of facts equal the code."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from pose_mdn.skeletons import HUMAN36M17

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    path for pattern in ("*.md", "docs/**/*.md", "[!.]*/README.md", "pose_mdn/**/*.md") for path in ROOT.glob(pattern)
)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
FENCED = re.compile(r"^```.*?^```", flags=re.MULTILINE | re.DOTALL)


def anchors(document: Path) -> set[str]:
    """The fragments that a Markdown viewer gives to the document's headings."""
    headings = re.findall(r"^#+ +(.+)$", FENCED.sub("", document.read_text()), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_internal_links_lead_somewhere(document: Path) -> None:
    broken = []
    for link in LINK.findall(FENCED.sub("", document.read_text())):
        parts = urlsplit(link)
        if parts.scheme:
            continue
        target = (document.parent / parts.path) if parts.path else document
        if not target.exists() or (parts.fragment and parts.fragment not in anchors(target)):
            broken.append(link)
    assert broken == []


def test_the_conventions_list_the_joints_in_the_order_of_the_code() -> None:
    text = (ROOT / "docs" / "conventions.md").read_text()
    rows = re.findall(r"\| (\d+) \| `(\w+)` \| `?(\w*)`? *(?=\|)", text)
    listed = {int(number): (joint, parent) for number, joint, parent in rows}
    joints = HUMAN36M17.joint_names
    parents = ["" if index < 0 else joints[index] for index in HUMAN36M17.parent_indices]
    assert listed == dict(enumerate(zip(joints, parents, strict=True)))


def test_the_architecture_shows_the_layers_that_are_enforced() -> None:
    contract = re.search(
        r'containers = \["pose_mdn"\].*?layers = \[(.*?)\]', (ROOT / "pyproject.toml").read_text(), re.DOTALL
    )
    assert contract is not None
    layers = "\n".join(re.findall(r'"(.*?)"', contract.group(1)))
    assert layers in (ROOT / "docs" / "architecture.md").read_text()


def test_every_decision_is_reachable_from_the_architecture() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    missing = [
        path.name for path in (ROOT / "docs" / "decisions").glob("*.md") if f"(decisions/{path.name})" not in text
    ]
    assert missing == []
