import json
import pickle
from dataclasses import fields, replace

import numpy as np
import pytest

from pose_mdn.batch.given_camera import GivenCamera
from pose_mdn.batch.given_size import GivenSize
from pose_mdn.batch.settings import LiftSettings, differences
from pose_mdn.geometry.body import KnownBodies, KnownBody
from pose_mdn.geometry.camera import Camera
from pose_mdn.geometry.ground_plane import GroundPlane
from pose_mdn.geometry.known_distance import KnownDistance
from pose_mdn.inference import DEFAULT_MIN_CONFIDENCE, DEFAULT_MODEL
from pose_mdn.skeletons.mapping import DEFAULT_MAPPING

OTHERS = {
    "num_hypotheses": 7,
    "seed": 1,
    "min_confidence": 0.2,
    "format": "npz",
    "skeleton": "coco17",
    "mapping": "mmpose",
    "image_size": (10, 20),
    "fps": 25.0,
    "trust_pickle": True,
    "camera": GivenCamera(fov_deg=60),
    "size": GivenSize(bodies=KnownBodies(everyone=KnownBody(stature_m=1.8))),
    "outputs": ("npz", "parquet"),
    "choice": "top",
    "columns": ("frame", "means"),
}

ELSEWHERE = {"model", "server", "server_ca", "server_token_file"}


def full_settings() -> LiftSettings:
    camera = Camera(intrinsics=np.diag([900.0, 900, 1]), distortion=np.array([0.1, 0, 0, 0]), image_size=(10, 20))
    size = GivenSize(
        bodies=KnownBodies(persons={3: KnownBody(stature_m=1.8)}),
        distances=(KnownDistance(joints=("l_hip", "l_knee"), distance_m=0.43),),
        ground=GroundPlane.of_height_and_tilt(1.5, 0.1),
    )
    return LiftSettings(camera=GivenCamera(camera=camera), size=size)


def test_defaults_are_the_librarys() -> None:
    assert LiftSettings().min_confidence == DEFAULT_MIN_CONFIDENCE
    assert LiftSettings().model == DEFAULT_MODEL
    assert LiftSettings().mapping == DEFAULT_MAPPING


@pytest.mark.parametrize("name", OTHERS)
def test_whatever_shapes_results_is_in_the_digest(name: str) -> None:
    changed = replace(LiftSettings(), **{name: OTHERS[name]})
    assert changed.digest != LiftSettings().digest
    (difference,) = differences(LiftSettings().document, changed.document)
    assert difference.startswith(f"{name} was ")


def test_where_the_model_is_found_is_not_in_the_digest() -> None:
    assert replace(LiftSettings(), **dict.fromkeys(ELSEWHERE, "elsewhere")).digest == LiftSettings().digest


def test_every_setting_is_looked_at_here() -> None:
    assert {field.name for field in fields(LiftSettings)} == {*OTHERS, *ELSEWHERE}


def test_settings_travel_to_other_processes_and_through_json() -> None:
    settings = full_settings()
    again = pickle.loads(pickle.dumps(settings))
    assert again.digest == settings.digest
    assert json.loads(json.dumps(settings.document)) == settings.document
    assert differences(settings.document, again.document) == []


def test_a_number_in_a_camera_counts() -> None:
    settings = full_settings()
    assert settings.camera.camera is not None
    moved = replace(settings.camera.camera, distortion=np.array([0.1, 0, 0, 1e-9]))
    assert replace(settings, camera=GivenCamera(camera=moved)).digest != settings.digest
