import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pose_mdn.errors import BundleError, ModelNotFoundError
from pose_mdn.inference.bundle import BUNDLED_REPOSITORY, Bundle, find_bundle, list_bundles

Write = Callable[[Path], Path]


def test_an_unaltered_bundle_opens(tiny_bundle: Path) -> None:
    bundle = Bundle.open(tiny_bundle)
    assert (bundle.name, bundle.version, bundle.num_hypotheses) == ("tiny", "3", 2)
    assert (bundle.licence, bundle.training_data) == ("CC0-1.0", "none")
    assert bundle.graph_path == tiny_bundle / "model.onnx"


@pytest.mark.parametrize("name", ["model.onnx", "config.json", "README.md"])
def test_one_changed_byte_is_refused(tmp_path: Path, write_tiny_bundle: Write, name: str) -> None:
    folder = write_tiny_bundle(tmp_path)
    content = bytearray((folder / name).read_bytes())
    content[-1] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(BundleError, match=name):
        Bundle.open(folder)


@pytest.mark.parametrize("name", ["model.onnx", "config.json", "SHA256SUMS"])
def test_a_lost_file_is_named(tmp_path: Path, write_tiny_bundle: Write, name: str) -> None:
    folder = write_tiny_bundle(tmp_path)
    (folder / name).unlink()
    with pytest.raises(BundleError, match=name):
        Bundle.open(folder)


@pytest.mark.parametrize("name", ["../secret", "/etc/hostname", "a/../../secret"])
def test_files_outside_of_the_folder_are_refused(tmp_path: Path, write_tiny_bundle: Write, name: str) -> None:
    folder = write_tiny_bundle(tmp_path)
    (folder.parent / "secret").write_text("")
    with (folder / "SHA256SUMS").open("a") as sums:
        sums.write(f"{'0' * 64}  {name}\n")
    with pytest.raises(BundleError, match="outside"):
        Bundle.open(folder)


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path, write_tiny_bundle: Write) -> None:
    folder = write_tiny_bundle(tmp_path)
    (folder / "model.onnx").rename(tmp_path / "elsewhere.onnx")
    (folder / "model.onnx").symlink_to(tmp_path / "elsewhere.onnx")
    with pytest.raises(BundleError, match="outside"):
        Bundle.open(folder)


def test_a_graph_that_no_checksum_covers_is_refused(tmp_path: Path, write_tiny_bundle: Write) -> None:
    folder = write_tiny_bundle(tmp_path)
    lines = (folder / "SHA256SUMS").read_text().splitlines(keepends=True)
    (folder / "SHA256SUMS").write_text("".join(line for line in lines if "model.onnx" not in line))
    with pytest.raises(BundleError, match=r"list model\.onnx"):
        Bundle.open(folder)


@pytest.mark.parametrize("config", ["[1, 2]", "{", "\x00"])
def test_a_config_that_is_none_is_refused(
    tmp_path: Path, write_tiny_bundle: Write, reseal: Callable[[Path], Path], config: str
) -> None:
    folder = write_tiny_bundle(tmp_path)
    (folder / "config.json").write_text(config)
    with pytest.raises(BundleError, match=r"config\.json"):
        Bundle.open(reseal(folder))


def test_checksums_of_another_form_are_refused(tmp_path: Path, write_tiny_bundle: Write) -> None:
    folder = write_tiny_bundle(tmp_path)
    (folder / "SHA256SUMS").write_text("model.onnx: fine\n")
    with pytest.raises(BundleError, match="<sha256>"):
        Bundle.open(folder)


def test_models_are_found_by_name_version_and_path(tiny_bundle: Path) -> None:
    repository = tiny_bundle.parent.parent
    for model in ("tiny", "tiny/3", tiny_bundle, str(tiny_bundle)):
        assert find_bundle(model, repository).path == tiny_bundle


def test_a_name_means_its_highest_version_by_number(
    tmp_path: Path, write_tiny_bundle: Write, reseal: Callable[[Path], Path]
) -> None:
    third = write_tiny_bundle(tmp_path)
    tenth = third.parent / "10"
    tenth.mkdir()
    for file in third.iterdir():
        (tenth / file.name).write_bytes(file.read_bytes())
    (tenth / "config.json").write_text(json.dumps({"name": "tiny", "version": 10}))
    reseal(tenth)
    assert find_bundle("tiny", tmp_path).version == "10"
    assert [bundle.version for bundle in list_bundles(tmp_path)] == ["3", "10"]


def test_an_unknown_model_lists_what_exists_and_what_is_near(tiny_bundle: Path) -> None:
    with pytest.raises(ModelNotFoundError, match=r"tiny/3.*did you mean 'tiny'") as caught:
        find_bundle("tinny", tiny_bundle.parent.parent)
    assert "\n" not in str(caught.value)


def test_every_bundled_model_is_unaltered() -> None:
    folders = [config.parent for config in BUNDLED_REPOSITORY.glob("*/*/config.json")]
    assert sorted(bundle.path for bundle in list_bundles()) == sorted(folders)


@pytest.mark.parametrize("config", ["[" * 100_000, "1" * 10_000, '{"name": NaN' + "0" * 5])
def test_a_config_that_breaks_readers_is_refused(
    tmp_path: Path, write_tiny_bundle: Write, reseal: Callable[[Path], Path], config: str
) -> None:
    folder = write_tiny_bundle(tmp_path)
    (folder / "config.json").write_text(config)
    with pytest.raises(BundleError, match=r"config\.json"):
        Bundle.open(reseal(folder))


def test_what_is_read_is_what_was_verified(tmp_path: Path, write_tiny_bundle: Write) -> None:
    folder = write_tiny_bundle(tmp_path)
    bundle, content = Bundle.open(folder), (folder / "model.onnx").read_bytes()
    assert bundle.read("model.onnx") == content
    (folder / "model.onnx").write_bytes(content + b"\x00")
    with pytest.raises(BundleError, match=r"model\.onnx is not the file"):
        bundle.read("model.onnx")
    with pytest.raises(BundleError, match="to list secret"):
        bundle.read("secret")


@pytest.mark.parametrize("graph", ["../3/model.onnx", "./model.onnx", "sub/../model.onnx", ""])
def test_a_graph_goes_by_the_very_name_that_is_listed(
    tmp_path: Path, write_tiny_bundle: Write, reseal: Callable[[Path], Path], graph: str
) -> None:
    folder = write_tiny_bundle(tmp_path)
    (folder / "config.json").write_text(json.dumps({"graph": graph}))
    with pytest.raises(BundleError, match="SHA256SUMS to list"):
        Bundle.open(reseal(folder))


def test_a_pipe_in_place_of_a_file_is_not_waited_for(tmp_path: Path, write_tiny_bundle: Write) -> None:
    folder = write_tiny_bundle(tmp_path)
    (folder / "README.md").unlink()
    os.mkfifo(folder / "README.md")
    with pytest.raises(BundleError, match=r"README\.md, which cannot be read: expected a file"):
        Bundle.open(folder)


@pytest.mark.parametrize("name", ["model.onnx", "SHA256SUMS", "config.json"])
def test_links_in_a_circle_are_refused(tmp_path: Path, write_tiny_bundle: Write, name: str) -> None:
    folder = write_tiny_bundle(tmp_path)
    (folder / name).unlink()
    (folder / name).symlink_to(name)
    with pytest.raises(BundleError, match=f"{name}.*cannot be read"):
        Bundle.open(folder)


def test_files_without_end_are_not_read(
    tmp_path: Path, write_tiny_bundle: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_tiny_bundle(tmp_path)
    monkeypatch.setattr("pose_mdn.inference.bundle_files.MAX_FILE_BYTES", 1000)
    with pytest.raises(BundleError, match="expected at most 1000 bytes"):
        Bundle.open(folder)


def test_a_name_with_a_zero_in_it_is_refused(tmp_path: Path, write_tiny_bundle: Write) -> None:
    folder = write_tiny_bundle(tmp_path)
    with (folder / "SHA256SUMS").open("a") as sums:
        sums.write(f"{'0' * 64}  model\0.onnx\n")
    with pytest.raises(BundleError, match="outside"):
        Bundle.open(folder)


def test_a_bundle_behind_a_link_is_called_by_the_link(
    tmp_path: Path, write_tiny_bundle: Write, reseal: Callable[[Path], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_tiny_bundle(tmp_path / "store")
    (folder / "config.json").write_text("{}")
    reseal(folder)
    (tmp_path / "named").mkdir()
    (tmp_path / "named" / "7").symlink_to(folder)
    assert (Bundle.open(tmp_path / "named" / "7").name, Bundle.open(tmp_path / "named" / "7").version) == ("named", "7")
    monkeypatch.chdir(folder)
    assert (Bundle.open(".").name, Bundle.open(".").version) == ("tiny", "3")
