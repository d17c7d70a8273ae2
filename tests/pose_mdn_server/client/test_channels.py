import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import grpc
from hypothesis import given
from hypothesis import strategies as st

from pose_mdn_server.client import ConnectionOptions, ModelClient
from pose_mdn_server.client.channels import ChannelPool, PooledChannel, service_config
from pose_mdn_server.codec.methods import LIFT_STREAM


@given(size=st.integers(1, 6), steps=st.lists(st.one_of(st.none(), st.integers(0, 20)), max_size=60))
def test_each_call_gets_a_connection_with_the_fewest_calls(size: int, steps: list[int | None]) -> None:
    pool = ChannelPool(list(range(size)))
    taken: list[PooledChannel[int]] = []
    for step in steps:
        if step is None or not taken:
            before = [member.calls for member in pool.members]
            member = pool.take()
            taken.append(member)
            assert before[member.channel] == min(before)
        else:
            pool.give_back(taken.pop(step % len(taken)))
        held = [sum(member.channel == index for member in taken) for index in range(size)]
        assert [member.calls for member in pool.members] == held


def test_equally_busy_connections_take_turns() -> None:
    pool = ChannelPool("abc")
    one_at_a_time = []
    for _ in range(6):
        member = pool.take()
        one_at_a_time.append(member.channel)
        pool.give_back(member)
    assert one_at_a_time == list("abcabc")
    assert [pool.take().channel for _ in range(6)] == list("abcabc")


def test_channels_are_connections_of_their_own(willing: Any) -> None:
    with ModelClient(willing.address, options=ConnectionOptions(channels=3)) as client:
        for _ in range(9):
            client.get_model()
    assert [willing.peers.count(peer) for peer in dict.fromkeys(willing.peers)] == [3, 3, 3]


def test_two_clients_share_no_connection(willing: Any) -> None:
    options = ConnectionOptions(channels=1)
    with ModelClient(willing.address, options=options) as one, ModelClient(willing.address, options=options) as other:
        one.get_model()
        other.get_model()
    assert len(set(willing.peers)) == 2


def test_calls_at_the_same_time_spread_over_servers_behind_one_port(scripted: Any) -> None:
    # The kernel gives each connection to one of the two by chance: all 16 to the same in one run of 32768.
    with scripted() as first, scripted(port=int(first.address.rpartition(":")[2])) as second:
        with ModelClient(first.address, options=ConnectionOptions(channels=16)) as client:
            for _ in range(32):
                client.get_model()
        assert len(first.peers) + len(second.peers) == 32
        assert first.peers
        assert second.peers


def test_calls_under_way_push_others_to_idle_connections(scripted: Any) -> None:
    everybody_there = Barrier(4)

    def wait_for_the_others(number: int, context: grpc.ServicerContext) -> None:
        everybody_there.wait(20)

    with scripted(wait_for_the_others) as seen, ModelClient(seen.address) as client, ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: client.get_model(), range(4)))
    assert len(set(seen.peers)) == 4


def test_calls_are_retried_and_streams_are_not() -> None:
    unary, streams = json.loads(service_config(ConnectionOptions()))["methodConfig"]
    assert unary["retryPolicy"]["maxAttempts"] == 4
    assert "retryPolicy" not in streams
    assert [f"/{name['service']}/{name['method']}" for name in streams["name"]] == [LIFT_STREAM.path]
    assert "retryPolicy" not in json.loads(service_config(ConnectionOptions(attempts=1)))["methodConfig"][0]
