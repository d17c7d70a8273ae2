"""Whether a spread of each bone on its sphere would describe errors better than a spread of each joint.

    python benchmarks/spread_on_spheres.py --data motions.npz [--views 2000] [--model mdn_lifter]

Errors are those of the hypothesis nearest to the truth, on noisy views, in units of the standard deviations that the
lifter states. Three diagonal Gaussians describe them: of joints, across and along the line of sight, as the lifter
states them; of bone vectors in the same axes; and of bone vectors along the bone and along its sphere, towards the line
of sight and across it. Factors per joint and axis are fitted on the subjects of `validation`, likelihoods are of those
of `test`.

Joints are sums of bones with determinant 1, so densities of all three may be compared: "all joints together". "Joint by
joint" is what each says of single joints, which is what users of intervals see. Nats per coordinate, more is better.
"""

import argparse
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pose_mdn.evaluation.virtual_views import virtual_views
from pose_mdn.geometry.kinematics import bone_directions_and_lengths, bone_vectors, chain_matrix
from pose_mdn.inference import Lifter, load_lifter
from pose_mdn.skeletons import HUMAN36M17

CHILDREN = [child for _, child in HUMAN36M17.bones]
CHAIN = chain_matrix(HUMAN36M17).astype(np.float64)[CHILDREN]
"""(16, 16) bones to the joints at their ends, in the order of bones."""
TOWARDS = np.array([0.0, 0.0, 1.0])
Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Errors:
    """Of N views, in the line-of-sight frame.

    Attributes:
        joints_m: (N, 16, 3) by joint, in the order of bones.
        directions: (N, 16, 3) unit vectors of the bones of the hypothesis.
        std_m: (N, 16, 2) as stated, across and along.
    """

    joints_m: Array
    directions: Array
    std_m: Array


def measure(lifter: Lifter, data: Path, split: str, views: int) -> Errors:
    """Errors of the hypotheses that are nearest to the truth."""
    noisy = next(v for v in virtual_views(data, split, count=views, seed=0, balanced=True) if v.name == "noisy")
    answer = lifter.lift(noisy.keypoints)
    lifted = np.isfinite(answer.means_m).all((1, 2, 3))
    means, truth, std = answer.means_m[lifted], noisy.pose_camera_m[lifted], answer.std_m[lifted]
    best = np.linalg.norm(means - truth[:, None], axis=-1).mean(-1).argmin(1)
    rows = np.arange(len(best))
    rotation = answer.view_rotation[lifted]
    mean, truth = (np.einsum("nij,nkj->nki", rotation, pose).astype(np.float64) for pose in (means[rows, best], truth))
    return Errors(
        joints_m=(truth - truth[:, :1] - mean)[:, CHILDREN],
        directions=np.asarray(bone_directions_and_lengths(mean, HUMAN36M17)[0]),
        std_m=std[rows, best][:, CHILDREN].astype(np.float64),
    )


def axes(errors: Errors, on_sphere: bool) -> Array:
    """(N, 16, 3, 3) rows: two unit vectors across and one along; on spheres the first of them is the bone's."""
    if not on_sphere:
        return np.broadcast_to(np.eye(3), (*errors.directions.shape, 3))
    bone = errors.directions
    along = TOWARDS - bone * bone[..., 2:]
    along = along / np.maximum(np.linalg.norm(along, axis=-1, keepdims=True), 1e-9)
    return np.stack([bone, np.cross(along, bone), along], axis=-2)


def bone_errors(errors: Errors) -> Array:
    """(N, 16, 3) of bone vectors."""
    joints = np.zeros((len(errors.joints_m), HUMAN36M17.num_joints, 3))
    joints[:, CHILDREN] = errors.joints_m
    return np.asarray(bone_vectors(joints, HUMAN36M17))


def log_density(error: Array, std: Array) -> float:
    """Mean of a Gaussian's logarithm over all coordinates."""
    return float((-0.5 * (error / std) ** 2 - np.log(std) - 0.5 * math.log(2 * math.pi)).mean())


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="motion data .npz")
    parser.add_argument("--model", default="mdn_lifter", help="bundle, by name or folder")
    parser.add_argument("--views", type=int, default=2000)
    arguments = parser.parse_args()
    lifter = load_lifter(arguments.model)
    fit, report = (measure(lifter, arguments.data, split, arguments.views) for split in ("validation", "test"))

    print(f"{'spread':28s}{'all joints together':>22s}{'joint by joint':>18s}")
    for name, of_bones, on_sphere in (
        ("of joints", False, False),
        ("of bones", True, False),
        ("of bones, on their spheres", True, True),
    ):
        scaled = []
        for errors in (fit, report):
            vectors = bone_errors(errors) if of_bones else errors.joints_m
            turned = np.einsum("nkij,nkj->nki", axes(errors, on_sphere), vectors)
            scaled.append((turned, errors.std_m[..., [0, 0, 1]]))
        factor = np.sqrt(np.mean((scaled[0][0] / scaled[0][1]) ** 2, axis=0))
        error, std = scaled[1][0], scaled[1][1] * factor
        together = log_density(error, std)
        frame = axes(report, on_sphere)
        covariance = np.einsum("nkai,nka,nkaj->nkij", frame, std**2, frame)
        if of_bones:
            covariance = np.einsum("kb,nbij->nkij", CHAIN, covariance)
        single = log_density(report.joints_m, np.sqrt(np.einsum("nkii->nki", covariance)))
        print(f"{name:28s}{together:22.3f}{single:18.3f}")


if __name__ == "__main__":
    main()
