import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pose_mdn.batch.job import Job
from pose_mdn.batch.leftovers import remove_leftovers
from pose_mdn.batch.lock import locked
from pose_mdn.errors import InputError

HOLD = """
import sys, time
from pathlib import Path
from pose_mdn.batch.lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(1000)
"""


def test_a_folder_has_one_run_at_a_time(tmp_path: Path) -> None:
    with locked(tmp_path), pytest.raises(InputError, match=f"one of process {os.getpid()}"), locked(tmp_path):
        pass
    with locked(tmp_path):
        pass


def test_a_killed_process_holds_no_lock(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(InputError, match=f"one of process {process.pid}"), locked(tmp_path):
            pass
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    with locked(tmp_path):
        pass


def test_a_place_that_is_no_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="can be written to"), locked(tmp_path / "file"):
        pass


def test_only_what_was_half_written_of_these_jobs_is_removed(tmp_path: Path) -> None:
    names = {
        ".walk.npz.0123abcd.tmp": False,
        ".walk.trc.uncertainty.csv.0123abcd.tmp": False,
        f".{'x' * 64}.0123abcd.tmp": False,
        ".other.npz.0123abcd.tmp": True,
        "walk.npz": True,
        ".walk.npz.tmp": True,
        "walk.npz.0123abcd.tmp": True,
    }
    for name in names:
        (tmp_path / name).write_text("")
    jobs = [Job(source="", target=str(tmp_path / name)) for name in ("walk.npz", "x" * 80 + ".npz", "absent/walk.npz")]
    remove_leftovers(jobs)
    assert {name: (tmp_path / name).exists() for name in names} == names
