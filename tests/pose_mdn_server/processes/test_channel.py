import socket
import threading

from pose_mdn_server.processes.channel import Channel
from pose_mdn_server.processes.sockets import open_sockets, wait_until_closed


def pair() -> tuple[Channel, Channel]:
    ours, theirs = socket.socketpair()
    return Channel(ours), Channel(theirs)


def test_messages_arrive_whole_and_in_order() -> None:
    ours, theirs = pair()
    sent = [{"number": number, "text": "ä" * number} for number in range(300)]
    sending = threading.Thread(target=lambda: [ours.send(message) for message in sent])
    sending.start()
    received = theirs.messages()
    assert [next(received) for _ in range(100)] == sent[:100]
    # Whoever stops may go on later, and nothing is lost in between.
    again = theirs.messages()
    assert [next(again) for _ in range(200)] == sent[100:]
    sending.join()
    ours.close()
    assert list(theirs.messages()) == []


def test_who_is_gone_is_noticed() -> None:
    ours, theirs = pair()
    theirs.close()
    assert ours.receive() is None
    assert not ours.send({"is": "late"})


def test_a_process_waits_until_its_connections_are_closed() -> None:
    before = open_sockets()
    first, second = socket.socketpair()
    assert len(open_sockets() - before) == 2
    assert not wait_until_closed(but=before, seconds=0.05)
    threading.Timer(0.05, lambda: (first.close(), second.close())).start()
    assert wait_until_closed(but=before, seconds=10)
