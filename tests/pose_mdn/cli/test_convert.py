"""`pose-mdn convert`: results for other tools, and detectors' files as keypoints files."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner, Result

import pose_mdn
from pose_mdn.cli.convert import register
from pose_mdn.formats import read_hypotheses, read_keypoints, result_formats, write_hypotheses
from pose_mdn.results import write_result

CLIP = Path(pose_mdn.__file__).parent / "samples" / "walking_clip.npz"

Run = Callable[..., Result]


@pytest.fixture
def run() -> Run:
    app = typer.Typer()
    app.callback()(lambda: None)
    register(app)
    return lambda *words, stdin=None: CliRunner().invoke(
        app, ["convert", *map(str, words)], input=stdin, env={"COLUMNS": "200"}
    )


def said(answer: Result) -> str:
    """Everything printed or raised, without the frame around it."""
    text = f"{answer.output} {answer.exception or ''}".replace("│", " ")
    return " ".join(text.split())


@pytest.fixture
def film(random_hypotheses):
    return random_hypotheses(0, 6, 3)


@pytest.fixture
def result(film, tmp_path) -> Path:
    write_hypotheses(tmp_path / "walk.npz", film)
    return tmp_path / "walk.npz"


@pytest.fixture
def openpose(tmp_path) -> Path:
    folder = tmp_path / "openpose"
    folder.mkdir()
    for frame in range(3):
        pixels = np.random.default_rng(frame).uniform(100, 900, (25, 2)).round(1)
        joints = np.column_stack([pixels, np.ones(25)]).ravel().tolist()
        document = {"people": [{"person_id": [-1], "pose_keypoints_2d": joints}]}
        (folder / f"walk_{frame:012d}_keypoints.json").write_text(json.dumps(document))
    return folder


@pytest.mark.parametrize("name", ["npz", "parquet", "jsonl", "csv", "netcdf"])
@pytest.mark.parametrize("pose", ["mean", "top", "linked"])
def test_a_result_becomes_the_file_that_the_library_writes(run: Run, result, tmp_path, name, pose) -> None:
    suffix, film = result_formats()[name].suffix, read_hypotheses(result)
    answer = run(result, "-o", tmp_path / f"out{suffix}", "--pose", pose)
    assert answer.exit_code == 0, answer.output
    (expected, *_) = write_result(tmp_path / f"expected{suffix}", film, choice=pose)
    assert (tmp_path / f"out{suffix}").read_bytes() == expected.read_bytes()
    assert "6 rows, 6 with a pose" in answer.stdout
    assert (f"one pose each: {pose}" in answer.stdout) == (name in {"csv", "netcdf"})


@pytest.mark.parametrize("suffix", [".parquet", ".jsonl"])
def test_there_and_back_again_nothing_is_lost(run: Run, result, film, tmp_path, suffix) -> None:
    assert run(result, "-o", tmp_path / f"there{suffix}").exit_code == 0
    assert run(tmp_path / f"there{suffix}", "-o", tmp_path / "back.npz").exit_code == 0
    assert (tmp_path / "back.npz").read_bytes() == result.read_bytes()


def test_the_summary_for_machines_names_all_files(run: Run, result, tmp_path) -> None:
    answer = run(result, "-o", tmp_path / "out.csv", "--pose", "top", "--json")
    (summary,) = json.loads(answer.stdout)["results"]
    assert summary == {
        "input": str(result),
        "outputs": [str(tmp_path / "out.csv")],
        "holds": "hypotheses",
        "rows": 6,
        "with_pose": 6,
        "pose": "top",
    }


@pytest.mark.parametrize("suffix", [".npz", ".parquet"])
def test_a_detectors_files_become_a_keypoints_file(run: Run, openpose, tmp_path, suffix) -> None:
    answer = run(openpose, "-o", tmp_path / f"walk{suffix}", "--fps", "50", "--image-size", "1920x1080")
    assert answer.exit_code == 0, answer.output
    assert "3 rows, 3 with keypoints" in answer.stdout
    found, expected = read_keypoints(tmp_path / f"walk{suffix}"), read_keypoints(openpose)
    np.testing.assert_array_equal(found.keypoints_px, expected.keypoints_px)
    assert (found.fps, found.image_size, found.tracked) == (50.0, (1920, 1080), False)


def test_many_inputs_go_to_a_folder_and_a_bad_one_stops_none(run: Run, result, film, tmp_path) -> None:
    folder = tmp_path / "results"
    (folder / "day").mkdir(parents=True)
    write_hypotheses(folder / "day" / "a.parquet", film)
    write_hypotheses(folder / "b.jsonl", film)
    (folder / "c.npz").write_bytes(b"PK\3\4 damaged")
    answer = run(folder, "--to", "csv", "-o", tmp_path / "out")
    assert answer.exit_code == 1
    assert "c.npz" in answer.stderr
    assert "2 of 3 inputs converted" in answer.stdout
    assert sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.csv")) == [
        "b.csv",
        "day/a.csv",
    ]


def test_what_comes_by_stdin_is_converted(run: Run, tmp_path) -> None:
    answer = run("-", "-o", tmp_path / "clip.npz", stdin=CLIP.read_bytes())
    assert answer.exit_code == 0, answer.output
    np.testing.assert_array_equal(read_keypoints(tmp_path / "clip.npz").keypoints_px, read_keypoints(CLIP).keypoints_px)


def test_a_result_may_be_read_as_the_keypoints_that_were_lifted(run: Run, result, film, tmp_path) -> None:
    assert run(result, "--format", "npz", "-o", tmp_path / "lifted.npz").exit_code == 0
    assert read_keypoints(tmp_path / "lifted.npz").skeleton.name == "human36m17"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("-o", "out.cvs"), "did you mean '.csv'"),
        (("-o", "out", "--to", "jsnl"), "did you mean 'jsonl'"),
        (("-o", "out"), "say which with --to"),
        (("-o", "out.csv", "--pose", "best"), "'mean', 'top', 'linked'"),
    ],
)
def test_what_is_misspelt_is_named_with_the_nearest(run: Run, result, words, message) -> None:
    answer = run(result, *words)
    assert answer.exit_code != 0
    assert message in said(answer)


def test_keypoints_survive_a_table(run: Run, tmp_path) -> None:
    assert run(CLIP, "-o", tmp_path / "clip.parquet").exit_code == 0
    assert run(tmp_path / "clip.parquet", "-o", tmp_path / "back.npz").exit_code == 0
    back, clip = read_keypoints(tmp_path / "back.npz"), read_keypoints(CLIP)
    for name in ("keypoints_px", "confidence", "frame", "person"):
        np.testing.assert_array_equal(getattr(back, name), getattr(clip, name))


def test_keypoints_cannot_become_poses(run: Run, tmp_path) -> None:
    answer = run(CLIP, "-o", tmp_path / "clip.csv")
    assert answer.exit_code == 1
    assert "lift them first" in said(answer)
    assert not (tmp_path / "clip.csv").exists()


def test_a_file_is_not_written_over_itself(run: Run, result) -> None:
    before = result.read_bytes()
    assert "over itself" in said(run(result, "-o", result))
    assert result.read_bytes() == before


def test_an_ending_in_upper_case_is_the_same_format(run: Run, result, tmp_path) -> None:
    assert run(result, "-o", tmp_path / "OUT.CSV").exit_code == 0
    assert (tmp_path / "OUT.CSV").is_file()


def test_the_help_names_every_format(run: Run) -> None:
    text = said(run("--help"))
    assert [name for name in result_formats() if f" {name}" not in text] == []


def test_a_missing_input_says_so(run: Run, tmp_path) -> None:
    answer = run(tmp_path / "absent.npz", "-o", tmp_path / "out.csv")
    assert answer.exit_code == 1
    assert "absent.npz" in said(answer)


def test_rows_are_read_back_from_what_was_converted(run: Run, result, film, tmp_path) -> None:
    run(result, "-o", tmp_path / "walk.jsonl")
    np.testing.assert_array_equal(read_hypotheses(tmp_path / "walk.jsonl").means_m, film.means_m)
