import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from pose_mdn.cli.track import register
from pose_mdn.formats import read_hypotheses, read_keypoints, write_hypotheses, write_keypoints
from pose_mdn.poses.keypoints import KeypointSequence
from pose_mdn.skeletons import COCO17

RUNNER = CliRunner()


def run(*arguments: object) -> tuple[int, str]:
    app = typer.Typer()
    register(app)
    result = RUNNER.invoke(app, [str(argument) for argument in arguments])
    return result.exit_code, result.output


@pytest.fixture
def two_people(tmp_path: Path) -> Path:
    """40 frames of two people who stand 600 px apart, in changing order, without identities; one is missed at times."""
    rng = np.random.default_rng(0)
    bodies = rng.uniform(0, 300, (2, 17, 2)) + np.array([[[100.0, 200.0]], [[700.0, 200.0]]])
    rows = [(frame, person) for frame in range(40) for person in rng.permutation(2) if person or not 10 <= frame < 13]
    frame, person = np.array(rows).T
    np.savez(
        tmp_path / "clip.npz",
        keypoints=(bodies[person] + rng.normal(size=(len(rows), 17, 2))).astype(np.float32),
        skeleton="coco17",
        frame=frame,
        fps=20.0,
    )
    return tmp_path / "clip.npz"


def test_people_get_numbers_that_stay(two_people: Path, tmp_path: Path) -> None:
    code, text = run(two_people, "-o", tmp_path / "out.npz")
    assert code == 0
    assert "2 people in 40 frames, 77 rows" in text
    assert "1 gap, longest 0.15 s" in text
    before, after = read_keypoints(two_people), read_keypoints(tmp_path / "out.npz")
    assert (before.tracked, after.tracked) == (False, True)
    assert (after.keypoints_px == before.keypoints_px).all()
    assert (after.person == (after.keypoints_px[:, :, 0].mean(axis=1) > 600)).all()


def test_machines_get_json(two_people: Path, tmp_path: Path) -> None:
    code, text = run(two_people, "-o", tmp_path / "out.npz", "--json", "--online")
    (result,) = json.loads(text)["results"]
    assert code == 0
    assert [person["frames"] for person in result["people"]] == [37, 40]
    assert (result["fps"], result["without_number"]) == (20.0, 0)


def test_hypotheses_stay_hypotheses(random_hypotheses, tmp_path: Path) -> None:
    write_hypotheses(tmp_path / "in.npz", random_hypotheses(0, rows=3))
    code, text = run(tmp_path / "in.npz", "-o", tmp_path / "out.parquet")
    assert code == 0, text
    assert "30 fps, which was assumed" in text
    assert len(read_hypotheses(tmp_path / "out.parquet")) == 3


def test_openpose_folders_and_broken_files(tmp_path: Path) -> None:
    folder = tmp_path / "in" / "walk"
    folder.mkdir(parents=True)
    body = [value for joint in range(25) for value in (100 + 7 * joint, 200 + 3 * joint**2, 0.9)]
    other = [value + 500 * (index % 3 == 0) for index, value in enumerate(body)]
    for frame in range(6):
        people = [{"pose_keypoints_2d": values} for values in ([body, other] if frame % 2 else [other, body])]
        (folder / f"walk_{frame:012d}_keypoints.json").write_text(json.dumps({"people": people}))
    (tmp_path / "in" / "broken.npz").write_bytes(b"PK nonsense")
    code, text = run(tmp_path / "in", "-o", tmp_path / "out", "--fps", "25")
    assert code == 1
    assert "broken.npz" in text
    tracked = read_keypoints(tmp_path / "out" / "walk.npz")
    assert tracked.fps == 25.0
    is_right = tracked.keypoints_px[:, 0, 0] > 600
    assert len(set(zip(tracked.person.tolist(), is_right.tolist(), strict=True))) == 2


def test_identities_survive_a_round_trip_or_are_known_to_be_missing(tmp_path: Path) -> None:
    sequence = KeypointSequence(
        keypoints_px=np.random.default_rng(0).uniform(0, 500, (2, 17, 2)).astype(np.float32),
        confidence=np.ones((2, 17), np.float32),
        skeleton=COCO17,
        frame=np.zeros(2, np.int64),
        person=np.arange(2),
        tracked=False,
    )
    write_keypoints(tmp_path / "a.npz", sequence)
    assert not read_keypoints(tmp_path / "a.npz").tracked


def test_it_is_a_command() -> None:
    program = "from pose_mdn.cli import main; main()"
    run_help = subprocess.run(
        [sys.executable, "-c", program, "track", "--help"],
        capture_output=True, text=True, check=False, env={**os.environ, "COLUMNS": "200"},
    )  # fmt: skip
    assert run_help.returncode == 0
    assert "--online" in run_help.stdout
