"""What is in a storage: files below an address, folders that are one recording, and what changes when a source does."""

import hashlib
import posixpath
import re
import tempfile
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from pose_mdn.batch.storage.addresses import parent_of
from pose_mdn.batch.storage.connection import FileSystem, reached
from pose_mdn.errors import InputError

IsRecording = Callable[[Path, Path], bool]
"""Whether a format takes this folder as a whole, and this document as one of its frames."""

_MAGIC = re.compile(r"[*?[]")
_CHANGES = ("ETag", "etag", "md5Hash", "mtime", "LastModified", "last_modified", "updated", "modified", "created")
"""What storages call that which changes with a file, the most exact first."""


def exists(url: str) -> bool:
    """Whether there is a file or a folder; raises `InputError` if the storage cannot be asked."""
    with reached(url, "a storage that answers") as (system, path):
        system.invalidate_cache()
        return bool(system.exists(path))


def expand(url: str, suffixes: Sequence[str], is_recording: IsRecording) -> list[tuple[str, str]]:
    """What an address means as INPUT: itself, the matches of its pattern, or the recordings below it, in order.

    Names that begin with a dot are left out, as for local folders.

    Returns:
        Each source with the folder that it was found in.

    Args:
        url: A file, a folder or a pattern with `*`, `?` or `[...]`.
        suffixes: Endings, in lower case, of the files that are worth a look.
        is_recording: Asked about a local copy of each folder, in which the other files of its ending
    begin as the document does, and the rest are empty.

    Raises:
        InputError: Nothing is there, or the storage cannot be asked.
        MissingExtraError: A package for this storage is not installed.
    """
    with reached(url, "files that can be listed") as (system, path):
        system.invalidate_cache()
        if _MAGIC.search(path) and not system.exists(path):
            return [(match, parent_of(match)) for match in _matches(system, url)]
        if not system.isdir(path):
            return [(url, parent_of(url))] if system.exists(path) else _nothing(url)
        found: list[str] = system.find(path)
        below = [posixpath.relpath(name, path) for name in found]
        sources = _recordings(system, path, _by_folder(below), suffixes, is_recording)
        # A folder without keypoints is an input too: reading it explains what was expected in it.
        if sources in ([], [""]):
            return [(url, parent_of(url))]
        return [(f"{url.rstrip('/')}/{source}", url) for source in sources]


def sizes(url: str) -> dict[str, int]:
    """Sizes in bytes of all files below an address, by their addresses; asked for all at once, which is far faster.

    Raises:
        InputError: The storage cannot be asked.
    """
    with reached(url, "a storage that answers") as (system, path):
        system.invalidate_cache()
        if not system.exists(path):
            return {}
        found = system.find(path, detail=True)
        return {f"{url.rstrip('/')}/{posixpath.relpath(name, path)}": about["size"] for name, about in found.items()}


def stamp(url: str) -> str:
    """What changes when a source does: sizes, and etags or times of change, of its files; empty if not known."""
    try:
        with reached(url, "a file that can be read") as (system, path):
            about = system.info(path)
            if about["type"] != "directory":
                return _stamp_of(about)
            files = [entry for entry in system.ls(path, detail=True) if entry["type"] != "directory"]
    except InputError:
        return ""
    stamps = sorted(f"{posixpath.basename(entry['name'])} {_stamp_of(entry)}" for entry in files)
    digest = hashlib.sha256("\n".join(stamps).encode()).hexdigest()
    return f"{len(files)} {sum(entry['size'] or 0 for entry in files)} {digest[:32]}"


def _stamp_of(about: Mapping[str, Any]) -> str:
    changes = next((str(about[name]) for name in _CHANGES if about.get(name)), "")
    return f"{about.get('size')} {changes}".strip()


def _matches(system: FileSystem, url: str) -> list[str]:
    """Addresses that a pattern matches. Paths in a storage may lack the server's name, so the part before stays."""
    magic = _MAGIC.search(url)
    assert magic is not None
    shared = url[: url.rindex("/", 0, magic.start())]
    length = len(system._strip_protocol(shared).rstrip("/"))
    found = sorted(name[length:] for name in system.glob(system._strip_protocol(url)))
    if not found:
        raise InputError(f"no file or folder matches {url!r}", field="inputs")
    return [shared + name for name in found]


def _nothing(url: str) -> NoReturn:
    raise InputError(f"{url}: expected a file or a folder, got nothing there; check the address", field="inputs")


def _by_folder(names: Sequence[str]) -> dict[str, list[str]]:
    """Names of files by the folder they are in, "" for the topmost; hidden ones are left out."""
    folders: dict[str, list[str]] = defaultdict(list)
    for name in sorted(names):
        if not any(part.startswith(".") for part in name.split("/")):
            folders[posixpath.dirname(name)].append(posixpath.basename(name))
    return folders


def _recordings(
    system: FileSystem, path: str, folders: Mapping[str, list[str]], suffixes: Sequence[str], is_recording: IsRecording
) -> list[str]:
    """Sources relative to `path`; a folder that is a recording hides what is below it."""
    sources: list[str] = []
    whole: list[str] = []
    for folder in sorted(folders):
        if any(folder == top or folder.startswith(f"{top}/") or not top for top in whole):
            continue
        wanted = [name for name in folders[folder] if name.lower().endswith(tuple(suffixes))]
        if _is_whole(system, posixpath.join(path, folder), folders[folder], wanted, is_recording):
            whole.append(folder)
            sources.append(folder)
        else:
            sources += [posixpath.join(folder, name) for name in wanted]
    return sorted(sources, key=lambda source: source.split("/"))


def _is_whole(
    system: FileSystem, folder: str, names: Sequence[str], wanted: Sequence[str], is_recording: IsRecording
) -> bool:
    first_of_each: dict[str, str] = {}
    for name in wanted:
        first_of_each.setdefault(posixpath.splitext(name)[1].lower(), name)
    with tempfile.TemporaryDirectory(prefix="pose-mdn-") as temporary:
        copy = Path(temporary) / (posixpath.basename(folder) or "clips")
        copy.mkdir()
        for name in names:
            (copy / name).touch()
        for ending, name in first_of_each.items():
            begins = system.cat_file(posixpath.join(folder, name), start=0, end=65536)
            # Frames are alike; fetching all of them would take as long as lifting them.
            for alike in (other for other in wanted if posixpath.splitext(other)[1].lower() == ending):
                (copy / alike).write_bytes(begins)
            if is_recording(copy, copy / name):
                return True
    return False
