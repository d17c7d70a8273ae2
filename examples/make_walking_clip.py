"""How pose_mdn/samples/walking_clip.npz was made: a 2D detector over a video, its answers saved as a keypoints file.

Any detector will do. This one is BlazePose as packaged in `mediapipe==0.10.21` (Apache-2.0), which carries its weights
and runs offline. It needs an environment of its own (it pins old versions of numpy and protobuf) and is no dependency
of pose-mdn:

    python3.11 -m venv detector
    detector/bin/pip install mediapipe==0.10.21
    detector/bin/pip download --no-deps sports2d && unzip sports2d-*.whl 'Sports2D/Demo/demo.mp4'
    detector/bin/python make_walking_clip.py Sports2D/Demo/demo.mp4 walking_clip.npz
"""

import argparse
from collections.abc import Iterator

import cv2
import mediapipe as mp
import numpy as np

FIRST_FRAME, LAST_FRAME = 38, 197
"""A woman steps out from behind a tree, walks through the picture and leaves it on the left."""

TOP_PX = 420
"""BlazePose looks for one person; above this row an acrobat stands on a roof, so it is shown only what is below."""

NUM_JOINTS = 33


def frames_of(path: str, first: int, last: int) -> Iterator[tuple[int, np.ndarray]]:
    """Frame numbers and BGR images (H, W, 3) of a video, `first` to `last` inclusive."""
    video = cv2.VideoCapture(path)
    for number in range(last + 1):
        there, image = video.read()
        if not there:
            return
        if number >= first:
            yield number, image


def detect(detector: mp.solutions.pose.Pose, image: np.ndarray) -> tuple[np.ndarray, np.ndarray, bool]:
    """Keypoints (33, 2) in pixels of the whole image, confidence (33,), and whether anybody was found."""
    part = np.ascontiguousarray(image[TOP_PX:, :, ::-1])
    landmarks = detector.process(part).pose_landmarks
    if landmarks is None:
        return np.full((NUM_JOINTS, 2), np.nan), np.zeros(NUM_JOINTS), False
    height, width = part.shape[:2]
    # MediaPipe gives fractions of the width and the height, each axis its own.
    keypoints_px = np.array([(mark.x * width, mark.y * height + TOP_PX) for mark in landmarks.landmark])
    return keypoints_px, np.array([mark.visibility for mark in landmarks.landmark]), True


def main() -> None:
    """Detect, report, save."""
    parser = argparse.ArgumentParser(description="Detect one person in a video and save a keypoints file.")
    parser.add_argument("video")
    parser.add_argument("output")
    arguments = parser.parse_args()

    video = cv2.VideoCapture(arguments.video)
    image_size = [int(video.get(cv2.CAP_PROP_FRAME_WIDTH)), int(video.get(cv2.CAP_PROP_FRAME_HEIGHT))]
    with mp.solutions.pose.Pose(model_complexity=1) as detector:
        rows = [
            (number, *detect(detector, image)) for number, image in frames_of(arguments.video, FIRST_FRAME, LAST_FRAME)
        ]
    number, keypoints_px, confidence, found = (np.array(column) for column in zip(*rows, strict=True))
    np.savez_compressed(
        arguments.output,
        # A 16th of a pixel is well below what the detector knows, and packs better.
        keypoints=(np.round(keypoints_px * 16) / 16).astype(np.float32),
        confidence=np.round(confidence, 3).astype(np.float32),
        skeleton="blazepose33",
        frame=number.astype(np.int64),
        person=np.where(found, 0, -1).astype(np.int64),
        image_size=np.array(image_size, np.int64),
        fps=video.get(cv2.CAP_PROP_FPS),
    )
    print(f"{arguments.output}: {found.sum()} of {len(found)} frames with a person, picture {image_size}")


if __name__ == "__main__":
    main()
