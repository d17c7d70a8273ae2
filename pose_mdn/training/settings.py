"""From a preset or a file, and what the command line changes, to a run's settings."""

import dataclasses
from pathlib import Path

from pose_mdn.config import AnyRunConfig, load_preset, read_config


def resolve_settings(
    preset: str, config: Path | None, *, steps: int | None = None, seed: int | None = None
) -> AnyRunConfig:
    """Settings of a run: a file if given, else a preset, with what is not None replaced."""
    base = read_config(config) if config is not None else load_preset(preset)
    return dataclasses.replace(
        base,
        steps=base.steps if steps is None else steps,
        seed=base.seed if seed is None else seed,
    )
