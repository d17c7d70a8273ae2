"""Streams of requests, without a transport."""

import pytest

from pose_mdn_server.calls import Priority
from pose_mdn_server.errors import RequestError
from pose_mdn_server.rpc import open_inference_pb2 as oip
from pose_mdn_server.server import PoseServer

from .inference_service import HeldRunner, Service, Store, infer_request, new_call


@pytest.fixture
def store(server: PoseServer) -> Store:
    return Store(server.models)


def test_answers_of_a_stream_keep_the_order_of_the_requests(store: Store) -> None:
    runner = HeldRunner()
    stream = Service(store, runner).open()
    for number in range(3):
        stream.send(infer_request(request_id=str(number)))
    stream.session.end()
    for place in (2, 0, 1):
        runner.run(place)
    answers = [stream.take() for _ in range(3)]
    assert [answer and answer.infer_response.id for answer in answers] == ["0", "1", "2"]
    assert all(answer and answer.infer_response.parameters["triton_final_response"].bool_param for answer in answers)
    assert stream.answers.finished


def test_answers_of_a_stream_are_those_of_single_requests(store: Store) -> None:
    service = Service(store)
    stream = service.open()
    for request in (infer_request(3, "x"), infer_request(1)):
        stream.send(request)
        answer = stream.take()
        assert answer is not None
        del answer.infer_response.parameters["triton_final_response"]
        assert answer.infer_response == service.call("ModelInfer", request)


def test_a_refused_request_does_not_end_its_stream(store: Store) -> None:
    stream = Service(store).open()
    stream.send(infer_request(99, "bad"))
    stream.send(oip.ModelInferRequest(model_name="nothing", id="none"))
    stream.send(infer_request(1, "good"))
    bad, none, good = (stream.take() for _ in range(3))
    assert bad is not None
    assert none is not None
    assert good is not None
    assert "the first axis from 1 to 8" in bad.error_message
    assert (bad.infer_response.id, none.infer_response.id) == ("bad", "none")
    assert none.error_message.startswith("model: expected one of")
    assert (good.error_message, good.infer_response.id) == ("", "good")


def test_a_client_may_ask_for_a_status_instead(store: Store) -> None:
    stream = Service(store).open(new_call(metadata={"triton_grpc_error": "true"}))
    stream.send(infer_request(99))
    with pytest.raises(RequestError):
        stream.take()


def test_bugs_end_a_stream_and_are_not_told(store: Store) -> None:
    runner = HeldRunner()
    stream = Service(store, runner).open()
    stream.send(infer_request())
    runner.held[0][-1].fail(ZeroDivisionError("secret"))
    with pytest.raises(ZeroDivisionError):
        stream.take()


def test_requests_of_a_stream_have_priorities_of_their_own(store: Store) -> None:
    runner, call = HeldRunner(), new_call()
    stream = Service(store, runner).open(call)
    stream.send(infer_request(priority=2))
    stream.send(infer_request())
    assert [held[3].priority for held in runner.held] == [Priority.BULK, Priority.INTERACTIVE]
    assert call.priority is Priority.INTERACTIVE
    assert [held[3].poses for held in runner.held] == [2, 2]


def test_nobody_works_on_for_a_stream_that_is_over(store: Store) -> None:
    runner, call = HeldRunner(), new_call()
    stream = Service(store, runner).open(call)
    stream.send(infer_request())
    assert not runner.held[0][3].is_over
    call.cancelled = True
    assert runner.held[0][3].is_over
