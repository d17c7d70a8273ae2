"""Kinds of calls that a client makes while something goes wrong, each judged by its own right answer."""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import grpc
from accounts import Account
from prepared_requests import (
    INFER,
    LIFT,
    LIFT_STREAM,
    TOLERANCE,
    Arrays,
    difference,
    expected,
    infer_answer,
    infer_message,
    lift_answer,
    lift_message,
    people,
    stream_answer,
    stream_messages,
)

VARIETY = 64
SEVERAL = 7
FILMS = 8
STREAM_POSES = 4
STREAM_MESSAGES = 10
LARGE = 1024


@dataclass(frozen=True, kw_only=True)
class Question:
    """A unary call and its right answer."""

    method: str
    message: bytes
    answer: Arrays
    decode: Callable[[bytes], Arrays]

    def is_right(self, message: bytes) -> bool:
        """Whether an answer is the one to this question and to no other."""
        return difference(self.decode(message), self.answer) <= TOLERANCE


@dataclass(frozen=True, kw_only=True)
class Film:
    """A stream and its right answers."""

    messages: tuple[bytes, ...]
    answers: tuple[Arrays, ...]


def _questions(kind: str, rows: int, count: int, seed: int) -> list[Question]:
    everyone = people(rows * count, seed)
    method, encode, decode = (
        (INFER, infer_message, infer_answer) if kind == "infer" else (LIFT, lift_message, lift_answer)
    )
    questions = []
    for start in range(0, rows * count, rows):
        feed = {name: array[start : start + rows] for name, array in everyone.items()}
        questions.append(Question(method=method, message=encode(feed), answer=expected(feed), decode=decode))
    return questions


def _film(seed: int) -> Film:
    feed = people(STREAM_POSES * STREAM_MESSAGES, seed)
    answer = expected(feed)
    starts = range(0, STREAM_POSES * STREAM_MESSAGES, STREAM_POSES)
    return Film(
        messages=stream_messages(feed, STREAM_POSES),
        answers=tuple(
            {name: array[start : start + STREAM_POSES] for name, array in answer.items()} for start in starts
        ),
    )


class Questions:
    """What the callers of a process ask; made once, since every right answer is computed before the first call."""

    def __init__(self, kinds: Sequence[str], seed: int) -> None:
        makers = {
            "infer": lambda: _questions("infer", 1, VARIETY, seed),
            "lift": lambda: _questions("lift", 1, VARIETY, seed + 1),
            "several": lambda: _questions("infer", SEVERAL, VARIETY, seed + 2),
            "several-lift": lambda: _questions("lift", SEVERAL, VARIETY, seed + 3),
            "large": lambda: _questions("infer", LARGE, 2, seed + 4),
            "cancel": lambda: _questions("infer", 1, VARIETY, seed + 5),
        }
        self.kinds = tuple(kinds)
        self.pools = {kind: make() for kind, make in makers.items() if kind in kinds}
        self.films = [_film(seed + 6 + number) for number in range(FILMS)] if "stream" in kinds else []


class Caller:
    """One thread's worth of calls."""

    def __init__(
        self, connections: Sequence[grpc.Channel], questions: Questions, *, seed: int, timeout_s: float
    ) -> None:
        self.account = Account()
        self._random = random.Random(seed)
        self._connections = connections
        self._questions = questions
        self._timeout_s = timeout_s

    def call(self) -> None:
        """Make one call of a kind drawn at random, and enter what became of it."""
        connection = self._random.choice(self._connections)
        kind = self._random.choice(self._questions.kinds)
        if kind == "stream":
            self._stream(connection)
        elif kind == "error":
            self._error(connection)
        elif kind == "cancel":
            self._cancel(connection)
        else:
            self._ask(connection, self._random.choice(self._questions.pools[kind]))

    def _ask(self, connection: grpc.Channel, question: Question) -> None:
        try:
            message = connection.unary_unary(question.method)(question.message, timeout=self._timeout_s)
        except grpc.RpcError as error:
            self.account.said_no(error.code().name, error.details())
        else:
            self.account.answered(question.is_right(message), f"another answer to {question.method}")

    def _error(self, connection: grpc.Channel) -> None:
        """A request that deserves INVALID_ARGUMENT; nothing else is right."""
        feed = people(1, self._random.randrange(1000))
        message = infer_message(feed).replace(b"FP32", b"FP64", 1)
        try:
            connection.unary_unary(INFER)(message, timeout=self._timeout_s)
        except grpc.RpcError as error:
            if error.code() is grpc.StatusCode.INVALID_ARGUMENT:
                self.account.answered(True)
            else:
                self.account.said_no(error.code().name, error.details())
        else:
            self.account.answered(False, "an answer to an invalid request")

    def _cancel(self, connection: grpc.Channel) -> None:
        """A call that its caller may give up: CANCELLED is then the right status."""
        question = self._random.choice(self._questions.pools["cancel"])
        call = connection.unary_unary(question.method).future(question.message, timeout=self._timeout_s)
        if self._random.random() < 0.5:
            call.cancel()
        try:
            self.account.answered(question.is_right(call.result()), "another answer to a call that may be cancelled")
        except grpc.FutureCancelledError:
            self.account.answered(True)
        except grpc.RpcError as error:
            self.account.said_no(error.code().name, error.details())

    def _stream(self, connection: grpc.Channel) -> None:
        """Messages over a stream; those without an answer share the fate of the stream."""
        film, got = self._random.choice(self._questions.films), 0
        try:
            responses: Iterator[bytes] = connection.stream_stream(LIFT_STREAM)(
                iter(film.messages), timeout=self._timeout_s
            )
            for message, answer in zip(responses, film.answers, strict=False):
                got += 1
                is_right = difference(stream_answer(message), answer) <= TOLERANCE
                self.account.answered(is_right, "another pose of a stream")
        except grpc.RpcError as error:
            self.account.said_no(error.code().name, error.details(), count=len(film.answers) - got)
            return
        if got < len(film.answers):
            self.account.answered(False, "a stream that ended early", count=len(film.answers) - got)
