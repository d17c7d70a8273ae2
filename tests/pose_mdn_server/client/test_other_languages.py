"""The example clients of other languages, run as a reader would run them, against a server in a process of its own."""

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import time
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from google.protobuf import json_format
from google.rpc.error_details_pb2 import BadRequest

from pose_mdn_server.client import PoseLiftingClient
from pose_mdn_server.errors import DrainingError
from pose_mdn_server.rpc import pose_lifting_pb2, pose_lifting_pb2_grpc
from pose_mdn_server.status import to_status

ROOT = Path(__file__).parents[3]
CLIENTS = ROOT / "examples" / "clients"
CACHE = ROOT / ".cache" / "clients"
PERSON = CLIENTS / "person.json"
NO_ANSWER_S = 60

Program = Callable[[str, Path], subprocess.CompletedProcess[str]]


def run(*command: str | Path, **settings: Any) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "GRPC_GO_RETRY": "on", "GRPC_VERBOSITY": "NONE", **settings.pop("env", {})}
    return subprocess.run(
        [str(part) for part in command],
        capture_output=True, text=True, timeout=NO_ANSWER_S, check=False, env=environment, **settings,
    )  # fmt: skip


def need(package: str, *programs: str) -> None:
    for program in programs:
        if shutil.which(program) is None:
            pytest.skip(f"no {program} on this machine; on Debian: apt-get install {package}")


def cached(name: str, sources: list[Path], make: Callable[[Path], subprocess.CompletedProcess[str]]) -> Path:
    """A folder made once for these sources; a test is skipped where it cannot be made."""
    pinned = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:12]
    folder = CACHE / f"{name}-{pinned}"
    if folder.exists():
        return folder
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as unfinished:
        inner = Path(unfinished) / "made"
        inner.mkdir()
        made = make(inner)
        if made.returncode != 0:
            reason = (made.stderr.strip() or "no reason given").splitlines()[0]
            pytest.skip(f"cannot make the {name} example here: {reason[:200]}")
        try:
            inner.rename(folder)
        except OSError:  # another run was faster
            assert folder.exists()
    return folder


def npm_packages() -> Path:
    need("npm", "node", "npm")
    sources = [CLIENTS / "node" / name for name in ("package.json", "package-lock.json")]

    def install(folder: Path) -> subprocess.CompletedProcess[str]:
        for path in sources:
            shutil.copy(path, folder)
        done = run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", cwd=folder)
        assert "EUSAGE" not in done.stderr, (
            done.stderr
        )  # the lock file does not fit: our mistake, and no missing network
        return done

    return cached("node", sources, install) / "node_modules"


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., subprocess.CompletedProcess[str]]:
    """`node("lift.js", address, file)`."""
    packages, folder = npm_packages(), tmp_path_factory.mktemp("node")
    for path in (CLIENTS / "node").glob("*.js*"):
        shutil.copy(path, folder)
    (folder / "node_modules").symlink_to(packages)
    environment = {"POSE_MDN_PROTO": str(ROOT / "proto")}
    return lambda *arguments: run("node", *arguments, cwd=folder, env=environment)


@pytest.fixture(scope="session")
def ruby() -> Program:
    need("ruby-grpc ruby-grpc-tools", "ruby", "grpc_tools_ruby_protoc")
    protos = sorted((ROOT / "proto" / "pose_mdn" / "v1").glob("*.proto"))
    generate = CLIENTS / "ruby" / "generate.sh"
    generated = cached("ruby", [generate, *protos], lambda folder: run(generate, folder))
    return lambda address, file: run("ruby", "-I", generated, CLIENTS / "ruby" / "lift.rb", address, file)


@pytest.fixture(scope="session")
def go() -> Program:
    need("golang-go golang-google-grpc-dev protobuf-compiler protoc-gen-go protoc-gen-go-grpc",
         "go", "protoc", "protoc-gen-go", "protoc-gen-go-grpc")  # fmt: skip
    protos = sorted((ROOT / "proto" / "pose_mdn" / "v1").glob("*.proto"))
    sources = [CLIENTS / "go" / "lift.go", CLIENTS / "go" / "build.sh", *protos]
    program = cached("go", sources, lambda folder: run(CLIENTS / "go" / "build.sh", folder)) / "lift"
    return lambda address, file: run(program, address, file)


@pytest.fixture(params=["node", "ruby", "go"])
def program(request: pytest.FixtureRequest) -> Program:
    example = request.getfixturevalue(request.param)
    if request.param == "node":
        return lambda address, file: example("lift.js", address, file)
    return example


def plain(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """What a program printed, with names and codes in one spelling."""
    assert done.stdout, done.stderr
    printed = json.loads(done.stdout)
    if "code" in printed:
        printed["code"] = printed["code"].replace("_", "").lower()
        printed["request_id"] = printed.pop("requestId", None) or printed.get("request_id")
    return printed


def request_file(folder: Path, **changes: Any) -> Path:
    path = folder / "request.json"
    path.write_text(json.dumps({**json.loads(PERSON.read_text()), **changes}))
    return path


@pytest.fixture(scope="session")
def lifted(process_address: str) -> pose_lifting_pb2.LiftResponse:
    """The answer to the person of the examples."""
    request = json_format.Parse(PERSON.read_text(), pose_lifting_pb2.LiftRequest())
    with grpc.insecure_channel(process_address) as channel:
        return pose_lifting_pb2_grpc.PoseLiftingServiceStub(channel).Lift(request, timeout=NO_ANSWER_S)


def test_every_language_gets_the_numbers_of_python(program: Program, process_address: str) -> None:
    done = program(process_address, PERSON)
    assert done.returncode == 0, done.stderr
    got, sent = plain(done), json.loads(PERSON.read_text())
    with PoseLiftingClient(process_address) as client:
        expected = client.lift(
            np.reshape(sent["keypoints_px"], (17, 2)), sent["confidence"], skeleton="coco17", image_size=(1280, 720)
        )
    best = expected.most_probable[0]
    assert got["model"] == expected.model
    assert got["status"] == "LIFT_STATUS_LIFTED"
    np.testing.assert_allclose(got["probability"], expected.mixing_coefficients[0, best], rtol=1e-6)
    np.testing.assert_allclose(got["root_translation_m"], expected.root_translation_m[0, best], rtol=1e-6)
    np.testing.assert_allclose(np.reshape(got["pose_m"], (17, 3)), expected.means_m[0, best], rtol=1e-6, atol=1e-7)


def test_every_language_reads_what_is_wrong_with_a_request(
    program: Program, process_address: str, tmp_path: Path
) -> None:
    wrong = request_file(tmp_path, confidence=[0.5] * 3, camera={"intrinsics": [1, 2], "image_width_px": 5})
    done = program(process_address, wrong)
    assert done.returncode == 1
    refused = plain(done)
    assert refused["code"] == "invalidargument"
    assert set(refused["fields"]) == {"confidence", "camera.intrinsics", "camera.image_height_px"}
    assert "expected 0 or 1 * 17 values" in refused["fields"]["confidence"]
    assert refused["reason"] == "INVALID_REQUEST"
    assert refused["request_id"]


def test_every_language_reads_that_there_is_no_such_model(
    program: Program, process_address: str, tmp_path: Path
) -> None:
    done = program(process_address, request_file(tmp_path, model_name="nobody"))
    refused = plain(done)
    assert (done.returncode, refused["code"], refused["reason"]) == (1, "notfound", "MODEL_NOT_FOUND")
    assert "mdn_lifter" in refused["message"]


def test_every_language_says_that_nobody_is_there(program: Program) -> None:
    done = program("127.0.0.1:1", PERSON)
    assert (done.returncode, plain(done)["code"]) == (1, "unavailable")


def test_every_language_tries_again(program: Program, scripted: Any, lifted: pose_lifting_pb2.LiftResponse) -> None:
    def restart(number: int, context: grpc.ServicerContext) -> bytes:
        if number < 2:
            context.abort_with_status(to_status(DrainingError("stopping"), "id"))
        return lifted.SerializeToString()

    with scripted(restart) as seen:
        done = program(seen.address, PERSON)
    assert done.returncode == 0, done.stdout
    assert plain(done)["model"] == lifted.model
    assert len(seen.peers) == 3


def test_node_gives_up_at_its_deadline(node: Callable[..., Any], scripted: Any) -> None:
    def hang(number: int, context: grpc.ServicerContext) -> None:
        until = time.monotonic() + 20
        while context.is_active() and time.monotonic() < until:
            time.sleep(0.01)

    with scripted(hang) as seen:
        done = node("lift.js", seen.address, PERSON, "2")
    assert (done.returncode, plain(done)["code"]) == (1, "deadlineexceeded")
    assert len(seen.peers) == 1


def test_node_streams(
    node: Callable[..., Any], process_address: str, lifted: pose_lifting_pb2.LiftResponse, tmp_path: Path
) -> None:
    done = node("stream.js", process_address, PERSON, "40")
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["frame"] for line in lines] == list(range(40))
    best = max(lifted.mixing_coefficients[: lifted.num_hypotheses])
    np.testing.assert_allclose([line["probability"] for line in lines], best, rtol=1e-5)
    refused = plain(node("stream.js", process_address, request_file(tmp_path, skeleton="octopus")))
    assert (refused["code"], list(refused["fields"])) == ("invalidargument", ["skeleton"])


@pytest.mark.parametrize("options", [(), ("--schema", ROOT / "proto")], ids=["reflection", "schema"])
def test_buf_curl(
    process_address: str, lifted: pose_lifting_pb2.LiftResponse, tmp_path: Path, options: tuple[str | Path, ...]
) -> None:
    environment = {"BUF": str(npm_packages() / ".bin" / "buf"), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    script = CLIENTS / "buf_curl.sh"
    done = run(script, process_address, PERSON, *options, env=environment)
    assert done.returncode == 0, done.stderr
    got = json_format.Parse(done.stdout, pose_lifting_pb2.LiftResponse())
    np.testing.assert_allclose(got.means_m, lifted.means_m, rtol=1e-6, atol=1e-7)
    assert got.status == lifted.status
    done = run(script, process_address, request_file(tmp_path, confidence=[0.5] * 3), *options, env=environment)
    assert done.returncode == 8 * grpc.StatusCode.INVALID_ARGUMENT.value[0]
    refused = json.loads(done.stderr)
    [packed] = [detail["value"] for detail in refused["details"] if detail["type"] == "google.rpc.BadRequest"]
    assert refused["code"] == "invalid_argument"
    assert BadRequest.FromString(b64decode(packed + "==")).field_violations[0].field == "confidence"
