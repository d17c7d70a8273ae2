"""What a set of weighted hypotheses is worth."""

from array_api_compat import array_namespace

from pose_mdn.array_types import Array
from pose_mdn.geometry.kinematics import bone_directions_and_lengths
from pose_mdn.skeletons import HUMAN36M17

_MM = 1000.0


def best_of_m(errors: Array) -> Array:
    """(...) smallest of (..., M) errors, chosen for each pose with the truth at hand."""
    return array_namespace(errors).min(errors, axis=-1)


def top_1(errors: Array, mixing_coefficients: Array) -> Array:
    """(...) error of the most probable of (..., M) hypotheses."""
    xp = array_namespace(errors)
    top = xp.argmax(mixing_coefficients, axis=-1)[..., None] == xp.arange(errors.shape[-1])
    return xp.sum(xp.where(top, errors, xp.zeros_like(errors)), axis=-1)


def effective_hypotheses(mixing_coefficients: Array) -> Array:
    """(...) exponential of the entropy of (..., M) coefficients: 1 if one has all the mass, M if all are equal."""
    xp = array_namespace(mixing_coefficients)
    return xp.exp(-xp.sum(mixing_coefficients * xp.log(xp.clip(mixing_coefficients, 1e-12, None)), axis=-1))


def win_rates(errors: Array) -> Array:
    """(M,) share of poses for which each component has the smallest of (N, M) errors."""
    xp = array_namespace(errors)
    winner = xp.argmin(errors, axis=-1)[:, None] == xp.arange(errors.shape[-1])
    return xp.mean(xp.astype(winner, errors.dtype), axis=0)


def mpsse_mm(pose_m: Array) -> Array:
    """(...) mean segment symmetry error of (..., 17, 3) poses: |left - right| over six mirrored bones.

    Rommel et al., "ManiPose", NeurIPS 2024.
    """
    xp = array_namespace(pose_m)
    _, lengths = bone_directions_and_lengths(pose_m, HUMAN36M17)
    bone_to = {child: bone for bone, (_, child) in enumerate(HUMAN36M17.bones)}
    left, right = ([bone_to[joint] for joint in side] for side in (HUMAN36M17.left, HUMAN36M17.right))
    return _MM * xp.mean(xp.abs(lengths[..., left] - lengths[..., right]), axis=-1)
