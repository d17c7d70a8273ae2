"""docs/result_formats.md is true: its examples run, and its tables equal the code."""

import csv
import json
import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xarray

from pose_mdn.poses.single import POSE_CHOICES
from pose_mdn.results import result_formats, write_result

PAGE = (Path(__file__).parents[3] / "docs" / "result_formats.md").read_text("utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def table(heading: str, number: int = 0) -> list[list[str]]:
    """Cells of the rows of a section's table, without its head."""
    (section,) = re.findall(rf"^#+ {re.escape(heading)}\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    tables = re.findall(r"((?:^\|.*\n)+)", section, re.MULTILINE)
    return [[cell.strip() for cell in line.strip("|\n").split("|")] for line in tables[number].splitlines()[2:]]


def quoted(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_example_runs(number, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    exec(compile(EXAMPLES[number], "documentation", "exec"), {})


def test_every_format_is_listed_with_its_ending_axes_and_unit() -> None:
    listed = {row[0].strip("`"): row[1:] for row in table("Formats of results")}
    assert set(listed) == set(result_formats())
    for name, entry in result_formats().items():
        ending, holds, axes, unit, _ = listed[name]
        assert ending == f"`{entry.suffix}`"
        assert (axes, unit) == (", ".join(entry.axes), entry.unit)
        assert ("one pose" in holds) == entry.holds_one_pose
        assert ("hypotheses" in holds or "deviations" in holds) == entry.states_uncertainty


def test_every_choice_is_listed() -> None:
    assert [quoted(row[0])[0] for row in table("Which pose")] == list(POSE_CHOICES)


def type_text(kind: pa.DataType) -> str:
    """`float32[M][17][3]` of nested lists; the first size of the file under test is M = 5."""
    sizes = []
    while pa.types.is_fixed_size_list(kind):
        sizes.append(kind.list_size)
        kind = kind.value_type
    names = {"float": "float32", "double": "float64"}
    return names.get(str(kind), str(kind)) + "".join("[M]" if size == 5 else f"[{size}]" for size in sizes)


def test_the_parquet_schema_is_documented_column_by_column(tmp_path, random_hypotheses) -> None:
    (path,) = write_result(tmp_path / "film.parquet", random_hypotheses(0, 3, 5))
    schema = pq.read_schema(path)
    documented = [(quoted(name)[0], *rest) for name, *rest in table("Parquet")]
    stored = [
        (column.name, type_text(column.type), column.metadata[b"unit"].decode(), column.metadata[b"meaning"].decode())
        for column in schema
    ]
    assert stored == documented
    assert not any(column.nullable for column in schema)
    facts = json.loads(schema.metadata[b"pose_mdn"])
    keys = {key for row in table("Parquet", 1) for key in quoted(row[0])}
    assert set(facts) == keys - {"image_size", "fps"}


def header(path: Path) -> list[str]:
    with path.open(newline="") as stream:
        return next(csv.reader(stream))


def test_the_columns_of_tables_are_documented(tmp_path, random_hypotheses) -> None:
    film = random_hypotheses(0, 3, 5)
    (path,) = write_result(tmp_path / "film.csv", film)
    assert header(path) == [name for row in table("CSV") for name in quoted(row[0])]
    _, beside = write_result(tmp_path / "film.trc", film)
    names = [name for row in table("Uncertainty beside a file (`.uncertainty.csv`)") for name in quoted(row[0])]
    assert header(beside) == names


def test_the_variables_of_netcdf_are_documented(tmp_path, random_hypotheses) -> None:
    (path,) = write_result(tmp_path / "film.nc", random_hypotheses(0, 3, 5))
    with xarray.open_dataset(path, engine="h5netcdf") as dataset:
        stored = [
            (name, ", ".join(map(str, found.dims)), found.attrs.get("units", ""))
            for name, found in dataset.data_vars.items()
        ]
    documented = [(quoted(name)[0], axes, unit) for name, axes, unit, _ in table("netCDF")]
    assert sorted(stored) == sorted(documented)


def test_the_first_line_of_json_lines_has_the_same_facts(tmp_path, random_hypotheses) -> None:
    (path,) = write_result(tmp_path / "film.jsonl", random_hypotheses(0, 3, 5))
    first, row, *_ = map(json.loads, path.read_text().splitlines())
    keys = {key for row in table("Parquet", 1) for key in quoted(row[0])}
    assert set(first["pose_mdn"]) == keys - {"image_size", "fps"}
    assert list(row) == [quoted(name)[0] for name, *_ in table("Parquet")]
    assert np.shape(row["means"]) == (5, 17, 3)
