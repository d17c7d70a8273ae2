"""Settings: frozen dataclasses, and TOML files that spell them."""

from pose_mdn.config.files import from_toml, load_preset, preset_names, read_config, to_toml
from pose_mdn.config.model import ModelConfig
from pose_mdn.config.training import LossConfig, OptimizerConfig, TrainingConfig
from pose_mdn.config.views import BodyConfig, CameraConfig, DetectorConfig, ViewConfig

__all__ = [
    "BodyConfig",
    "CameraConfig",
    "DetectorConfig",
    "LossConfig",
    "ModelConfig",
    "OptimizerConfig",
    "TrainingConfig",
    "ViewConfig",
    "from_toml",
    "load_preset",
    "preset_names",
    "read_config",
    "to_toml",
]
