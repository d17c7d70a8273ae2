import dataclasses

import numpy as np
import pytest
import torch

from pose_mdn.config import CVAELifterConfig, PoseVAEConfig, TrainingConfig, load_preset
from pose_mdn.config.files import run_config_from_toml
from pose_mdn.errors import CheckpointError, ConfigError, FormatError
from pose_mdn.training.checkpoint import load_trained
from pose_mdn.training.cvae_lifter import CVAELifterTrainer, calibrate_cvae_run, load_cvae_run
from pose_mdn.training.pose_vae import PoseVAETrainer, load_pose_vae_run
from pose_mdn.training.trainer import Trainer

SMALL = """
steps = 8
batch_size = 32
precision = "float32"
checkpoint_every = 4
[model]
width = 16
num_blocks = 1
latent_dim = 4
"""


@pytest.fixture
def vae() -> PoseVAEConfig:
    config = run_config_from_toml('kind = "pose_vae"' + SMALL, source="test")
    assert isinstance(config, PoseVAEConfig)
    return dataclasses.replace(config, validation_poses=32)


@pytest.fixture
def cvae() -> CVAELifterConfig:
    text = 'kind = "cvae_lifter"\ntrain_condition = true' + SMALL + "[condition]\nwidth = 16\nnum_blocks = 1\n"
    config = run_config_from_toml(text, source="test")
    assert isinstance(config, CVAELifterConfig)
    return dataclasses.replace(config, validation_views=32)


def _weights(loaded: tuple) -> dict[str, torch.Tensor]:
    return loaded[0].state_dict()


def test_a_stopped_prior_continues_to_the_same_weights(vae, motion_file, tmp_path):
    PoseVAETrainer(vae, motion_file, tmp_path / "whole").run()
    stopped = PoseVAETrainer(vae, motion_file, tmp_path / "stopped")
    take = stopped._take_step

    def stop_at_6() -> torch.Tensor:
        if stopped.step == 6:
            raise KeyboardInterrupt
        return take()

    stopped._take_step = stop_at_6
    with pytest.raises(KeyboardInterrupt):
        stopped.run()
    resumed = PoseVAETrainer(vae, motion_file, tmp_path / "stopped")
    assert resumed.step == 4
    resumed.run()
    whole, again = (_weights(load_pose_vae_run(tmp_path / name)) for name in ("whole", "stopped"))
    assert all(torch.equal(whole[name], again[name]) for name in whole)


def test_training_a_prior_lowers_its_loss(vae, motion_file, tmp_path):
    trainer = PoseVAETrainer(dataclasses.replace(vae, steps=60), motion_file, tmp_path / "run")
    batch = trainer.sampler.batch(0, 64)
    before = trainer.loss(batch).item()
    figures = trainer.run()
    assert trainer.loss(batch).item() < before - 20
    assert 0 <= figures["active_units"] <= 4


def test_beta_rises_to_its_value(vae):
    assert [vae.loss.beta_at(progress) for progress in (0.0, 0.05, 0.1, 1.0)] == [0.0, 0.5, 1.0, 1.0]


def test_a_conditioned_prior_needs_every_class(vae, motion_file, tmp_path):
    with pytest.raises(FormatError, match="class of actions"):
        PoseVAETrainer(dataclasses.replace(vae, kind="pose_cvae"), motion_file, tmp_path / "run")


def test_a_cvae_lifter_trains_and_is_ranked(cvae, motion_file, tmp_path):
    trainer = CVAELifterTrainer(cvae, motion_file, tmp_path / "run")
    before = trainer.model.views.trunk.inlet.weight.clone()
    trainer.run()
    assert not torch.equal(before, trainer.model.views.trunk.inlet.weight)
    figures = calibrate_cvae_run(tmp_path / "run", motion_file)
    assert figures["best_of_k_mm"] <= figures["top_1_mm"]
    assert figures["nearest_nats"] <= figures["unranked_nats"]
    np.testing.assert_allclose(
        load_cvae_run(tmp_path / "run")[0].ranking, [figures["prior_power"], figures["misfit_power"]], rtol=1e-6
    )


def test_a_borrowed_trunk_stays_as_it_was(cvae, motion_file, tmp_path):
    lifter = TrainingConfig(steps=2, batch_size=32, precision="float32", validation_views=32, model=cvae.condition)
    Trainer(lifter, motion_file, tmp_path / "lifter").run()
    borrowing = dataclasses.replace(cvae, train_condition=False, start_from=str(tmp_path / "lifter"))
    CVAELifterTrainer(borrowing, motion_file, tmp_path / "run").run()
    trunk = load_cvae_run(tmp_path / "run")[0].views.trunk.state_dict()
    network = load_trained(tmp_path / "lifter")[0].network
    assert all(torch.equal(tensor, trunk[name]) for name, tensor in network.trunk.state_dict().items())


def test_runs_of_one_kind_are_not_taken_for_another(vae, motion_file, tmp_path):
    PoseVAETrainer(vae, motion_file, tmp_path / "run").run()
    for load in (load_trained, load_cvae_run):
        with pytest.raises(CheckpointError, match="pose_vae"):
            load(tmp_path / "run")


def test_a_trunk_must_come_from_somewhere():
    with pytest.raises(ConfigError, match="train_condition"):
        CVAELifterConfig()
    with pytest.raises(ConfigError, match="kind"):
        run_config_from_toml('kind = "gan"', source="test")


@pytest.mark.parametrize("name", ["pose_vae", "pose_cvae", "cvae_lifter"])
def test_presets_are_of_their_kind(name):
    assert load_preset(name).kind == name
