"""The wire contract is documented field by field, keeps a style, and does not break those who call it."""

import hashlib
import importlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FileDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorSet

ROOT = Path(__file__).parents[2]
PROTO = ROOT / "proto"
PAGE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
PINNED_BUF = ROOT / ".cache" / "buf" / hashlib.sha256((PROTO / "package-lock.json").read_bytes()).hexdigest()[:12]


def run(script: str, *arguments: str, proto: Path = PROTO, path: str | None = None) -> subprocess.CompletedProcess[str]:
    environment = os.environ | ({} if path is None else {"PATH": path})
    return subprocess.run(
        [sys.executable, proto / script, *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=environment,
    )


def files() -> list[FileDescriptor]:
    names = sorted(path.stem for path in (ROOT / "server" / "pose_mdn_server" / "rpc").glob("*_pb2.py"))
    return [importlib.import_module(f"pose_mdn_server.rpc.{name}").DESCRIPTOR for name in names]


def types_of(file: FileDescriptor) -> Iterator[Descriptor | EnumDescriptor]:
    waiting = list(file.message_types_by_name.values())
    yield from file.enum_types_by_name.values()
    for message in waiting:
        waiting += message.nested_types
        yield from message.enum_types
        if not message.GetOptions().map_entry:
            yield message


def section(heading: str) -> str:
    """What the page says below a heading."""
    (text,) = re.findall(rf"^### {re.escape(heading)}\n(.*?)(?=^##|\Z)", PAGE, flags=re.MULTILINE | re.DOTALL)
    return str(text)


def test_the_page_is_what_the_sources_give() -> None:
    done = run("document.py", "--check")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("file", files(), ids=lambda file: Path(file.name).stem)
def test_every_call_message_field_and_value_is_on_the_page(file: FileDescriptor) -> None:
    for service in file.services_by_name.values():
        assert f"`{service.full_name}`" in PAGE
        for method in service.methods:
            assert f"#{method.input_type.name.lower()})" in section(f"Call {method.name}")
    for found in types_of(file):
        rows = section(found.full_name.removeprefix(file.package + "."))
        members = found.fields if isinstance(found, Descriptor) else found.values
        assert re.findall(r"^\| `(\w+)` \| (\d+) \|", rows, flags=re.MULTILINE) == [
            (member.name, str(member.number)) for member in members
        ]


def test_no_heading_of_the_page_stands_twice() -> None:
    headings = re.findall(r"^#+ (.+)$", PAGE, flags=re.MULTILINE)
    assert len(headings) == len({heading.lower() for heading in headings})


def test_every_member_has_a_meaning_and_shapes_have_a_column() -> None:
    assert re.findall(r"^\| `\w+` \|.*\| *\|$", PAGE, flags=re.MULTILINE) == []
    assert "| `keypoints_px` | 1 | repeated float | (N, J, 2) |" in section("LiftRequest")


def test_what_was_released_is_kept_beside_the_sources() -> None:
    released = FileDescriptorSet.FromString((PROTO / "released.binpb").read_bytes())
    assert "pose_mdn.v1" in {file.package for file in released.file}


@pytest.mark.parametrize("check", ["lint", "breaking"])
def test_without_node_a_notice_says_what_was_not_checked(check: str, tmp_path: Path) -> None:
    shutil.copytree(PROTO, tmp_path / "proto")
    done = run("buf.py", check, proto=tmp_path / "proto", path="/nowhere")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("NOTICE: no Node.js here")


@pytest.fixture
def copied_proto(tmp_path: Path) -> Path:
    if not PINNED_BUF.exists():
        pytest.skip("buf is not installed; `make proto-lint` installs it")
    shutil.copytree(PROTO, tmp_path / "proto")
    (tmp_path / ".cache").symlink_to(ROOT / ".cache")
    return tmp_path / "proto"


@pytest.mark.parametrize(
    ("old", "new", "check"),
    [
        ("string skeleton = 3;", "string layout = 3;", "breaking"),
        ("string skeleton = 3;", "bytes skeleton = 3;", "breaking"),
        ("string skeleton = 3;", "string skeleton = 33;", "breaking"),
        ("rpc LiftStream(", "rpc LiftEndlessly(", "breaking"),
        ("string skeleton = 3;", "string theSkeleton = 3;", "lint"),
        ("  LIFT_STATUS_NO_PERSON", "  NO_PERSON", "lint"),
    ],
)
def test_a_change_for_the_worse_is_found(old: str, new: str, check: str, copied_proto: Path) -> None:
    assert run("buf.py", check, proto=copied_proto).returncode == 0
    file = copied_proto / "pose_mdn" / "v1" / "pose_lifting.proto"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))
    done = run("buf.py", check, proto=copied_proto)
    assert done.returncode != 0
    assert "pose_lifting.proto" in done.stdout + done.stderr
    assert ("expected a contract that only grows" in done.stderr) == (check == "breaking")


def test_a_released_change_is_no_longer_news(copied_proto: Path) -> None:
    file = copied_proto / "pose_mdn" / "v1" / "camera.proto"
    file.write_text(file.read_text().replace("uint32 image_width_px", "uint32 width_px"))
    assert run("buf.py", "breaking", proto=copied_proto).returncode != 0
    assert run("buf.py", "release", proto=copied_proto).returncode == 0
    assert run("buf.py", "breaking", proto=copied_proto).returncode == 0


def test_versions_are_exact_and_no_registry_is_named() -> None:
    lock = (PROTO / "package-lock.json").read_text()
    assert "resolved" not in lock
    assert "://" not in lock
    (version,) = re.findall(r'"@bufbuild/buf": "(.*)"', (PROTO / "package.json").read_text())
    assert re.fullmatch(r"\d+\.\d+\.\d+", version)
