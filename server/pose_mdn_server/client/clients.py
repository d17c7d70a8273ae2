"""Blocking clients. One client may be used from several threads."""

import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

import grpc

from pose_mdn.geometry.body import KnownBody
from pose_mdn.inference.pose_prior import DEFAULT_PRIOR
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.poses.keypoints import KeypointSequence
from pose_mdn_server.client.connection import Connection
from pose_mdn_server.client.exchange import Exchange
from pose_mdn_server.client.exchanges import fusion, generation, lifting, models, reprojection
from pose_mdn_server.client.exchanges.live_lifting import DEFAULT_UNANSWERED, LiveLifting
from pose_mdn_server.client.options import DEFAULT_TARGET, ConnectionOptions
from pose_mdn_server.client.recordings import DEFAULT_POSES_PER_CALL, RecordingSettings
from pose_mdn_server.client.service_client import ServiceClient, blocking, show_signature
from pose_mdn_server.client.several_calls import lift_each
from pose_mdn_server.codec.methods import LIFT_STREAM
from pose_mdn_server.status import from_rpc_error

Parameters = ParamSpec("Parameters")
Answer = TypeVar("Answer")


class ModelClient(ServiceClient):
    """Asks which models there are."""

    list_models = blocking(models.list_models)
    get_model = blocking(models.get_model)


class PoseLiftingClient(ServiceClient):
    """Lifts poses; checks and fuses what was lifted. Arguments of its making as of `ServiceClient`."""

    lift = blocking(lifting.lift)
    lift_sequence = blocking(lifting.lift_sequence)
    check_reprojection = blocking(reprojection.check_reprojection)
    fuse_views = blocking(fusion.fuse_views)

    def lift_many(
        self,
        sequence: KeypointSequence,
        *,
        model: str = "mdn_lifter",
        body: KnownBody | None = None,
        num_hypotheses: int | None = None,
        seed: int = 0,
        poses_per_call: int = DEFAULT_POSES_PER_CALL,
        in_flight: int | None = None,
        on_progress: Callable[[int], None] | None = None,
    ) -> HypothesisSequence:
        """Lift a recording of any length, in several calls; the answer is the one that a single call would give.

        Calls say that nobody waits for them, so that the server lets others go first, and are tried again as long as
        it is too busy.

        Args:
            sequence: The recording.
            model: "NAME" for its newest version, or "NAME/VERSION".
            body: The size of the people, if it is known.
            num_hypotheses: How many poses a model that samples gives.
            seed: Seed of such a model's noise.
            poses_per_call: Rows in each call.
            in_flight: Calls under way at the same time; two for each connection if left out.
            on_progress: Called after every call with the number of its rows, in the order of rows.

        Raises:
            InputError: The sequence cannot be lifted; the message names the field.
            ModelNotFoundError: The server has no such model.
            OverloadedError: The server refused for too long.
            ServerUnavailableError: There was no answer.
        """
        each = self.lift_each(
            [sequence],
            model=model,
            body=body,
            num_hypotheses=num_hypotheses,
            seed=seed,
            poses_per_call=poses_per_call,
            in_flight=in_flight,
            on_progress=on_progress,
        )
        with closing(each):
            return next(each)

    def lift_each(
        self,
        sequences: Iterable[KeypointSequence],
        *,
        model: str = "mdn_lifter",
        body: KnownBody | None = None,
        num_hypotheses: int | None = None,
        seed: int = 0,
        poses_per_call: int = DEFAULT_POSES_PER_CALL,
        in_flight: int | None = None,
        on_progress: Callable[[int], None] | None = None,
    ) -> Generator[HypothesisSequence, None, None]:
        """Lift recordings, each as `lift_many` does; answers come in order, while calls of the next are under way."""
        settings = RecordingSettings(
            model=model, body=body, num_hypotheses=num_hypotheses, seed=seed, poses_per_call=poses_per_call
        )
        return lift_each(self.connection, sequences, settings, in_flight=in_flight, on_progress=on_progress)

    def lift_stream(
        self,
        sequences: Iterable[KeypointSequence],
        *,
        lag: int | None = None,
        follow_people: bool = False,
        model: str = "mdn_lifter",
        body: KnownBody | None = None,
        unanswered: int = DEFAULT_UNANSWERED,
    ) -> Iterator[HypothesisSequence]:
        """Lift frames as they are seen, over one call.

        Without `lag` every sequence is answered by its own rows. With it, rows come out once each, in order, when
        their frame is that many frames old; answers without rows are left out.

        Args:
            sequences: In the order of frames, whose numbers must never fall; each with one camera for all its rows.
                The next one is taken, in a thread of gRPC's, while answers are under way, so the iterable may wait for
                a camera.
            lag: Link hypotheses over time and smooth them, so many frames late; 5 are as good as the whole film.
            follow_people: Have the server number people, whose `person` then says nothing.
            model: "NAME" for its newest version, or "NAME/VERSION".
            body: The size of these people, if it is known.
            unanswered: Sequences that are sent before the oldest of them was answered; a caller who takes answers
                slowly slows down its source.

        Raises:
            InputError: The server refused a sequence; the message names the field.
            ModelNotFoundError: The server has no such model.
            OverloadedError: The server has as many streams as it can serve.
            ServerUnavailableError: The server did not answer, or ended the stream.
        """
        live = LiveLifting(model=model, body=body, lag=lag, follow_people=follow_people)
        source = _Source(sequences, live, unanswered)
        with self.connection.stream(LIFT_STREAM, iter(source)) as answers:
            try:
                for answer in answers:
                    rows, answers_a_sequence = live.read(answer)
                    if answers_a_sequence:
                        source.free.release()
                    if rows is not None:
                        yield rows
            except grpc.RpcError as error:
                # gRPC reads sequences in a thread of its own and says of what fails there no more than that it did.
                if live.failure is not None:
                    raise live.failure from None
                raise from_rpc_error(error, self.target) from error
            finally:
                source.stop()


class _Source:
    """The messages of a stream, read by gRPC in a thread of its own."""

    def __init__(self, sequences: Iterable[KeypointSequence], live: LiveLifting, unanswered: int) -> None:
        self._sequences = sequences
        self._live = live
        self._stopped = False
        self.free = threading.Semaphore(unanswered)

    def __iter__(self) -> Iterator[Any]:
        try:
            for sequence in self._sequences:
                self.free.acquire()
                if self._stopped:
                    return
                yield from self._live.messages(sequence)
        except Exception as error:
            self._live.failure = error
            raise

    def stop(self) -> None:
        """Let the thread go if it waits for an answer that nobody will take."""
        self._stopped = True
        self.free.release()


def _of_model(
    build: Callable[Concatenate[str, Parameters], Exchange[Answer]],
) -> "Callable[Concatenate[PoseGenerationClient, Parameters], Answer]":
    """As `blocking`, of the client's model."""

    @wraps(build)
    def method(self: "PoseGenerationClient", /, *args: Parameters.args, **kwargs: Parameters.kwargs) -> Answer:
        return self.connection.call(build(self.model, *args, **kwargs))

    show_signature(method, build, leave_out=1)
    return method


class PoseGenerationClient(ServiceClient):
    """Asks priors over poses; methods as of `pose_mdn.inference.PosePrior`.

    Every method raises `InputError` if the server refuses the request, `ModelNotFoundError` if it has no such model,
    and `ServerUnavailableError` if it does not answer.

    Args:
        target: As of `ServiceClient`.
        model: "NAME" for its newest version, or "NAME/VERSION".
        timeout_s: As of `ServiceClient`.
        options: As of `ServiceClient`.
    """

    def __init__(
        self,
        target: str | Connection = DEFAULT_TARGET,
        *,
        model: str = DEFAULT_PRIOR,
        timeout_s: float | None = None,
        options: ConnectionOptions | None = None,
    ) -> None:
        super().__init__(target, timeout_s=timeout_s, options=options)
        self.model = model

    sample = _of_model(generation.sample)
    encode = _of_model(generation.encode)
    decode = _of_model(generation.decode)
    score = _of_model(generation.score)
