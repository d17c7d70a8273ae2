"""Which files to import, and what their paths say about subject, trial and action."""

import glob
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import typer

from pose_mdn.errors import InputError

UNLABELLED = "unlabelled"

_FIELDS = ("subject", "trial", "action")
_CMU_NAME = re.compile(r"(?P<subject>\d+)_(?P<trial>\d+)")
_HUMAN36M_FILE = "data_3d_h36m.npz"


@dataclass(frozen=True, kw_only=True)
class Labels:
    """Who did what.

    Attributes:
        subject: Who moved.
        trial: What the recording is called.
        action: What they did.
    """

    subject: str
    trial: str
    action: str


class PathPattern:
    """A pattern such as "{subject}/{action}_{trial}.bvh", compared with the end of a path.

    Without a suffix it is compared with the path without its suffix. "*" stands for anything within one name.
    """

    def __init__(self, pattern: str) -> None:
        parts = re.split(r"(\{\w*\}|\*)", pattern)
        fields = [part[1:-1] for part in parts if part.startswith("{")]
        unknown = [field for field in fields if field not in _FIELDS]
        if unknown or not fields or len(set(fields)) != len(fields):
            raise InputError(
                f"path-pattern: expected some of {', '.join('{' + field + '}' for field in _FIELDS)}, each once, "
                f"got {pattern!r}; for example '{{subject}}/{{action}}_{{trial}}.bvh'",
                field="path_pattern",
            )
        known = {"*": "[^/]*", **{f"{{{field}}}": f"(?P<{field}>[^/]+?)" for field in _FIELDS}}
        self._pattern = pattern
        self._regex = re.compile("(?:^|/)" + "".join(known.get(part, re.escape(part)) for part in parts) + "$")

    def match(self, path: Path) -> dict[str, str]:
        """The fields of a path.

        Raises:
            InputError: The path does not fit.
        """
        for text in (path.with_suffix("").as_posix(), path.as_posix()):
            found = self._regex.search(text)
            if found:
                return found.groupdict()
        raise InputError(f"{path}: expected a path that fits {self._pattern!r}, got another; mend --path-pattern")


def find_motion_files(inputs: Sequence[str], suffixes: Sequence[str]) -> list[Path]:
    """Files, and of folders all motion files in them and below; of `.npz` files only Human3.6M's.

    Raises:
        typer.BadParameter: A pattern matches nothing, or a folder has no motion file.
    """
    found: dict[Path, None] = {}
    for given in inputs:
        path = Path(given)
        if path.is_dir():
            files = [entry for entry in sorted(path.rglob("*")) if _is_motion(entry, suffixes)]
            if not files:
                raise typer.BadParameter(f"no file ending in {', '.join(suffixes)} in the folder {given}")
        elif path.exists() or not glob.has_magic(given):
            files = [path]
        else:
            files = [Path(match) for match in sorted(glob.glob(given, recursive=True))]
            if not files:
                raise typer.BadParameter(f"no file matches {given!r}")
        found.update(dict.fromkeys(files))
    return list(found)


def label(
    path: Path,
    trial: str,
    *,
    pattern: PathPattern | None,
    subject: str | None,
    action: str | None,
    file_subject: str | None = None,
    file_action: str | None = None,
) -> Labels:
    """Labels of a recording: what the user says, else the pattern, else the file, else a guess from the path.

    The guess for the subject is the number before the underscore in names like CMU's `02_01`, otherwise the folder.
    """
    fields = pattern.match(path) if pattern is not None else {}
    cmu = _CMU_NAME.fullmatch(path.stem)
    guess = cmu["subject"] if cmu else path.absolute().parent.name
    return Labels(
        subject=subject or fields.get("subject") or file_subject or guess,
        trial=fields.get("trial") or trial,
        action=action or fields.get("action") or file_action or UNLABELLED,
    )


def _is_motion(path: Path, suffixes: Sequence[str]) -> bool:
    suffix = path.suffix.lower()
    if path.name.startswith(".") or not path.is_file():
        return False
    return path.name == _HUMAN36M_FILE if suffix == ".npz" else suffix in suffixes
