"""How names of joints are spelt: what differs between tools without a difference in meaning.

Names are compared without case, punctuation, namespaces ("Subject:LASI") and the prefixes that exporters add
("mixamorig", "Bip01").
"""

import re
from collections.abc import Sequence

_PREFIX = re.compile(r"^(mixamorig\d*|bip0*\d+|character\d+)(?=.)")


def bare_name(name: str) -> str:
    """Lower case letters and digits of a name, without its namespace."""
    return re.sub(r"[^a-z0-9]", "", name.rpartition(":")[2].lower())


def normalized_names(names: Sequence[str]) -> tuple[str, ...]:
    """Names as the tables have them: lower case letters and digits, without namespace and common prefix."""
    bare = [bare_name(name) for name in names]
    shared = _shared_beginning(bare) if len(bare) > 3 else ""
    # A root may be called by the prefix alone, "Bip01".
    bare = [name[len(shared) :] or name for name in bare]
    return tuple(_PREFIX.sub("", name) for name in bare)


def _shared_beginning(words: Sequence[str]) -> str:
    first, last = min(words), max(words)
    differ = (place for place, pair in enumerate(zip(first, last, strict=False)) if pair[0] != pair[1])
    return first[: next(differ, len(first))]
