"""What was said of a folder's clips the last time, so that only new and changed ones are read again."""

import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from pose_mdn import __version__
from pose_mdn.batch.folder_clips import ClipFiles
from pose_mdn.batch.job import STATE_FOLDER
from pose_mdn.errors import InputError, PoseMDNError
from pose_mdn.formats.atomic import replace_atomically
from pose_mdn.visualization.folder_entries import ClipEntry

MEMORY_FILE = "clips.json"
"""Within OUT's hidden folder. It may be deleted at any time: everything is then read again."""


class FolderMemory:
    """Entries by their result, each with a stamp of the files and settings that it was made from."""

    def __init__(self, out: Path, settings: Sequence[object]) -> None:
        """Read what there is; a file that is damaged or of another version counts as none.

        Args:
            out: The folder of results.
            settings: What else entries depend on.
        """
        self._out = out
        self._made_with = [__version__, *map(repr, settings)]
        self._known: Mapping[str, object] = {}
        with suppress(OSError, ValueError, RecursionError):
            document = json.loads((out / STATE_FOLDER / MEMORY_FILE).read_bytes())
            if isinstance(document, dict) and document.get("made_with") == self._made_with:
                clips = document.get("clips")
                self._known = clips if isinstance(clips, dict) else {}

    def entry(self, clip: ClipFiles) -> ClipEntry | None:
        """What was said of a clip, if its files are unchanged and its viewer is where it was."""
        known = self._known.get(clip.result)
        if not isinstance(known, dict) or known.get("stamp") != stamp_of(clip):
            return None
        with suppress(InputError, TypeError):
            entry = ClipEntry.from_dict(known.get("entry") or {})
            as_named = (entry.name, entry.source, entry.format) == (clip.name, clip.source, clip.format)
            if as_named and (entry.viewer is None or (self._out / entry.viewer).is_file()):
                return entry
        return None

    def keep(self, entries: Mapping[str, tuple[list[list[int]], ClipEntry]]) -> None:
        """Remember entries with their stamps, by result; if the folder cannot be written to, nothing is."""
        clips = {result: {"stamp": stamp, "entry": entry.to_dict()} for result, (stamp, entry) in entries.items()}
        with suppress(OSError, PoseMDNError):
            path = self._out / STATE_FOLDER / MEMORY_FILE
            path.parent.mkdir(exist_ok=True)
            with replace_atomically(path, durable=False) as stream:
                stream.write(json.dumps({"made_with": self._made_with, "clips": clips}).encode("ascii"))


def stamp_of(clip: ClipFiles) -> list[list[int]]:
    """Sizes and times of change of a clip's files; empty if one is not there."""
    try:
        states = [os.stat(path) for path in clip.files]
    except OSError:
        return []
    return [[state.st_size, state.st_mtime_ns] for state in states]
