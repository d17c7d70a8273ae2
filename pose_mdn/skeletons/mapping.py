"""From every layout to Human3.6M-17, by joint name.

A target joint is a weighted mean of source joints. The recipes are tried in order and the first whose sources the
layout has is used; a joint for which there is none is missing (confidence 0).

There is no one rule from detectors' layouts to Human3.6M's, so that rules have names and results record theirs. With
"names", the default, nothing is invented; the lifter is trained with exactly these recipes, and a change of them asks
for new weights. "mmpose" fills in spine and head as MMPose and MotionBERT do, for comparisons with them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from pose_mdn.errors import InputError
from pose_mdn.skeletons.human36m import HUMAN36M17
from pose_mdn.skeletons.skeleton import Skeleton

MappingName = Literal["names", "mmpose"]
MAPPINGS: tuple[MappingName, ...] = get_args(MappingName)
DEFAULT_MAPPING: MappingName = "names"

_Recipes = Mapping[str, tuple[Mapping[str, float], ...]]
_HIPS, _SHOULDERS = {"l_hip": 0.5, "r_hip": 0.5}, {"l_shoulder": 0.5, "r_shoulder": 0.5}

_BY_NAME: _Recipes = {
    "pelvis": ({"pelvis": 1.0}, {"mid_hip": 1.0}, _HIPS),
    "thorax": ({"thorax": 1.0}, {"neck": 1.0}, _SHOULDERS),
    "neck_nose": ({"neck_nose": 1.0}, {"nose": 1.0}, {"upper_neck": 1.0}),
}

# The rules of mmpose's `convert_keypoint_definition` and MotionBERT's `coco2h36m` and `halpe2h36m`, which agree.
_AS_MMPOSE: _Recipes = {
    **_BY_NAME,
    "spine": (
        {"spine": 1.0},
        {"pelvis": 0.5, "thorax": 0.5},
        {"mid_hip": 0.5, "neck": 0.5},
        {"l_hip": 0.25, "r_hip": 0.25, "neck": 0.5},
        {"l_hip": 0.25, "r_hip": 0.25, "l_shoulder": 0.25, "r_shoulder": 0.25},
    ),
    "head_top": ({"head_top": 1.0}, {"l_eye": 0.5, "r_eye": 0.5}),
}

_RECIPES: Mapping[MappingName, _Recipes] = {"names": _BY_NAME, "mmpose": _AS_MMPOSE}
"""Target -> recipes in order of preference, each source -> weight. Targets left out want a source of their own name."""


def mapping_table(skeleton: Skeleton, mapping: MappingName = DEFAULT_MAPPING) -> dict[str, dict[str, float]]:
    """How each Human3.6M-17 joint is made from a layout's joints.

    Args:
        skeleton: The layout.
        mapping: Which rule.

    Returns:
        Target joint -> {source joint: weight}; the weights of a target sum to 1, and a joint that the layout cannot
        give has an empty entry.
    """
    have, recipes = set(skeleton.joint_names), _RECIPES[mapping]
    return {
        target: next((dict(recipe) for recipe in recipes.get(target, ({target: 1.0},)) if have >= set(recipe)), {})
        for target in HUMAN36M17.joint_names
    }


@cache
def mapping_matrix(skeleton: Skeleton, mapping: MappingName = DEFAULT_MAPPING) -> NDArray[np.float32]:
    """The mapping as a (17, J) matrix, one row per Human3.6M-17 joint.

    Rows sum to 1, or to 0 for a joint that the layout cannot give. The array is read-only, because it is shared.
    """
    matrix = np.zeros((HUMAN36M17.num_joints, skeleton.num_joints), np.float32)
    for target, sources in mapping_table(skeleton, mapping).items():
        for source, weight in sources.items():
            matrix[HUMAN36M17.index(target), skeleton.index(source)] = weight
    matrix.flags.writeable = False
    return matrix


def to_human36m17(
    keypoints_px: NDArray[np.floating],
    confidence: NDArray[np.floating],
    skeleton: Skeleton,
    mapping: MappingName = DEFAULT_MAPPING,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Map keypoints of any layout into Human3.6M-17.

    A source joint is missing if its confidence is 0 or NaN or a coordinate is not finite; a target is missing if any of
    its sources is. The confidence of a mean is the weighted mean of its sources' confidences.

    Args:
        keypoints_px: (N, J, 2) pixels.
        confidence: (N, J).
        skeleton: The layout of the J joints.
        mapping: By which rule.

    Returns:
        Keypoints (N, 17, 2), NaN where missing, and confidence (N, 17), 0 where missing; float32.

    Raises:
        InputError: The shapes do not fit the skeleton.
    """
    joints = skeleton.num_joints
    if keypoints_px.ndim != 3 or keypoints_px.shape[1:] != (joints, 2):
        raise InputError(
            f"keypoints: expected shape (N, {joints}, 2) for skeleton {skeleton.name!r}, got {keypoints_px.shape}",
            field="keypoints",
        )
    if confidence.shape != keypoints_px.shape[:2]:
        raise InputError(
            f"confidence: expected shape {keypoints_px.shape[:2]} as the keypoints have, got {confidence.shape}",
            field="confidence",
        )
    planes_px = np.ascontiguousarray(keypoints_px.transpose(2, 1, 0), np.float32)
    given = np.ascontiguousarray(confidence.T, np.float32)
    finite = np.isfinite(planes_px)
    seen = (given > 0) & np.isfinite(given) & finite[0] & finite[1]
    mapped_px, mapped_confidence = map_planes(
        np.where(seen, planes_px, np.float32(np.nan)), np.where(seen, given, np.float32(0)), skeleton, mapping
    )
    return np.ascontiguousarray(mapped_px.transpose(2, 1, 0)), np.ascontiguousarray(mapped_confidence.T)


def map_planes(
    planes_px: NDArray[np.float32],
    confidence: NDArray[np.float32],
    skeleton: Skeleton,
    mapping: MappingName = DEFAULT_MAPPING,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """`to_human36m17` of arrays whose last axis is the rows, which is several times as fast for many rows.

    Args:
        planes_px: (2, J, N) pixels, x and then y; both NaN where missing, otherwise finite.
        confidence: (J, N) finite; 0 where missing.
        skeleton: The layout of the J joints.
        mapping: By which rule.

    Returns:
        Keypoints (2, 17, N), NaN where missing, and confidence (17, N), 0 where missing.
    """
    places = _places(skeleton, mapping)
    mapped_px = planes_px.take(places.first, axis=1)
    mapped_confidence = confidence.take(places.first, axis=0)
    if places.means.size:
        mean_px = _weighted_mean(planes_px, places)
        mapped_px[:, places.means] = mean_px
        # A mean of which one source is NaN is NaN, so that nothing else has to find the missing ones.
        mean = _weighted_mean(confidence[None], places)[0]
        mapped_confidence[places.means] = np.where(np.isnan(mean_px[0]), np.float32(0), mean)
    mapped_px[:, places.absent] = np.nan
    mapped_confidence[places.absent] = 0.0
    return mapped_px, mapped_confidence


@dataclass(frozen=True, kw_only=True, eq=False)
class _Places:
    """The mapping as places of joints.

    Attributes:
        first: (17,) the first source of each target.
        means: (K,) targets of several sources.
        sources: (S, K) the sources of those; where there are fewer, some stand twice, with weight 0.
        weights: (S, K, 1) their weights.
        absent: Targets without sources.
    """

    first: NDArray[np.intp]
    means: NDArray[np.intp]
    sources: NDArray[np.intp]
    weights: NDArray[np.float32]
    absent: NDArray[np.intp]


@cache
def _places(skeleton: Skeleton, mapping: MappingName) -> _Places:
    matrix = mapping_matrix(skeleton, mapping)
    found = [np.flatnonzero(row) for row in matrix]
    counts = np.array([len(sources) for sources in found])
    means = np.flatnonzero(counts > 1)
    most = int(counts.max())
    sources = np.array([np.resize(found[target], most) for target in means], np.intp).reshape(-1, most)
    weights = np.take_along_axis(matrix[means], sources, axis=1)
    weights[np.arange(most) >= counts[means, None]] = 0
    return _Places(
        first=np.array([each[0] if len(each) else 0 for each in found]),
        means=means,
        sources=sources.T,
        weights=weights.T[..., None],
        absent=np.flatnonzero(counts == 0),
    )


def _weighted_mean(planes: NDArray[np.float32], places: _Places) -> NDArray[np.float32]:
    """(..., K, N) of (..., J, N)."""
    total = planes[:, places.sources[0]] * places.weights[0]
    for sources, weights in zip(places.sources[1:], places.weights[1:], strict=True):
        total += planes[:, sources] * weights
    return np.asarray(total)
