"""One list of checks: what the Makefile offers is explained, and CI, hooks and documents name only what it offers."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = set(re.findall(r"^([a-z][a-z-]*):", MAKEFILE, flags=re.MULTILINE))
EXPLAINED = set(re.findall(r"^([a-z][a-z-]*):.*## \S", MAKEFILE, flags=re.MULTILINE))
MAKE_CALL = re.compile(r"(?:^|`|entry: )make ([a-z][a-z-]*)", flags=re.MULTILINE)


def test_every_verb_has_a_help_line() -> None:
    assert TARGETS
    assert TARGETS == EXPLAINED


def test_every_verb_is_phony() -> None:
    (phony,) = re.findall(r"^\.PHONY: (.*)$", MAKEFILE, flags=re.MULTILINE)
    assert set(phony.split()) == TARGETS


@pytest.mark.parametrize(
    "document",
    [".ci/run", ".pre-commit-config.yaml", "README.md", "CONTRIBUTING.md", "docs/architecture.md", "Dockerfile"],
)
def test_only_existing_verbs_are_called(document: str) -> None:
    assert set(MAKE_CALL.findall((ROOT / document).read_text())) - TARGETS == set()


def test_hooks_are_the_checks() -> None:
    (check,) = re.findall(r"^check: (.*?) *##", MAKEFILE, flags=re.MULTILINE)
    hooks = re.findall(r"entry: make ([a-z-]+)", (ROOT / ".pre-commit-config.yaml").read_text())
    assert hooks == check.split()


def test_ci_runs_every_check_and_then_the_tests() -> None:
    (check,) = re.findall(r"^check: (.*?) *##", MAKEFILE, flags=re.MULTILINE)
    calls = MAKE_CALL.findall((ROOT / ".ci" / "run").read_text())
    assert calls == ["install", *check.split(), "test"]
