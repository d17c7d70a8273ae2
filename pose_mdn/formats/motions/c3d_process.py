"""Reads one C3D file in a process of its own: `python c3d_process.py FILE.c3d RESULT.npz`.

ezc3d trusts what a file says, and a damaged one can take the whole process down with it. This one is expendable; it
imports nothing of the package, so that it starts quickly.
"""

import sys

import numpy as np

_LABEL_GROUPS = ("LABELS", *(f"LABELS{number}" for number in range(2, 10)))
"""Files with more than 255 markers go on in LABELS2, LABELS3 and so on."""


def main(source: str, result: str) -> None:
    """Write `points` (3, J, T), `rate`, `labels` (up to J,) and `units` of a C3D file as an archive."""
    import ezc3d  # noqa: PLC0415  (an extra, and the registry of formats imports every module here)

    recording = ezc3d.c3d(source)
    point = recording["parameters"]["POINT"]
    labels = [str(label) for group in _LABEL_GROUPS for label in point.get(group, {}).get("value", [])]
    units = [str(unit) for unit in point.get("UNITS", {}).get("value", [])]
    np.savez(
        result,
        points=np.asarray(recording["data"]["points"], np.float64)[:3],
        rate=np.float64(point["RATE"]["value"][0]),
        labels=np.array(labels, np.str_),
        units=np.array(units[0] if units else "", np.str_),
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
