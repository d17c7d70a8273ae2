"""Answers, written without copying the arrays more than once."""

from collections.abc import Sequence

from pose_mdn_server.codec.open_inference.request import AnswerHeader, InferJob
from pose_mdn_server.codec.open_inference.tensors import DATATYPES, Pieces, length, to_contents, to_raw
from pose_mdn_server.codec.wire import prefix
from pose_mdn_server.models.graph import Array, Graph
from pose_mdn_server.rpc import open_inference_pb2 as oip

_OutputTensor = oip.ModelInferResponse.InferOutputTensor

_OUTPUTS = oip.ModelInferResponse.DESCRIPTOR.fields_by_name["outputs"].number
_RAW = oip.ModelInferResponse.DESCRIPTOR.fields_by_name["raw_output_contents"].number
_CONTENTS = _OutputTensor.DESCRIPTOR.fields_by_name["contents"].number
_ANSWER = oip.ModelStreamInferResponse.DESCRIPTOR.fields_by_name["infer_response"].number

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
    return b"".join([prefix(_ANSWER, length(pieces)), *pieces])


def encode_stream_error(error: Exception, request_id: str) -> bytes:
    """Says why one request of a stream was refused."""
    answer = oip.ModelInferResponse(id=request_id)
    answer.parameters[FINAL].bool_param = True
    return oip.ModelStreamInferResponse(error_message=str(error), infer_response=answer).SerializeToString()


def _pieces(graph: Graph, job: InferJob, results: Sequence[Array], request_id: str) -> Pieces:
    """Messages that are written one after the other are merged by whoever reads them, and fields come in any order."""
    if not job.raw:
        return _typed(graph, job, results, request_id)
    shapes = tuple([array.shape for array in results])
    header = job.answer_headers.get(shapes)
    if header is None:
        job.answer_headers.clear()  # a graph whose shapes depend on its numbers must not fill it
        header = job.answer_headers[shapes] = _header(graph, job, results)
    pieces: Pieces = [header.before]
    if request_id:
        pieces.append(oip.ModelInferResponse(id=request_id).SerializeToString())
    for before, array in zip(header.before_tensors, results, strict=True):
        pieces += (before, to_raw(array))
    return pieces


def _header(graph: Graph, job: InferJob, results: Sequence[Array]) -> AnswerHeader:
    outputs = [_output(name, array) for name, array in zip(job.outputs, results, strict=True)]
    response = oip.ModelInferResponse(model_name=graph.name, model_version=graph.version, outputs=outputs)
    return AnswerHeader(
        before=response.SerializeToString(), before_tensors=tuple(prefix(_RAW, array.nbytes) for array in results)
    )


def _typed(graph: Graph, job: InferJob, results: Sequence[Array], request_id: str) -> Pieces:
    response = oip.ModelInferResponse(model_name=graph.name, model_version=graph.version, id=request_id)
    pieces: Pieces = [response.SerializeToString()]
    for name, array in zip(job.outputs, results, strict=True):
        contents = to_contents(array)
        header = _output(name, array).SerializeToString() + prefix(_CONTENTS, length(contents))
        pieces += [prefix(_OUTPUTS, len(header) + length(contents)), header, *contents]
    return pieces


def _output(name: str, array: Array) -> oip.ModelInferResponse.InferOutputTensor:
    """A tensor without its elements."""
    return _OutputTensor(name=name, datatype=DATATYPES[array.dtype], shape=array.shape)
