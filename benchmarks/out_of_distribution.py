"""What the lifter says of input that it should not be sure about.

    python benchmarks/out_of_distribution.py --data motions.npz [--model mdn_lifter] [--rows 1000]

People of the test subjects, seen as usual and in unusual ways, and keypoints that are no people. `score > 0.5` is the
share that is called out of distribution; standard deviations are medians over joints, in millimetres.
"""

import argparse
import dataclasses
from pathlib import Path

import numpy as np

from pose_mdn.config import BodyConfig, CameraConfig, DetectorConfig, ViewConfig
from pose_mdn.data.mocap import read_motion_data
from pose_mdn.data.views import ViewBatch, ViewSampler
from pose_mdn.geometry.pinhole import slopes_to_pixels
from pose_mdn.inference import Lifter, load_lifter
from pose_mdn.metrics import mpjpe_mm, top_1

INTRINSICS = np.array([[1145.0, 0.0, 500.0], [0.0, 1145.0, 500.0], [0.0, 0.0, 1.0]])
STILL = BodyConfig.as_measured()
DETECTOR = dataclasses.replace(
    DetectorConfig.exact(),
    clean_probability=0.0,
    noise=(0.016, 0.016),
    pelvis_between_hips_probability=DetectorConfig.pelvis_between_hips_probability,
)
USUAL = ViewConfig(body=STILL, camera=CameraConfig(distance_m=(2.0, 9.0)), detector=DETECTOR)


def circumstances() -> dict[str, ViewConfig]:
    """How people are seen, or what is seen instead."""

    def away(low_m: float, high_m: float) -> ViewConfig:
        return dataclasses.replace(USUAL, camera=CameraConfig(distance_m=(low_m, high_m)))

    return {
        "people as usual": USUAL,
        "12 to 40 m away": away(12.0, 40.0),
        "1.3 to 1.8 m away": away(1.3, 1.8),
        "up to 45 degrees off the axis": dataclasses.replace(USUAL, camera=CameraConfig(off_centre_rad=0.785)),
        "children, 0.65 of an adult": dataclasses.replace(
            USUAL, body=dataclasses.replace(STILL, body_scale=(0.65, 0.65))
        ),
        "no people": dataclasses.replace(
            USUAL, detector=dataclasses.replace(DETECTOR, false_detection_probability=1.0)
        ),
    }


def report(name: str, lifter: Lifter, batch: ViewBatch) -> str:
    """One row of the table."""
    pixels = slopes_to_pixels(batch.slopes.double().numpy(), INTRINSICS)
    result = lifter.lift_arrays(
        pixels.astype(np.float32), batch.confidence.numpy(), intrinsics=INTRINSICS, skeleton="human36m17"
    )
    means, truth = result.means_m[result.lifted].astype(float), batch.pose_m.numpy()[result.lifted].astype(float)
    error = float(np.mean(top_1(mpjpe_mm(means, truth[:, None]), result.mixing_coefficients[result.lifted])))
    std = 1000.0 * np.median(result.std_m[result.lifted][:, :, 1:], axis=(0, 1, 2))
    score = float(np.mean(result.out_of_distribution[result.lifted]))
    return f"| {name} | {100 * score:.1f} % | {std[0]:.0f} / {std[1]:.0f} | {error:.0f} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="motion data .npz")
    parser.add_argument("--model", default="mdn_lifter", help="lifter: name, name/version or bundle folder")
    parser.add_argument("--rows", type=int, default=1000, help="views per line")
    arguments = parser.parse_args()
    lifter = load_lifter(arguments.model)
    poses = read_motion_data(arguments.data, "test").pose_m
    print("| seen | score > 0.5 | std across / along, mm | top-1, mm |\n|---|--:|--:|--:|")
    for name, views in circumstances().items():
        print(report(name, lifter, ViewSampler(poses, views, seed=0).batch(0, arguments.rows)))
    turned = poses * np.array([1.0, -1.0, -1.0], dtype=poses.dtype)
    print(report("people upside down", lifter, ViewSampler(turned, USUAL, seed=0).batch(0, arguments.rows)))


if __name__ == "__main__":
    main()
