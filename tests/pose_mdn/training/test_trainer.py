import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from pose_mdn.config import TrainingConfig, from_toml, load_preset, preset_names, to_toml
from pose_mdn.config.files import run_config_from_toml
from pose_mdn.errors import CheckpointError, ConfigError, TrainingDivergedError
from pose_mdn.losses.hypothesis_errors import best_of_m_error, mean_joint_errors, top_1_error
from pose_mdn.training.calibration import calibrate, calibration_views
from pose_mdn.training.checkpoint import RunFolder, load_trained
from pose_mdn.training.optimization import learning_rate_schedule, temperature_schedule
from pose_mdn.training.trainer import Trainer

SMALL = """
steps = 20
batch_size = 32
precision = "float32"
checkpoint_every = 5
validation_views = 64
[model]
width = 32
num_blocks = 1
dropout = 0.1
"""


@pytest.fixture
def config() -> TrainingConfig:
    return from_toml(TrainingConfig, SMALL, source="test")


def _weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_trained(folder)[0].state_dict()


def test_a_stopped_run_continues_to_the_same_weights(config, motion_file, tmp_path):
    Trainer(config, motion_file, tmp_path / "whole").run()
    stopped = Trainer(config, motion_file, tmp_path / "stopped")

    class Stop(Exception):
        pass

    original = stopped._take_step

    def stop_at_12() -> torch.Tensor:
        if stopped.step == 12:
            raise Stop
        return original()

    stopped._take_step = stop_at_12
    with pytest.raises(Stop):
        stopped.run()
    resumed = Trainer(config, motion_file, tmp_path / "stopped")
    assert resumed.step == 10
    resumed.run()
    whole, again = _weights(tmp_path / "whole"), _weights(tmp_path / "stopped")
    for name, tensor in whole.items():
        assert torch.equal(tensor, again[name]), name


def test_the_command_survives_kill_nine(motion_file, tmp_path):
    settings = tmp_path / "small.toml"
    settings.write_text(SMALL.replace("steps = 20", "steps = 100000"))
    command = [
        sys.executable,
        "-c",
        "from pose_mdn.cli import main; main()",
        "train",
        "--data",
        str(motion_file),
        "-o",
        str(tmp_path / "run"),
    ]
    process = subprocess.Popen([*command, "--config", str(settings), "--threads", "1"], stderr=subprocess.PIPE)
    checkpoint = RunFolder(path=tmp_path / "run").checkpoint
    deadline = time.monotonic() + 120
    while not checkpoint.exists():
        assert process.poll() is None, process.stderr.read().decode()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    _, config, step = load_trained(tmp_path / "run")
    assert step >= 5
    assert step % 5 == 0
    assert Trainer(config, motion_file, tmp_path / "run").step == step


def test_training_lowers_the_loss_and_records_it(config, motion_file, tmp_path):
    longer = dataclasses.replace(config, steps=150, checkpoint_every=25)
    Trainer(longer, motion_file, tmp_path / "run").run()
    records = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert [record["step"] for record in records] == [25, 50, 75, 100, 125, 150]
    assert records[-1]["best_of_m_mm"] < 0.9 * records[0]["best_of_m_mm"]
    assert records[-1]["best_of_m_mm"] <= records[-1]["top_1_mm"]


def test_another_run_is_not_overwritten(config, motion_file, tmp_path):
    Trainer(config, motion_file, tmp_path / "run")
    with pytest.raises(CheckpointError, match="other settings; choose another folder"):
        Trainer(dataclasses.replace(config, seed=1), motion_file, tmp_path / "run")


def test_a_run_may_start_from_the_weights_of_another(config, motion_file, tmp_path):
    Trainer(config, motion_file, tmp_path / "first").run()
    continued = dataclasses.replace(config, start_from=str(tmp_path / "first"), seed=1)
    second = Trainer(continued, motion_file, tmp_path / "second")
    for name, tensor in _weights(tmp_path / "first").items():
        assert torch.equal(tensor, second.graph.state_dict()[name]), name
    assert second.step == 0
    second.run()
    assert load_trained(tmp_path / "second")[2] == config.steps
    lost = dataclasses.replace(config, start_from=str(tmp_path / "nowhere"))
    with pytest.raises(CheckpointError, match="expected a run with"):
        Trainer(lost, motion_file, tmp_path / "third")


@pytest.mark.parametrize(("weight", "error"), [("top_1_weight", top_1_error), ("best_of_m_weight", best_of_m_error)])
@torch.no_grad()
def test_errors_of_hypotheses_enter_the_loss_with_their_weights(weight, error, config, motion_file, tmp_path):
    heavier = dataclasses.replace(config, loss=dataclasses.replace(config.loss, **{weight: 70.0}))
    plain, weighted = (
        Trainer(settings, motion_file, tmp_path / name) for name, settings in (("plain", config), ("weighted", heavier))
    )
    batch = plain.sampler.batch(0, 16)
    graph = plain.graph.eval(), weighted.graph.eval()
    view = graph[0].view(batch.slopes, batch.confidence)
    prediction = graph[0].network(view.points, batch.confidence, view.log_radius)
    errors = mean_joint_errors(prediction.means_m[:, :, 1:], (batch.pose_m @ view.rotation)[:, 1:])
    term = error(prediction.log_mixing_coefficients, errors) if weight == "top_1_weight" else error(errors)
    torch.testing.assert_close(weighted.loss(batch) - plain.loss(batch), 70.0 * term.mean())


def test_a_broken_checkpoint_is_explained(config, motion_file, tmp_path):
    Trainer(config, motion_file, tmp_path / "run")
    with pytest.raises(CheckpointError, match="found none"):
        load_trained(tmp_path / "run")
    (tmp_path / "run" / "checkpoint.pt").write_bytes(b"PK\x03\x04 not a checkpoint")
    with pytest.raises(CheckpointError, match="could not read it"):
        load_trained(tmp_path / "run")


def test_divergence_is_named(config, motion_file, tmp_path):
    trainer = Trainer(config, motion_file, tmp_path / "run")
    with torch.no_grad():
        next(trainer.graph.network.parameters()).fill_(float("nan"))
    with pytest.raises(TrainingDivergedError, match=r"lower optimizer\.learning_rate"):
        trainer.run()


def test_calibration_never_worsens_what_it_minimises(config, motion_file, tmp_path):
    Trainer(config, motion_file, tmp_path / "run").run()
    graph, _, _ = load_trained(tmp_path / "run")
    figures = calibrate(graph, calibration_views(config, motion_file, 256))
    assert figures["pit_distance_after"] <= figures["pit_distance_before"]
    assert torch.isfinite(graph.calibration.std_scale).all()


@pytest.mark.parametrize("name", preset_names())
def test_presets_survive_being_written(name):
    preset = load_preset(name)
    assert run_config_from_toml(to_toml(preset), source="test") == preset


def test_settings_are_strict():
    with pytest.raises(ConfigError, match=r"unknown setting 'stepz' \(did you mean 'steps'\?\)"):
        from_toml(TrainingConfig, "stepz = 3", source="test")
    with pytest.raises(ConfigError, match="expected int, got 'many'"):
        from_toml(TrainingConfig, 'steps = "many"', source="test")
    with pytest.raises(ConfigError, match="steps: expected a value >= 1, got 0"):
        from_toml(TrainingConfig, "steps = 0", source="test")
    with pytest.raises(ConfigError, match="expected one of 'kinematic', 'free'"):
        from_toml(TrainingConfig, '[model]\nhead = "round"', source="test")
    with pytest.raises(ConfigError, match="expected TOML"):
        from_toml(TrainingConfig, "steps = = 2", source="test")
    with pytest.raises(ConfigError, match="did you mean 'default'"):
        load_preset("defalt")


def test_schedules_start_and_end_where_they_say(config):
    rate, temperature = learning_rate_schedule(config), temperature_schedule(config)
    assert max(rate(step) for step in range(20)) == pytest.approx(config.optimizer.learning_rate)
    assert rate(20) == pytest.approx(0.0, abs=1e-9)
    assert temperature(0) == pytest.approx(9.0)
    assert temperature(10) == temperature(20) == 1.0
    faithful = learning_rate_schedule(load_preset("li_lee_2019"))
    assert faithful(100_000) == pytest.approx(0.96e-3)
