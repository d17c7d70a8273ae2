"""Results as netCDF for `movement` and other users of xarray: times, people and joints as the axes of dense arrays.

The variables `position` and `confidence` are those of a poses dataset of movement (its docs, "The movement datasets");
the others hold the distribution.
"""

from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from pose_mdn.errors import MissingExtraError
from pose_mdn.formats.array_checks import Array
from pose_mdn.formats.atomic import replace_atomically
from pose_mdn.formats.results.dense_grid import DenseGrid, Variable, variables
from pose_mdn.formats.results.result_format import ResultFormat
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.poses.single import SinglePoses

if TYPE_CHECKING:
    import h5netcdf

_COMPRESSION_LEVEL = 4


def _write(path: Path, hypotheses: HypothesisSequence, poses: SinglePoses) -> tuple[Path, ...]:
    try:
        import h5netcdf  # noqa: F401, PLC0415 - an optional package
    except ImportError as error:
        raise MissingExtraError(
            "writing netCDF needs h5netcdf, which is not installed; install it with: pip install 'pose-mdn[netcdf]'"
        ) from error
    grid = DenseGrid.of(hypotheses)
    with replace_atomically(path) as stream:
        _write_stream(stream, grid, hypotheses, poses)
    return (path,)


def _write_stream(stream: BinaryIO, grid: DenseGrid, hypotheses: HypothesisSequence, poses: SinglePoses) -> None:
    import h5netcdf  # noqa: PLC0415

    with h5netcdf.File(stream, "w") as file:
        file.attrs.update(_attributes(hypotheses, poses))
        for name, labels in _coordinates(grid, hypotheses).items():
            file.dimensions[name] = len(labels)
            text = labels.dtype.kind == "U"
            values = labels.astype(object) if text else labels
            variable = file.create_variable(name, (name,), h5netcdf.core.h5py.string_dtype() if text else labels.dtype)
            variable[...] = values
        for entry in variables(grid, hypotheses, poses):
            _write_variable(file, entry)


def _write_variable(file: "h5netcdf.File", entry: Variable) -> None:
    options = {"compression": "gzip", "compression_opts": _COMPRESSION_LEVEL, "shuffle": True}
    # A filter needs chunks, which arrays without elements cannot have.
    variable = file.create_variable(
        entry.name, entry.dimensions, entry.values.dtype, **(options if entry.values.size else {})
    )
    if entry.values.size:
        variable[...] = entry.values
    variable.attrs.update({"long_name": entry.meaning, **({"units": entry.unit} if entry.unit else {}), **entry.facts})


def _attributes(hypotheses: HypothesisSequence, poses: SinglePoses) -> dict[str, str | float]:
    """Of the file; first those that movement writes itself."""
    known: dict[str, str | float] = {
        "source_software": "pose-mdn",
        "ds_type": "poses",
        "time_unit": "frames" if hypotheses.fps is None else "seconds",
    }
    if hypotheses.fps is not None:
        known["fps"] = float(hypotheses.fps)
    return {
        **known,
        "axes": "camera frame: x right, y down, z forward, origin in the optical centre",
        "pose_choice": poses.choice,
        "model": hypotheses.model,
        "source_skeleton": hypotheses.source_skeleton,
        "mapping": hypotheses.mapping,
        "intrinsics_source": hypotheses.intrinsics_source,
        "size_source": hypotheses.size_source,
        "tracked": str(hypotheses.tracked).lower(),
    }


def _coordinates(grid: DenseGrid, hypotheses: HypothesisSequence) -> dict[str, Array]:
    fps = hypotheses.fps
    return {
        "time": grid.frames if fps is None else grid.frames / fps,
        "space": np.array(["x", "y", "z"]),
        "keypoints": np.array(grid.joint_names),
        "individuals": np.array([f"person_{number}" for number in grid.people.tolist()], np.str_),
        "hypothesis": np.arange(hypotheses.num_hypotheses),
        "sight": np.array(["across", "along"]),
        "sight_axis": np.array(["x", "y", "z"]),
    }


FORMAT = ResultFormat(
    name="netcdf",
    description="netCDF for movement and xarray: one pose, and all hypotheses, as dense arrays over time",
    suffix=".nc",
    write_both=_write,
    states_uncertainty=True,
)
"""A dataset of movement."""
