"""Settings: frozen dataclasses, and TOML files that spell them."""

from pose_mdn.config.files import AnyRunConfig, from_toml, load_preset, preset_names, read_config, to_toml
from pose_mdn.config.generation import CVAELifterConfig, ElboConfig, LatentConfig, LiftingElboConfig, PoseVAEConfig
from pose_mdn.config.model import ModelConfig
from pose_mdn.config.run import OptimizerConfig, RunConfig
from pose_mdn.config.training import LossConfig, TrainingConfig
from pose_mdn.config.views import BodyConfig, CameraConfig, DetectorConfig, ViewConfig

__all__ = [
    "AnyRunConfig",
    "BodyConfig",
    "CVAELifterConfig",
    "CameraConfig",
    "DetectorConfig",
    "ElboConfig",
    "LatentConfig",
    "LiftingElboConfig",
    "LossConfig",
    "ModelConfig",
    "OptimizerConfig",
    "PoseVAEConfig",
    "RunConfig",
    "TrainingConfig",
    "ViewConfig",
    "from_toml",
    "load_preset",
    "preset_names",
    "read_config",
    "to_toml",
]
