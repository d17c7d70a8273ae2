import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

import pose_mdn
from pose_mdn.cli import build_app
from pose_mdn.cli.lift_request import lift_request
from pose_mdn.formats import read_camera, read_hypotheses
from pose_mdn.geometry.known_body import stature_m
from pose_mdn.inference import DEFAULT_MIN_CONFIDENCE, DEFAULT_MODEL, load_lifter

CLIP = Path(pose_mdn.__file__).parent / "samples" / "walking_clip.npz"
CALIBRATION = """
[left]
size = [1920, 1080]
matrix = [[1100.0, 0, 958], [0, 1090, 541], [0, 0, 1]]
distortions = [-0.1, 0.02, 0.001, -0.001]
[right]
size = [1280, 720]
matrix = [[700.0, 0, 640], [0, 700, 360], [0, 0, 1]]
"""

Run = Callable[..., Result]


@pytest.fixture
def run(tiny_bundle: Path) -> Run:
    app = build_app()

    def invoke(*arguments: str | Path, stdin: bytes | None = None) -> Result:
        words = ["lift", "--model", str(tiny_bundle), "--threads", "1", *map(str, arguments)]
        return CliRunner().invoke(app, words, input=stdin, env={"COLUMNS": "200"})

    return invoke


def write_people(path: Path, count: int = 5, seed: int = 0, **more: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    keypoints = np.random.default_rng(seed).uniform(100, 900, (count, 17, 2)).astype(np.float32)
    np.savez(path, **{"keypoints": keypoints, "skeleton": "coco17", "image_size": [1920, 1080], **more})
    return path


def finished(result: Result) -> dict[str, Any]:
    """The last event, which sums up all."""
    return json.loads(result.stdout.splitlines()[-1])


def write_openpose(folder: Path, frames: int = 3) -> Path:
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for frame in range(frames):
        joints = np.column_stack([rng.uniform(100, 900, (25, 2)), np.ones(25)]).reshape(-1).tolist()
        people = [] if frame == 1 else [{"person_id": [-1], "pose_keypoints_2d": joints}]
        (folder / f"walk_{frame:012d}_keypoints.json").write_text(json.dumps({"version": 1.3, "people": people}))
    return folder


@pytest.mark.parametrize("suffix", [".npz", ".parquet"])
def test_one_input_becomes_one_file(run: Run, tmp_path: Path, suffix: str) -> None:
    target = tmp_path / f"result{suffix}"
    result = run(CLIP, "-o", target)
    assert result.exit_code == 0, result.output
    hypotheses = read_hypotheses(target)
    assert len(hypotheses) == 160
    assert (hypotheses.model, hypotheses.source_skeleton, hypotheses.fps) == ("tiny/3", "blazepose33", 30.0)
    assert "160 rows" in result.stdout
    assert "5 without a person" in result.stdout
    assert "assumed: diagonal field of view" in result.stdout


def test_the_file_equals_what_the_library_gives(run: Run, tmp_path: Path, tiny_bundle: Path) -> None:
    source = write_people(tmp_path / "a.npz")
    assert run(source, "-o", tmp_path / "out.npz").exit_code == 0
    with np.load(source) as arrays:
        expected = load_lifter(tiny_bundle, threads=1).lift_arrays(
            arrays["keypoints"], skeleton="coco17", image_size=(1920, 1080)
        )
    found = read_hypotheses(tmp_path / "out.npz")
    np.testing.assert_array_equal(found.means_m, expected.means_m)
    np.testing.assert_array_equal(found.intrinsics, expected.intrinsics)


def test_poses_that_look_like_nobody_are_counted(run: Run, tmp_path: Path, scoring_bundle: Path) -> None:
    confidence = np.full((5, 17), 0.3)
    confidence[3:] = 0.8
    source = write_people(tmp_path / "a.npz", confidence=confidence)
    scoring = ["--model", scoring_bundle, "-o", tmp_path / "out.npz"]
    assert "2 look out of distribution" in run(source, *scoring).stdout
    assert read_hypotheses(tmp_path / "out.npz").out_of_distribution.tolist() == [False] * 3 + [True] * 2
    (scored,) = finished(run(source, *scoring, "--json"))["results"]
    (unscored,) = finished(run(source, "-o", tmp_path / "out.npz", "--json"))["results"]
    assert (scored["out_of_distribution"], unscored["out_of_distribution"]) == (2, None)


def test_several_inputs_become_a_folder_in_the_same_order(run: Run, tmp_path: Path) -> None:
    write_people(tmp_path / "in" / "a" / "x.npz")
    write_people(tmp_path / "in" / "b" / "x.npz", count=2)
    write_openpose(tmp_path / "in" / "c")
    result = run(tmp_path / "in" / "*" / "x.npz", tmp_path / "in" / "c", "-o", tmp_path / "out", "--json")
    assert result.exit_code == 0, result.output
    summary = finished(result)
    assert [Path(entry["output"]).relative_to(tmp_path / "out").as_posix() for entry in summary["results"]] == [
        "a/x.npz",
        "b/x.npz",
        "c.npz",
    ]
    assert [entry["rows"] for entry in summary["results"]] == [5, 2, 3]
    assert summary["results"][2]["status"]["no_person"] == 1
    assert all(Path(entry["output"]).is_file() for entry in summary["results"])
    assert summary["model"] == "tiny/3"


def test_a_folder_of_files_is_several_inputs(run: Run, tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_people(tmp_path / "in" / f"{name}.npz")
    assert run(tmp_path / "in", "-o", tmp_path / "out", "--to", "parquet").exit_code == 0
    assert sorted(path.name for path in (tmp_path / "out").glob("[!.]*.parquet")) == ["a.parquet", "b.parquet"]


def test_a_folder_of_recordings_is_searched(run: Run, tmp_path: Path) -> None:
    write_openpose(tmp_path / "in" / "monday" / "cam_1")
    write_openpose(tmp_path / "in" / "monday" / "cam_2")
    write_people(tmp_path / "in" / "notes.npz")
    assert run(tmp_path / "in", "-o", tmp_path / "out").exit_code == 0
    written = sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.npz"))
    assert written == ["monday/cam_1.npz", "monday/cam_2.npz", "notes.npz"]


def test_a_folder_without_keypoints_gives_one_clear_line(run: Run, tmp_path: Path) -> None:
    (tmp_path / "in" / "empty").mkdir(parents=True)
    result = run(tmp_path / "in", "-o", tmp_path / "out.npz")
    assert result.exit_code == 1
    assert len(result.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize("kind", ["npz", "json"])
def test_stdin_is_an_input(run: Run, tmp_path: Path, kind: str) -> None:
    if kind == "npz":
        content = write_people(tmp_path / "a.npz").read_bytes()
    else:
        joints = np.random.default_rng(0).uniform(100, 900, (17, 3))
        joints[:, 2] = 0.9
        results = [{"image_id": 1, "category_id": 1, "keypoints": joints.reshape(-1).tolist(), "score": 0.9}]
        content = json.dumps(results).encode()
    result = run("-", "-o", tmp_path / "out.npz", stdin=content)
    assert result.exit_code == 0, result.output
    assert read_hypotheses(tmp_path / "out.npz").lifted.all()


def test_a_bad_file_is_reported_in_one_line_and_the_others_are_done(run: Run, tmp_path: Path) -> None:
    good = write_people(tmp_path / "good.npz")
    bad = tmp_path / "bad.npz"
    bad.write_bytes(good.read_bytes()[:300])
    result = run(bad, good, "-o", tmp_path / "out")
    assert result.exit_code == 1
    assert (tmp_path / "out" / "good.npz").is_file()
    assert not (tmp_path / "out" / "bad.npz").exists()
    assert len(result.stderr.strip().splitlines()) == 1
    assert str(bad) in result.stderr
    assert "1 of 2 inputs" in result.stdout


def text(content: str) -> Callable[[Path], None]:
    return lambda path: path.write_text(content) and None


def people(**arrays: object) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        with path.open("wb") as stream:
            np.savez(stream, **{"keypoints": np.full((3, 17, 2), 5.0), "skeleton": "coco17", **arrays})

    return write


@pytest.mark.parametrize(
    "write",
    [
        pytest.param(people(keypoints=np.zeros((3, 16, 2))), id="sixteen_joints"),
        pytest.param(people(keypoints=np.zeros((3, 17, 4))), id="four_columns"),
        pytest.param(people(keypoints=np.zeros((3, 17, 2), complex)), id="complex"),
        pytest.param(people(keypoints=np.array([{"a": 1}], object)), id="pickle"),
        pytest.param(people(skeleton="coco18"), id="unknown_skeleton"),
        pytest.param(people(confidence=np.ones((2, 17))), id="too_few_confidences"),
        pytest.param(people(intrinsics=np.zeros((3, 3))), id="zero_focal_length"),
        pytest.param(people(keypoints=np.random.default_rng(0).uniform(0, 1, (3, 17, 2))), id="normalized"),
        pytest.param(text(""), id="empty"),
        pytest.param(text("[{"), id="truncated_json"),
        pytest.param(text('{"hello": 1}'), id="other_json"),
    ],
)
def test_malformed_files_give_one_clear_line(run: Run, tmp_path: Path, write: Callable[[Path], None]) -> None:
    source = tmp_path / "input.npz"
    write(source)
    result = run(source, "-o", tmp_path / "out.npz")
    assert result.exit_code == 1
    assert len(result.stderr.strip().splitlines()) == 1, result.stderr
    assert result.stderr.startswith("error: ")
    assert str(source) in result.stderr
    assert "Traceback" not in result.output
    assert not (tmp_path / "out.npz").exists()


@pytest.mark.parametrize("keypoints", [np.full((3, 17, 2), np.nan), np.zeros((0, 17, 2))], ids=["nan", "nobody"])
def test_nobody_to_lift_is_an_answer_not_an_error(run: Run, tmp_path: Path, keypoints: np.ndarray) -> None:
    source = write_people(tmp_path / "in.npz", keypoints=keypoints)
    result = run(source, "-o", tmp_path / "out.npz")
    assert result.exit_code == 0, result.output
    found = read_hypotheses(tmp_path / "out.npz")
    assert len(found) == len(keypoints)
    assert not found.lifted.any()


def test_a_missing_file_gives_one_clear_line(run: Run, tmp_path: Path) -> None:
    result = run(tmp_path / "absent.npz", "-o", tmp_path / "out.npz")
    assert result.exit_code == 1
    assert len(result.stderr.strip().splitlines()) == 1
    assert "absent.npz" in result.stderr


def test_a_named_camera_is_used_with_its_lens(run: Run, tmp_path: Path) -> None:
    (tmp_path / "calibration.toml").write_text(CALIBRATION)
    source = write_people(tmp_path / "a.npz")
    result = run(source, "-o", tmp_path / "out.npz", "--camera", f"{tmp_path / 'calibration.toml'}:left")
    assert result.exit_code == 0, result.output
    found = read_hypotheses(tmp_path / "out.npz")
    assert found.intrinsics_source == "given"
    np.testing.assert_array_equal(found.intrinsics[0], [[1100, 0, 958], [0, 1090, 541], [0, 0, 1]])
    np.testing.assert_array_equal(found.distortion, [-0.1, 0.02, 0.001, -0.001])


def test_a_fisheye_is_undone_end_to_end(run: Run, tmp_path: Path) -> None:
    lens = "matrix = [[600.0, 0, 958], [0, 600, 541], [0, 0, 1]]\nfisheye = true\ndistortions = [0.05, -0.01, 0.0, 0.0]"
    (tmp_path / "fisheye.toml").write_text(f"[cam]\nsize = [1920, 1080]\n{lens}\n")
    camera = read_camera(tmp_path / "fisheye.toml")
    # A layout that is not mapped: means of joints are taken in the picture, where a fisheye bends what is straight.
    ideal = write_people(tmp_path / "ideal.npz", intrinsics=camera.intrinsics, skeleton="human36m17")
    points_px = np.load(ideal)["keypoints"]
    slopes = (points_px - camera.intrinsics[:2, 2]) / 600
    drawn = camera.project(np.concatenate([slopes, np.ones_like(slopes[..., :1])], axis=-1))
    seen = write_people(tmp_path / "seen.npz", keypoints=drawn.astype(np.float32), skeleton="human36m17")
    assert run(ideal, "-o", tmp_path / "ideal_out.npz").exit_code == 0
    result = run(seen, "-o", tmp_path / "out.npz", "--camera", tmp_path / "fisheye.toml")
    assert result.exit_code == 0, result.output
    expected, found = read_hypotheses(tmp_path / "ideal_out.npz"), read_hypotheses(tmp_path / "out.npz")
    np.testing.assert_allclose(found.means_m, expected.means_m, rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(found.reprojection_error_px, expected.reprojection_error_px, rtol=1e-3, atol=1e-2)
    assert found.lens_model == "fisheye"
    again = run(tmp_path / "out.npz", "-o", tmp_path / "again.npz")
    assert again.exit_code == 0, again.output
    assert read_hypotheses(tmp_path / "again.npz").lens_model == "fisheye"
    plain = [*("--intrinsics", "600,600,958,541"), *("--distortion", "0.1,0,0,0")]
    assert run(tmp_path / "out.npz", "-o", tmp_path / "plain.npz", *plain).exit_code == 0
    assert read_hypotheses(tmp_path / "plain.npz").lens_model == "brown"


def test_a_field_of_view_is_enough(run: Run, tmp_path: Path) -> None:
    source = write_people(tmp_path / "a.npz")
    assert run(source, "-o", tmp_path / "out.npz", "--fov", "60").exit_code == 0
    matrix = read_hypotheses(tmp_path / "out.npz").intrinsics[0]
    focal = 960 / np.tan(np.deg2rad(30))
    np.testing.assert_allclose(matrix, [[focal, 0, 959.5], [0, focal, 539.5], [0, 0, 1]])
    keypoints = np.load(source)["keypoints"]
    np.savez(tmp_path / "sizeless.npz", keypoints=keypoints, skeleton="coco17")
    result = run(tmp_path / "sizeless.npz", "-o", tmp_path / "out.npz", "--fov", "60")
    assert result.exit_code == 1
    assert "add --image-size" in result.stderr


def test_a_photograph_tells_its_focal_length(run: Run, tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    picture = image.new("RGB", (1920, 1080))
    exif = picture.getexif()
    exif.get_ifd(0x8769)[0xA405] = 26
    picture.save(tmp_path / "photo.jpg", exif=exif)
    source = write_people(tmp_path / "a.npz")
    for option in ("--exif", "--camera"):
        assert run(source, "-o", tmp_path / "out.npz", option, tmp_path / "photo.jpg").exit_code == 0
        matrix = read_hypotheses(tmp_path / "out.npz").intrinsics[0]
        np.testing.assert_allclose(matrix[0, 0], 26 / np.hypot(36, 24) * np.hypot(1920, 1080))


def test_a_camera_for_other_pictures_is_refused(run: Run, tmp_path: Path) -> None:
    (tmp_path / "calibration.toml").write_text(CALIBRATION)
    source = write_people(tmp_path / "a.npz")
    result = run(source, "-o", tmp_path / "out.npz", "--camera", f"{tmp_path / 'calibration.toml'}:right")
    assert result.exit_code == 1
    assert "1280 x 720" in result.stderr
    assert "1920 x 1080" in result.stderr


def test_numbers_on_the_command_line_replace_the_files_camera(run: Run, tmp_path: Path) -> None:
    source = write_people(
        tmp_path / "a.npz", intrinsics=np.diag([500.0, 500, 1]), distortion=np.array([0.3, 0, 0, 0.0])
    )
    options = ["--intrinsics", "900,901,320,240", "--image-size", "1000x950"]
    assert run(source, "-o", tmp_path / "out.npz", *options).exit_code == 0
    found = read_hypotheses(tmp_path / "out.npz")
    np.testing.assert_array_equal(found.intrinsics[0], [[900, 0, 320], [0, 901, 240], [0, 0, 1]])
    assert not found.distortion.any()
    assert found.image_size == (1000, 950)
    assert run(source, "-o", tmp_path / "o2.npz", *options, "--distortion", "0.1,0,0,0").exit_code == 0
    np.testing.assert_array_equal(read_hypotheses(tmp_path / "o2.npz").distortion, [0.1, 0, 0, 0])


def test_a_known_size_is_used_and_said(run: Run, tmp_path: Path) -> None:
    source = write_people(tmp_path / "a.npz", person=np.array([0, 0, 1, 1, 1]))
    lengths = tmp_path / "bodies.toml"
    lengths.write_text("knee = 0.4\n[person.1]\nstature_m = 1.1\n")
    result = run(source, "-o", tmp_path / "out.npz", "--stature", "1.82", "--bone-lengths", lengths)
    assert result.exit_code == 0, result.output
    found = read_hypotheses(tmp_path / "out.npz")
    assert found.size_source == "given: stature 1.82 m, knee 0.4 m; person 1: stature 1.1 m"
    assert f"size {found.size_source}" in result.stdout
    np.testing.assert_allclose(stature_m(found.means_m[2:]), 1.1, rtol=1e-5)
    assert run(source, "-o", tmp_path / "tall.npz", "--stature", "2").exit_code == 0
    np.testing.assert_allclose(stature_m(read_hypotheses(tmp_path / "tall.npz").means_m), 2, rtol=1e-5)
    assert "size " not in run(source, "-o", tmp_path / "out.npz").stdout


def test_two_statures_for_the_same_people_are_refused(run: Run, tmp_path: Path) -> None:
    (tmp_path / "bodies.toml").write_text("stature_m = 1.8")
    options = ["--stature", "1.82", "--bone-lengths", tmp_path / "bodies.toml"]
    result = run(write_people(tmp_path / "a.npz"), "-o", tmp_path / "out.npz", *options)
    assert result.exit_code == 2
    assert "leave one of them out" in " ".join(result.stderr.replace("│", " ").split())


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--stature", "182"], "if these are centimetres, give 1.82"),
        (["--stature", "0.1"], "0.4 to 2.6 metres"),
        (["--bone-lengths", "absent.toml"], "absent.toml"),
        (["--intrinsics", "900,901"], "fx,fy,cx,cy"),
        (["--intrinsics", "a,b,c,d"], "fx,fy,cx,cy"),
        (["--distortion", "1,2,3"], "k1,k2,p1,p2"),
        (["--image-size", "1920"], "WIDTHxHEIGHT"),
        (["--camera", "absent.toml:left"], "absent.toml"),
        (["--camera", "c.toml", "--intrinsics", "1,1,1,1"], "leave out --intrinsics"),
        (["--fov", "60", "--camera", "c.toml", "--distortion", "1,1,1,1"], "leave out --fov and --distortion"),
        (["--fov", "180"], "degrees between 0 and 180"),
        (["--exif", "absent.jpg"], "absent.jpg"),
        (["--min-confidence", "3"], "less than or equal to 1"),
        (["--model", "mdn_liftr"], "mdn_lift"),
        (["--format", "npzz"], "npz"),
        (["--skeleton", "coco"], "coco17"),
    ],
)
def test_impossible_options_are_explained(run: Run, tmp_path: Path, options: list[str], says: str) -> None:
    source = write_people(tmp_path / "a.npz")
    result = run(source, "-o", tmp_path / "out.npz", *options)
    assert result.exit_code in (1, 2)
    explanation = result.stderr + str(result.exception)
    assert says in " ".join(explanation.replace("│", " ").split())
    assert not (tmp_path / "out.npz").exists()


def test_several_inputs_do_not_fit_one_file(run: Run, tmp_path: Path) -> None:
    sources = [write_people(tmp_path / name) for name in ("a.npz", "b.npz")]
    result = run(*sources, "-o", tmp_path / "out.npz")
    assert result.exit_code == 2
    assert "need a folder" in result.stderr


def test_an_unknown_result_format_is_not_taken_for_a_folder(run: Run, tmp_path: Path) -> None:
    result = run(write_people(tmp_path / "a.npz"), "-o", tmp_path / "out.docx")
    assert result.exit_code == 2
    assert "must end in " in " ".join(result.stderr.replace("│", " ").split())
    assert not (tmp_path / "out.docx").exists()


def test_results_never_overwrite_each_other(run: Run, tmp_path: Path) -> None:
    sources = [write_people(tmp_path / "a.npz"), tmp_path / "a.json"]
    sources[1].write_text("[]")
    result = run(*sources, "-o", tmp_path / "out")
    assert result.exit_code == 2
    assert "both be written" in " ".join(result.stderr.replace("│", " ").split())


def test_a_pattern_that_matches_nothing_is_a_usage_error(run: Run, tmp_path: Path) -> None:
    result = run(tmp_path / "*.npz", "-o", tmp_path / "out")
    assert result.exit_code == 2
    assert "matches" in result.stderr


def test_the_commands_defaults_are_the_librarys() -> None:
    assert lift_request.__kwdefaults__["min_confidence"] == DEFAULT_MIN_CONFIDENCE
    assert lift_request.__kwdefaults__["model"] == DEFAULT_MODEL
