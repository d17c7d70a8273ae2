"""JSON files from disk, with one-line errors."""

import json
from pathlib import Path

from pose_mdn.formats.faults import fault, unreadable


def read_json(path: Path) -> object:
    """Parse a JSON file.

    Raises:
        FormatError: The file cannot be read or is not JSON.
    """
    try:
        document: object = json.loads(path.read_bytes())
    except OSError as error:
        raise unreadable(path, error) from error
    # RecursionError: brackets nested deeper than any detector writes.
    except (ValueError, RecursionError) as error:
        raise fault(path, expected="whole JSON", got=str(error)[:120], cure="write the file again") from error
    return document
