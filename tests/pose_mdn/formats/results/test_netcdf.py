"""netCDF: xarray and movement open it, and everybody is where they were."""

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pose_mdn.errors import InputError, MissingExtraError
from pose_mdn.formats.results import dense_grid
from pose_mdn.formats.results.netcdf import FORMAT
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.poses.single import SinglePoses
from pose_mdn.poses.status import Status
from pose_mdn.skeletons import HUMAN36M17


def film_of(make_hypotheses, *, seed: int = 0, rows: int = 6, components: int = 2, fps: float | None = 25.0):
    """Three people who come and go, and frames of nobody in between."""
    rng = np.random.default_rng(seed)
    film = make_hypotheses(seed, rows, components)
    frame = 5 + np.arange(rows) // 2
    person = np.where(np.arange(rows) % 2, 9, rng.integers(1, 3, rows))
    nobody = rng.random(rows) < 0.3
    status = np.where(nobody, Status.NO_PERSON.value, film.status).astype(np.str_)
    return replace(film, frame=frame, person=np.where(nobody, -1, person), status=status, fps=fps)


def poses_of(film: HypothesisSequence) -> SinglePoses:
    return SinglePoses(
        positions_m=film.means_m[:, 0] + 3,
        std_m=np.abs(film.means_m[:, 0]),
        frame=film.frame,
        person=film.person,
        status=film.status,
        fps=film.fps,
        tracked=film.tracked,
        choice="top",
        model=film.model,
    )


def write(path: Path, film: HypothesisSequence) -> Path:
    assert FORMAT.write_both is not None
    (written,) = FORMAT.write_both(path, film, poses_of(film))
    return written


def opened(path: Path) -> xarray.Dataset:
    with xarray.open_dataset(path, engine="h5netcdf") as dataset:
        return dataset.load()


FILMS = st.fixed_dictionaries(
    {
        "seed": st.integers(0, 2**32 - 1),
        "rows": st.integers(0, 9),
        "components": st.integers(1, 3),
        "fps": st.sampled_from([None, 25.0]),
    }
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(facts=FILMS)
def test_every_row_is_in_its_frame_and_at_its_person(tmp_path, make_hypotheses, facts) -> None:
    film = film_of(make_hypotheses, **facts)
    poses = poses_of(film)
    dataset = opened(write(tmp_path / "film.nc", film))
    words = dict(zip(dataset.status.flag_values.tolist(), dataset.status.flag_meanings.split(), strict=True))
    assert dataset.frame.values.tolist() == sorted(set(film.frame.tolist()))
    seen = 0
    for row in range(len(film)):
        if film.person[row] < 0 and film.status[row] == Status.NO_PERSON:
            continue
        seen += 1
        here = dataset.isel(time=dataset.frame.values.tolist().index(film.frame[row]))
        here = here.sel(individuals=f"person_{film.person[row]}")
        for name, values in {
            "position": poses.positions_m[row].T,
            "position_std": poses.std_m[row].T,
            "confidence": film.confidence[row],
            "mixing_coefficients": film.mixing_coefficients[row],
            "hypothesis_position": np.swapaxes(film.means_m[row] + film.root_translation_m[row][:, None], 1, 2),
            "hypothesis_std": np.swapaxes(film.std_m[row], 1, 2),
            "view_rotation": film.view_rotation[row],
            "reprojection_error_px": film.reprojection_error_px[row],
            "ood_score": film.ood_score[row],
        }.items():
            np.testing.assert_array_equal(here[name].values, values, err_msg=name)
        assert words[int(here.status)] == film.status[row]
    assert (dataset.status.values >= 0).sum() == seen
    assert np.isfinite(dataset.confidence.values).sum() == 17 * seen


@pytest.mark.parametrize("fps", [None, 29.97])
def test_the_dataset_has_the_schema_of_movement(tmp_path, make_hypotheses, fps) -> None:
    """As documented at movement.neuroinformatics.dev, "The movement datasets", for poses."""
    film = film_of(make_hypotheses, fps=fps)
    dataset = opened(write(tmp_path / "film.nc", film))
    assert dataset.position.dims == ("time", "space", "keypoints", "individuals")
    assert dataset.confidence.dims == ("time", "keypoints", "individuals")
    assert dataset.space.values.tolist() == ["x", "y", "z"]
    assert dataset.keypoints.values.tolist() == list(HUMAN36M17.joint_names)
    assert all(isinstance(name, str) for name in dataset.individuals.values.tolist())
    assert (dataset.attrs["ds_type"], dataset.attrs["source_software"]) == ("poses", "pose-mdn")
    assert dataset.attrs.get("fps") == fps
    assert dataset.attrs["time_unit"] == ("frames" if fps is None else "seconds")
    np.testing.assert_allclose(dataset.time.values, np.unique(film.frame) / (fps or 1))
    assert dataset.position.attrs["units"] == "m"


def test_movement_itself_accepts_it(tmp_path, make_hypotheses) -> None:
    datasets = pytest.importorskip("movement.validators.datasets")
    dataset = opened(write(tmp_path / "film.nc", film_of(make_hypotheses)))
    datasets.ValidPosesInputs.validate(dataset)
    own = datasets.ValidPosesInputs(
        position_array=dataset.position.values,
        confidence_array=dataset.confidence.values,
        individual_names=dataset.individuals.values.tolist(),
        keypoint_names=dataset.keypoints.values.tolist(),
        fps=dataset.attrs["fps"],
        source_software=dataset.attrs["source_software"],
    ).to_dataset()
    assert own.position.dims == dataset.position.dims
    assert {name: own[name].dtype.kind for name in own.coords} == {
        name: dataset[name].dtype.kind for name in own.coords
    }
    assert own.attrs.items() <= dataset.attrs.items()


def test_the_bytes_do_not_hold_the_time(tmp_path, make_hypotheses) -> None:
    film = film_of(make_hypotheses)
    first = write(tmp_path / "first.nc", film).read_bytes()
    # HDF5 keeps times in whole seconds, if it keeps any.
    time.sleep(1.1)
    assert write(tmp_path / "second.nc", film).read_bytes() == first


def test_someone_twice_in_a_frame_is_refused_since_a_grid_has_no_room(tmp_path, make_hypotheses) -> None:
    film = replace(film_of(make_hypotheses), person=np.full(6, 4))
    with pytest.raises(InputError, match="person 4 twice in frame 5"):
        write(tmp_path / "film.nc", film)
    assert list(tmp_path.iterdir()) == []


def test_a_grid_much_larger_than_its_rows_is_refused(tmp_path, make_hypotheses, monkeypatch) -> None:
    monkeypatch.setattr(dense_grid, "LARGEST_BYTES", 1000)
    with pytest.raises(InputError, match=r"3 frames.*parquet"):
        write(tmp_path / "film.nc", film_of(make_hypotheses))


def test_without_the_library_the_extra_is_named(tmp_path, make_hypotheses, monkeypatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "h5netcdf", None)
    with pytest.raises(MissingExtraError, match=r"pose-mdn\[netcdf\]"):
        write(tmp_path / "film.nc", film_of(make_hypotheses))
