"""Before a batch: whether the nodes of a cluster have the package, the model and the files that this machine has."""

import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from pose_mdn.batch import storage
from pose_mdn.batch.backend import ModelIdentity, identify_model
from pose_mdn.batch.job import Job
from pose_mdn.batch.settings import LiftSettings
from pose_mdn.errors import InputError, PoseMDNError, WorkerError

ANSWER_TIME_S = 120.0
"""A node may have to start a Python process and to unpack the user's runtime environment."""

_SAMPLES = 3


@dataclass(frozen=True, kw_only=True)
class Question:
    """What a node is asked.

    Attributes:
        version: Of the package here.
        settings: The model is found by these.
        model: Which it is here.
        sources: Some of the inputs.
        folder: Where relative paths begin.
        mark: A file that was just written into OUT; `None` if OUT is an address.
    """

    version: str
    settings: LiftSettings
    model: ModelIdentity | None
    sources: tuple[str, ...]
    folder: str
    mark: str | None


def answer(question: Question) -> str | None:
    """What hinders this machine, in one line; `None` if nothing does."""
    here = version("pose-mdn")
    if here != question.version:
        return f"expected pose-mdn {question.version} as on your machine, got {here}; install the same"
    try:
        if question.settings.server is None and (model := identify_model(question.settings)) != question.model:
            return f"expected the model that your machine has, got other contents as {model.label}; copy it there"
        unseen = _unseen(question)
    except PoseMDNError as error:
        return str(error)
    if unseen is None:
        return None
    return (
        f"expected the files that your machine sees, got no {unseen}; put inputs and OUT on storage that all nodes "
        "share under the same path, or give addresses such as s3://"
    )


def inspect_nodes(ray: Any, jobs: Sequence[Job], settings: LiftSettings) -> None:
    """Ask every node that may get work.

    Raises:
        InputError: A node is hindered; the message says which, by what, and how many others are.
        WorkerError: A node does not answer.
    """
    nodes = [node for node in ray.nodes() if node["Alive"] and node["Resources"].get("CPU")]
    with _marked(jobs) as mark:
        question = Question(
            version=version("pose-mdn"),
            settings=settings,
            model=identify_model(settings) if settings.server is None else None,
            sources=_samples(jobs),
            folder=os.getcwd(),
            mark=mark,
        )
        told = [(node["NodeManagerAddress"], _asked(ray, node["NodeID"], question)) for node in nodes]
        answers = [(where, _told(ray, where, reply)) for where, reply in told]
    hindered = [(where, reason) for where, reason in answers if reason is not None]
    if hindered:
        where, reason = hindered[0]
        others = f" (so are {len(hindered) - 1} more of {len(nodes)} nodes)" if len(hindered) > 1 else ""
        raise InputError(f"node {where}: {reason}{others}", field="cluster")


def _asked(ray: Any, node: str, question: Question) -> Any:
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy  # noqa: PLC0415

    there = NodeAffinitySchedulingStrategy(node_id=node, soft=False)
    ask: Callable[..., Any] = ray.remote(num_cpus=0, max_retries=0, scheduling_strategy=there)(answer).remote
    return ask(question)


def _told(ray: Any, where: str, reply: Any) -> str | None:
    try:
        reason: str | None = ray.get(reply, timeout=ANSWER_TIME_S)
    except ray.exceptions.GetTimeoutError as error:
        raise WorkerError(f"node {where}: expected an answer within {ANSWER_TIME_S:g} s, got none") from error
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, ImportError) or "ModuleNotFoundError" in str(error):
            return (
                "expected pose-mdn to be installed, got a Python without it; install it on all nodes, or name it in "
                "the job's runtime_env"
            )
        return f"expected an answer, got {' '.join(str(error.cause).split())[:200]!r}"
    except ray.exceptions.RayError as error:
        raise WorkerError(f"node {where}: expected an answer, got {type(error).__name__}") from error
    return reason


def _samples(jobs: Sequence[Job]) -> tuple[str, ...]:
    """A few inputs from the beginning, the middle and the end."""
    places = {round(step * (len(jobs) - 1) / (_SAMPLES - 1)) for step in range(_SAMPLES)}
    return tuple(jobs[place].source for place in sorted(places))


def _unseen(question: Question) -> str | None:
    for source in question.sources:
        if storage.is_url(source):
            there = storage.exists(source)
        else:
            there = os.path.exists(os.path.join(question.folder, storage.local_path(source)))
        if not there:
            return source
    if question.mark is not None and not os.path.exists(question.mark):
        return f"{os.path.dirname(question.mark)}, or another folder of that name"
    return None


@contextmanager
def _marked(jobs: Sequence[Job]) -> Iterator[str | None]:
    """A file in OUT while the block runs, by which nodes tell that their OUT is the same; `None` without local OUT."""
    targets = [storage.local_path(job.target) for job in jobs if not storage.is_url(job.target)]
    if not targets:
        yield None
        return
    folder = os.path.abspath(os.path.dirname(targets[0]))
    while not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    mark = os.path.join(folder, f".pose-mdn.{secrets.token_hex(4)}.tmp")
    try:
        with open(mark, "xb"):
            pass
    except OSError as error:
        reason = str(error.strerror or error).lower()
        raise InputError(f"{folder}: expected a folder that can be written to, got {reason!r}", field="out") from error
    try:
        yield mark
    finally:
        with suppress(OSError):
            os.unlink(mark)
