"""Writing results: every format appears whole, twice the same, with all rows and the poses that were chosen."""

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import csv as arrow_csv

from pose_mdn.errors import InputError
from pose_mdn.formats import read_hypotheses
from pose_mdn.formats.results.registry import result_format, result_format_of
from pose_mdn.formats.results.result_format import ResultFormat
from pose_mdn.poses.single import POSE_CHOICES, SinglePoses
from pose_mdn.results import choose_poses, result_formats, write_result, writing
from pose_mdn.skeletons import HUMAN36M17

OWN = ("npz", "parquet", "jsonl", "csv", "netcdf")
each_format = pytest.mark.parametrize("name", OWN)
each_choice = pytest.mark.parametrize("choice", POSE_CHOICES)
of_films = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def read_table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def numbers(rows: list[dict[str, str]], *names: str) -> np.ndarray:
    """(N, 17, ...) cells; empty ones are NaN."""
    cells = [[float(row[name] or "nan") for name in names] for row in rows]
    return np.array(cells, np.float64).reshape(-1, 17, len(names))


def test_a_format_has_one_way_to_write_and_a_suffix_of_its_own() -> None:
    formats = result_formats()
    assert set(OWN) <= set(formats)
    for name, entry in formats.items():
        ways = (entry.write_hypotheses, entry.write_poses, entry.write_both)
        assert name == entry.name
        assert sum(way is not None for way in ways) == 1
        assert entry.description
        assert entry.suffix.startswith(".")
        assert sorted(axis[-1] for axis in entry.axes) == ["x", "y", "z"]
    assert len({entry.suffix for entry in formats.values()}) == len(formats)


@each_format
@of_films
@given(data=st.data())
def test_two_writes_give_the_same_bytes(tmp_path, data, films, make_film, name) -> None:
    film = make_film(**data.draw(films))
    choice = data.draw(st.sampled_from(POSE_CHOICES))
    first = write_result(tmp_path / "first", film, format=name, choice=choice)
    second = write_result(tmp_path / "second", film, format=name, choice=choice)
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    assert first[0] == tmp_path / "first"


@pytest.mark.parametrize("name", ["npz", "parquet", "jsonl"])
@of_films
@given(data=st.data())
def test_hypotheses_come_back_as_they_were(tmp_path, data, films, make_film, name) -> None:
    film = make_film(**data.draw(films))
    (path,) = write_result(tmp_path / f"film.{name}", film)
    found = read_hypotheses(path)
    for field in ("means_m", "std_m", "mixing_coefficients", "root_translation_m", "view_rotation", "status", "person"):
        np.testing.assert_array_equal(getattr(found, field), getattr(film, field))
    assert (found.fps, found.tracked, found.model) == (film.fps, film.tracked, film.model)


@each_choice
@of_films
@given(data=st.data())
def test_a_table_holds_the_chosen_poses(tmp_path, data, films, make_film, choice) -> None:
    film = make_film(**data.draw(films))
    (path,) = write_result(tmp_path / "film.csv", film, choice=choice)
    rows, chosen = read_table(path), choose_poses(film, choice)
    assert len(rows) == 17 * len(film)
    np.testing.assert_allclose(numbers(rows, "x_m", "y_m", "z_m"), chosen.positions_m, atol=1e-6)
    np.testing.assert_allclose(numbers(rows, "std_x_m", "std_y_m", "std_z_m"), chosen.std_m, atol=1e-6)
    np.testing.assert_allclose(numbers(rows, "weight")[:, 0, 0], chosen.weight, atol=1e-6)
    assert [row["joint"] for row in rows] == list(HUMAN36M17.joint_names) * len(film)
    for name, values in (("frame", film.frame), ("person", film.person), ("status", film.status)):
        assert [row[name] for row in rows] == np.repeat(values, 17).astype(str).tolist()
    seconds = film.frame / film.fps if film.fps else np.full(len(film), np.nan)
    np.testing.assert_allclose(numbers(rows, "time_s")[:, 0, 0], seconds, atol=1e-6)


def test_a_table_is_read_with_the_right_types_by_a_library(tmp_path, make_film) -> None:
    film = make_film(frames=12)
    (path,) = write_result(tmp_path / "film.csv", film, choice="top")
    table = arrow_csv.read_csv(path)
    kinds = {name: str(table.schema.field(name).type) for name in table.column_names}
    assert {kinds[name] for name in ("frame", "person")} == {"int64"}
    assert {kinds[name] for name in ("joint", "status")} == {"string"}
    assert {kind for name, kind in kinds.items() if name.endswith(("_m", "_s")) or name == "weight"} == {"double"}
    found = np.stack([table.column(name).to_numpy() for name in ("x_m", "y_m", "z_m")], axis=-1).reshape(-1, 17, 3)
    np.testing.assert_allclose(found, choose_poses(film, "top").positions_m, atol=1e-6)


@pytest.fixture
def millimetres_y_up(monkeypatch) -> None:
    """A format with one pose, other axes and another unit, in place of all others."""

    def write(path: Path, poses: SinglePoses) -> tuple[Path, ...]:
        path.write_bytes(poses.positions_m.tobytes())
        return (path,)

    entry = ResultFormat(name="mm", description="", suffix=".mm", write_poses=write, axes=("z", "-y", "-x"), unit="mm")
    monkeypatch.setattr(writing, "result_format_of", lambda path: entry)


@pytest.mark.usefixtures("millimetres_y_up")
@each_choice
@of_films
@given(data=st.data())
def test_what_holds_no_uncertainty_gets_it_beside_in_its_own_axes_and_unit(
    tmp_path, data, films, make_film, choice
) -> None:
    film = make_film(**data.draw(films))
    written = write_result(tmp_path / "walk.mm", film, choice=choice)
    assert [path.name for path in written] == ["walk.mm", "walk.mm.uncertainty.csv"]
    rows, chosen = read_table(written[1]), choose_poses(film, choice)
    assert written[0].read_bytes() == chosen.positions_m.tobytes()
    assert len(rows) == 17 * len(film)
    expected = 1000 * chosen.std_m.astype(np.float64)[..., [2, 1, 0]]
    np.testing.assert_allclose(numbers(rows, "std_x_mm", "std_y_mm", "std_z_mm"), expected, atol=1e-3)
    assert [row["status"] for row in rows[::17]] == film.status.tolist()


BESIDE = [entry.name for entry in result_formats().values() if entry.write_poses and not entry.states_uncertainty]


@pytest.mark.parametrize("name", BESIDE)
def test_every_format_without_standard_deviations_has_them_beside(tmp_path, random_hypotheses, name) -> None:
    film, entry = random_hypotheses(0, 4, 2), result_formats()[name]
    written = [write_result(tmp_path / f"{copy}{entry.suffix}", film) for copy in "ab"]
    rows, chosen = read_table(written[0][-1]), choose_poses(film)
    assert written[0][-1].name == f"a{entry.suffix}.uncertainty.csv"
    assert written[0][-1].read_bytes() == written[1][-1].read_bytes()
    factor = {"m": 1, "cm": 100, "mm": 1000}[entry.unit]
    order = ["xyz".index(axis[-1]) for axis in entry.axes]
    found = numbers(rows, *(f"std_{axis}_{entry.unit}" for axis in "xyz"))
    np.testing.assert_allclose(found, factor * chosen.std_m[..., order], atol=1e-6 * factor)


def test_cells_are_the_same_however_many_rows_are_written_at_once(tmp_path, make_film, monkeypatch) -> None:
    film = make_film(frames=30)
    (whole,) = write_result(tmp_path / "whole.csv", film)
    monkeypatch.setattr("pose_mdn.formats.results.long_table._POSES_AT_ONCE", 7)
    monkeypatch.setattr("pose_mdn.formats.hypotheses.jsonl._ROWS_AT_ONCE", 7)
    (parts,) = write_result(tmp_path / "parts.csv", film)
    assert parts.read_bytes() == whole.read_bytes()
    (lines,) = write_result(tmp_path / "parts.jsonl", film)
    np.testing.assert_array_equal(read_hypotheses(lines).means_m, film.means_m)


def test_a_named_format_stands_above_the_ending(tmp_path, make_film) -> None:
    (path,) = write_result(tmp_path / "film.csv", make_film(), format="jsonl")
    assert "pose_mdn" in json.loads(path.read_text().splitlines()[0])


@pytest.mark.parametrize(
    ("call", "nearest"),
    [
        (lambda film: write_result("film.jsnl", film), r"\.jsonl"),
        (lambda film: write_result("film.cvs", film), r"\.csv"),
        (lambda film: write_result("film", film, format="parket"), "'parquet'"),
        (lambda film: write_result("film", film, format="NPZ"), "'npz'"),
    ],
)
def test_a_misspelt_format_suggests_the_nearest(make_film, call: Callable[..., object], nearest: str) -> None:
    with pytest.raises(InputError, match=f"did you mean .*{nearest.strip(chr(39))}"):
        call(make_film())


def test_endings_may_be_in_upper_case() -> None:
    assert result_format_of(Path("WALK.CSV")) is result_format("csv")


@pytest.mark.parametrize("name", ["film.csv", "film.jsonl", "film.nc"])
def test_a_place_that_cannot_be_written_to_says_so_and_leaves_nothing(tmp_path, make_film, name) -> None:
    with pytest.raises(InputError, match="a place that can be written to"):
        write_result(tmp_path / "absent" / name, make_film())
    assert list(tmp_path.iterdir()) == []


def test_an_infinite_number_becomes_null_and_then_nan(tmp_path, make_film) -> None:
    film = make_film(seed=3)
    error = film.reprojection_error_px.copy()
    error[0, 0] = np.inf
    (path,) = write_result(tmp_path / "film.jsonl", replace(film, reprojection_error_px=error))
    assert np.isnan(read_hypotheses(path).reprojection_error_px[0, 0])
