"""Files appear whole or not at all."""

import pytest

from pose_mdn.errors import InputError
from pose_mdn.formats.atomic import replace_atomically


def test_content_appears_when_the_block_ends(tmp_path) -> None:
    with replace_atomically(tmp_path / "a") as stream:
        stream.write(b"new")
        assert not (tmp_path / "a").exists()
    assert (tmp_path / "a").read_bytes() == b"new"
    assert [file.name for file in tmp_path.iterdir()] == ["a"]


def test_after_an_error_the_old_file_stands_and_nothing_is_left(tmp_path) -> None:
    (tmp_path / "a").write_bytes(b"old")
    with pytest.raises(TypeError), replace_atomically(tmp_path / "a") as stream:
        stream.writelines([b"half", None])
    assert (tmp_path / "a").read_bytes() == b"old"
    assert [file.name for file in tmp_path.iterdir()] == ["a"]


def test_a_place_that_cannot_be_written_to_says_so(tmp_path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for path in (tmp_path / "absent" / "a", tmp_path / "file" / "a"):
        with pytest.raises(InputError, match="a place that can be written to"), replace_atomically(path):
            pass


def test_permissions_follow_the_users_umask(tmp_path) -> None:
    (tmp_path / "plain").write_bytes(b"")
    with replace_atomically(tmp_path / "a"):
        pass
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "plain").stat().st_mode
