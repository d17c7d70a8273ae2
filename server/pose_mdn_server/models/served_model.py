"""A bundle, loaded and warm."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import onnxruntime

from pose_mdn.errors import BundleError
from pose_mdn.inference import Lifter, PosePrior
from pose_mdn.inference.bundle import Bundle
from pose_mdn.inference.session import open_parts
from pose_mdn.skeletons import HUMAN36M17
from pose_mdn_server.models.graph import Graph, graph_name

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}")
"""Names and versions stand in logs, metrics and metadata of calls."""


@dataclass(frozen=True, kw_only=True)
class ServedModel:
    """A loaded bundle, seen in two ways.

    Attributes:
        name: Name of the bundle.
        version: Version of the bundle.
        lifter: Keypoints in, hypotheses out; `None` for models that do not lift.
        prior: Poses of nothing; `None` for models that lift.
        graphs: The same model as named tensors: one graph called like the bundle, or one for each part.
    """

    name: str
    version: str
    lifter: Lifter | None
    prior: PosePrior | None
    graphs: tuple[Graph, ...]


def load_served_model(bundle: Bundle, *, threads: int, batch_sizes: Sequence[int]) -> ServedModel:
    """Load a bundle once for all its uses, and run it on made-up poses at each batch size.

    Raises:
        BundleError: It cannot be loaded, or does not do what its config says.
    """
    for text in (bundle.name, bundle.version, *graph_names(bundle)):
        if not _NAME.fullmatch(text):
            raise BundleError(
                f"{bundle.path}: expected names and a version of up to 64 letters, digits and ._+-, got {text[:64]!r}"
            )
    sessions = open_parts(bundle, threads)
    graphs = tuple(Graph(bundle, part=part, session=session) for part, session in sessions.items())
    for graph in graphs:
        graph.warm_up(batch_sizes)
    lifter = prior = None
    if bundle.kind == "pose_prior":
        prior = _warm_prior(bundle, sessions)
    else:
        lifter = _warm_lifter(bundle, sessions, batch_sizes)
    return ServedModel(name=bundle.name, version=bundle.version, lifter=lifter, prior=prior, graphs=graphs)


def graph_names(bundle: Bundle) -> tuple[str, ...]:
    """Names under which the graphs of a bundle are called."""
    return tuple(graph_name(bundle.name, part) for part in bundle.graph_files)


def _warm_prior(bundle: Bundle, sessions: Mapping[str, onnxruntime.InferenceSession]) -> PosePrior:
    prior = PosePrior(bundle, sessions=sessions)
    prior.score(prior.sample(1, seed=0), samples=2, label=prior.labels[0] if prior.labels else None)
    return prior


def _warm_lifter(
    bundle: Bundle, sessions: Mapping[str, onnxruntime.InferenceSession], batch_sizes: Sequence[int]
) -> Lifter:
    if "" not in sessions:
        raise BundleError(f"{bundle.path}: expected a lifter to be one graph, got {', '.join(sessions)}")
    lifter = Lifter(bundle, session=sessions[""])
    upright = np.stack([np.arange(17.0) * 7.0 % 50.0, np.arange(17.0) * 20.0], axis=-1).astype(np.float32)
    # Lifters that sample are run at their usual number of samples, which the graph alone does not know.
    for size in batch_sizes if lifter.latent_dim is not None else (1,):
        lifter.lift_arrays(np.broadcast_to(upright, (size, *upright.shape)), skeleton=HUMAN36M17.name)
    return lifter
