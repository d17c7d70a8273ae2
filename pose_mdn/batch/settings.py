"""How every file of a batch is read, lifted and written: one value, which travels to workers and into the manifest."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from pose_mdn.batch.given_camera import GivenCamera
from pose_mdn.batch.given_size import GivenSize

if TYPE_CHECKING:
    from pose_mdn.poses.single import PoseChoice
    from pose_mdn.skeletons.mapping import MappingName

Document = dict[str, object]
"""What JSON can hold."""

_NOT_IN_RESULTS = frozenset({"model", "server", "server_ca", "server_token_file"})
"""Settings that say where a model is found, not what it answers; its checksum is compared instead."""


@dataclass(frozen=True, kw_only=True)
class LiftSettings:
    """Everything that shapes the bytes of results, and nothing else. It can be pickled.

    How many workers there are, and what is printed, is not part of it: results do not depend on that.

    Attributes:
        model: Bundled model, NAME/VERSION, or the folder of a bundle.
        num_hypotheses: Poses per person, for models that sample; what the bundle says if `None`.
        seed: Of the noise of models that sample.
        min_confidence: Joints that the detector trusts less count as missing.
        format: Input format; told from each file if `None`.
        skeleton: Layout of the joints, if the file does not say.
        mapping: Name of the mapping from that layout to Human3.6M-17.
        image_size: (width, height) in pixels, if the file does not say.
        fps: Frames per second, if the file does not say.
        trust_pickle: Whether pickles inside of files may be loaded. They can run any program.
        camera: Replaces the files' cameras.
        size: What is known of metres.
        outputs: Names of the result formats, such as ("npz", "trc"). The first is that of a job's target; the others
            are written beside it, with their own endings.
        choice: Which pose stands for all in formats that hold one: "mean", "top" or "linked".
        columns: Columns of Parquet results, by the keys of hypotheses files; all if `None`.
        server: Address of a running server that lifts instead of this machine's sessions.
        server_ca: PEM file of the authorities to trust, or "system" for the system's; no encryption if `None`.
        server_token_file: File that holds the server's bearer token. The token itself is never in the settings, which
            are pickled and recorded.
    """

    model: str = "mdn_lifter"
    num_hypotheses: int | None = None
    seed: int = 0
    min_confidence: float = 0.1
    format: str | None = None
    skeleton: str | None = None
    mapping: "MappingName" = "names"
    image_size: tuple[int, int] | None = None
    fps: float | None = None
    trust_pickle: bool = False
    camera: GivenCamera = field(default_factory=GivenCamera)
    size: GivenSize = field(default_factory=GivenSize)
    outputs: tuple[str, ...] = ("npz",)
    choice: "PoseChoice" = "mean"
    columns: tuple[str, ...] | None = None
    server: str | None = None
    server_ca: str | None = None
    server_token_file: str | None = None

    @cached_property
    def document(self) -> Document:
        """The settings that results depend on, by name, as JSON; two of them can be compared with `differences`."""
        plain = _plain(self)
        assert isinstance(plain, dict)
        return {name: value for name, value in plain.items() if name not in _NOT_IN_RESULTS}

    @cached_property
    def digest(self) -> str:
        """SHA-256 of `document`: equal for settings that give equal results by the same model."""
        return hashlib.sha256(json.dumps(self.document, sort_keys=True).encode()).hexdigest()


def differences(before: Mapping[str, object], now: Mapping[str, object]) -> list[str]:
    """What differs between two documents, one line for each setting: "seed was 0, is 1"."""
    names = sorted({*before, *now})
    return [
        f"{name} was {json.dumps(before.get(name))[:80]}, is {json.dumps(now.get(name))[:80]}"
        for name in names
        if before.get(name) != now.get(name)
    ]


def _plain(value: object) -> object:
    """A value as JSON holds it; arrays become lists, and objects the mapping of their fields."""
    if is_dataclass(value) and not isinstance(value, type):
        return {entry.name: _plain(getattr(value, entry.name)) for entry in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in sorted(value.items(), key=lambda item: str(item[0]))}
    if isinstance(value, (list, tuple)):
        return [_plain(entry) for entry in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    # Arrays of numbers; numpy is not imported for them, since the command line reads this module for its help.
    return value.tolist() if hasattr(value, "tolist") else str(value)
