"""Reads one HDF5 file in a process of its own: `python hdf5_process.py FILE.h5 RESULT.npz`.

libhdf5 trusts what a file says, and a damaged one can take the whole process down with it. This one is expendable; it
imports nothing of the package, so that it starts quickly. Nothing is unpickled: attributes are handed on as bytes.
"""

import sys
import zipfile
from pathlib import Path

import h5py
import numpy as np

_LARGEST_TEXT = 2**16
_EXPANSION_FLOOR = 64 * 2**20
_EXPANSION_LIMIT = 64
_DEPTH = 3
"""Groups nested deeper hold nothing that is read here."""


class Collector:
    """Gathers the arrays of a file until they would take too much memory."""

    def __init__(self, limit: int) -> None:
        self.arrays: dict[str, np.ndarray] = {}
        self._left = limit

    def visit(self, group: h5py.Group, path: str = "", depth: int = 0) -> None:
        """Keep what is in a group, and in groups inside of it."""
        self._keep_attributes(group, path)
        for name in group:
            # An external link would read another file; a broken one nothing.
            if name.startswith("_") or not isinstance(group.get(name, getlink=True), h5py.HardLink):
                continue
            entry = group[name]
            if isinstance(entry, h5py.Dataset):
                self._keep_attributes(entry, path + name)
                self._keep_values(entry, path + name)
            elif isinstance(entry, h5py.Group) and depth < _DEPTH:
                self.visit(entry, f"{path}{name}/", depth + 1)

    def _keep_values(self, entry: h5py.Dataset, path: str) -> None:
        self._left -= entry.nbytes
        if self._left < 0:
            raise ValueError("it claims to unpack to far more than its own size")
        values = np.asarray(entry[()])
        for field in values.dtype.names or ():
            self._keep(f"{path}/{field}", values[field])
        self._keep(path, values)

    def _keep_attributes(self, entry: h5py.Group | h5py.Dataset, path: str) -> None:
        for name, value in entry.attrs.items():
            if not isinstance(value, h5py.Empty):
                self._keep(f"{path}@{name}", np.asarray(value))

    def _keep(self, path: str, values: np.ndarray) -> None:
        if values.dtype.kind == "O":
            texts = [text.decode("utf-8", "replace") if isinstance(text, bytes) else text for text in values.ravel()]
            if not all(isinstance(text, str) and len(text) <= _LARGEST_TEXT for text in texts):
                return
            values = np.array(texts, np.str_).reshape(values.shape)
        if values.dtype.kind in "biufSU":
            self.arrays[path.replace("\n", " ")] = values


def main(source: str, result: str) -> None:
    """Write every array of numbers or text under its path, columns of tables apart, and attributes under path@name."""
    collector = Collector(max(_EXPANSION_FLOOR, _EXPANSION_LIMIT * Path(source).stat().st_size))
    with h5py.File(source, "r") as file:
        collector.visit(file)
    with zipfile.ZipFile(result, "w") as archive:
        for number, values in enumerate(collector.arrays.values()):
            with archive.open(f"{number}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(
                    member, np.ascontiguousarray(values).reshape(values.shape), allow_pickle=False
                )
        archive.writestr("paths.txt", "\n".join(collector.arrays))


if __name__ == "__main__":
    main(*sys.argv[1:])
