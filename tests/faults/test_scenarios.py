"""The quick ones of the fault suite: nothing is lost without a status, nothing is answered wrongly."""

import time

import grpc
import pytest
from accounts import Outcome
from fault_load import LoadSettings, load
from fault_setting import FaultSettings
from faults import SCENARIOS
from prepared_requests import LIFT_STREAM, people, stream_messages
from real_client import channel
from served import pose_mdn

QUICK = FaultSettings(seconds=1.5, processes=1, threads=4)
ENDS_WITHIN_S = 12.0


def run(name: str) -> Outcome:
    outcome = SCENARIOS[name](QUICK)
    if outcome.skipped:
        pytest.skip(outcome.skipped)
    return outcome


@pytest.mark.parametrize("name", ["kill", "sigterm", "swap", "claim", "queue"])
def test_every_call_is_answered_rightly_or_refused(name: str) -> None:
    outcome = run(name)
    assert outcome.failures == ()
    assert outcome.account.lost == outcome.account.wrong == 0
    assert outcome.account.adds_up


def test_calls_without_an_answer_in_time_count_as_lost() -> None:
    with pose_mdn(options={"--drain-s": 1}, stop_s=5) as served:
        client = LoadSettings(address=served.address, kinds=("infer",), threads=2, timeout_s=0.001)
        with load(client) as running:
            time.sleep(0.5)
            account = running.finish()
    assert account.lost > 0
    assert account.adds_up


def test_a_stream_that_broke_does_not_keep_the_server_from_ending() -> None:
    with pose_mdn(options={"--drain-s": 2}, stop_s=1) as served:
        broken = [b"\xff" * 40, *stream_messages(people(2, seed=11), poses_each=1)]
        for _ in range(10):
            with channel(served.address) as connection, pytest.raises(grpc.RpcError):
                list(connection.stream_stream(LIFT_STREAM)(iter(broken), timeout=10))
        assert served.stop(ENDS_WITHIN_S) == 0
