"""Answers, written without copying the arrays more than once."""

from collections.abc import Sequence

from pose_mdn_server.codec.open_inference.request import AnswerHeader, InferJob
from pose_mdn_server.codec.open_inference.tensors import DATATYPES, to_contents, to_raw
from pose_mdn_server.codec.wire import prefix
from pose_mdn_server.models.graph import Array, Graph
from pose_mdn_server.rpc import open_inference_pb2 as oip

_RAW_FIELD = oip.ModelInferResponse.DESCRIPTOR.fields_by_name["raw_output_contents"].number
_ANSWER_FIELD = oip.ModelStreamInferResponse.DESCRIPTOR.fields_by_name["infer_response"].number

FINAL = "triton_final_response"
"""Parameter by which clients of a stream tell the last answer to a request; here each has one answer."""


def _final() -> bytes:
    message = oip.ModelInferResponse()
    message.parameters[FINAL].bool_param = True
    return message.SerializeToString()


_FINAL = _final()


def encode_infer_response(graph: Graph, job: InferJob, results: Sequence[Array], request_id: str) -> bytes:
    """A `ModelInferResponse` on the wire, with raw contents if the request came so."""
    return b"".join(_pieces(graph, job, results, request_id))


def encode_stream_response(graph: Graph, job: InferJob, results: Sequence[Array], request_id: str) -> bytes:
    """As `encode_infer_response`, as a `ModelStreamInferResponse`."""
    pieces = [*_pieces(graph, job, results, request_id), _FINAL]
    length = sum(len(piece) if isinstance(piece, bytes) else piece.nbytes for piece in pieces)
    return b"".join([prefix(_ANSWER_FIELD, length), *pieces])


def encode_stream_error(error: Exception, request_id: str) -> bytes:
    """Says why one request of a stream was refused."""
    answer = oip.ModelInferResponse(id=request_id)
    answer.parameters[FINAL].bool_param = True
    return oip.ModelStreamInferResponse(error_message=str(error), infer_response=answer).SerializeToString()


def _pieces(graph: Graph, job: InferJob, results: Sequence[Array], request_id: str) -> list[bytes | memoryview]:
    """Messages that are written one after the other are merged by whoever reads them, and fields come in any order."""
    if not job.raw:
        return [_typed(graph, job, results, request_id)]
    shapes = tuple([array.shape for array in results])
    header = job.answer_headers.get(shapes)
    if header is None:
        job.answer_headers.clear()  # a graph whose shapes depend on its numbers must not fill it
        header = job.answer_headers[shapes] = _header(graph, job, results)
    pieces: list[bytes | memoryview] = [header.before]
    if request_id:
        pieces.append(oip.ModelInferResponse(id=request_id).SerializeToString())
    for before, array in zip(header.before_tensors, results, strict=True):
        pieces.append(before)
        pieces.append(to_raw(array))
    return pieces


def _header(graph: Graph, job: InferJob, results: Sequence[Array]) -> AnswerHeader:
    response = _named(graph, job, results)
    return AnswerHeader(
        before=response.SerializeToString(),
        before_tensors=tuple(prefix(_RAW_FIELD, array.nbytes) for array in results),
    )


def _typed(graph: Graph, job: InferJob, results: Sequence[Array], request_id: str) -> bytes:
    response = _named(graph, job, results)
    response.id = request_id
    for tensor, array in zip(response.outputs, results, strict=True):
        tensor.contents.ParseFromString(to_contents(array))
    return response.SerializeToString()


def _named(graph: Graph, job: InferJob, results: Sequence[Array]) -> oip.ModelInferResponse:
    """The answer without any elements."""
    response = oip.ModelInferResponse(model_name=graph.name, model_version=graph.version)
    for name, array in zip(job.outputs, results, strict=True):
        response.outputs.add(name=name, datatype=DATATYPES[array.dtype], shape=array.shape)
    return response
