"""Parameters of a request: how soon, and for how long."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import DecodeError

from pose_mdn_server.calls import Priority
from pose_mdn_server.rpc import open_inference_pb2 as oip
from pose_mdn_server.violations import Violations

_SEQUENCE = ("sequence_id", "sequence_start", "sequence_end")


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """What a request says of how it is to be treated.

    Attributes:
        priority: As which it wants to be served; `None` if it does not say.
        timeout_s: After which time it is to be given up; `None` for never.
    """

    priority: Priority | None = None
    timeout_s: float | None = None


def decode_parameters(request: Any) -> Wishes:
    """Read the parameters of an `InferRequestTwin`; unknown ones are ignored, as Triton does.

    Raises:
        RequestError: A known one has another type or value than it may have, or asks for a sequence.
    """
    violations = Violations()
    try:
        wire = type(request)(parameters=request.parameters).SerializeToString()
        given = {name: _value(choice) for name, choice in oip.ModelInferRequest.FromString(wire).parameters.items()}
    except DecodeError:
        violations.add("parameters", "expected names and values as the protocol has them, got bytes that are none")
        given = {}
    for name in _SEQUENCE:
        violations.require(
            not given.get(name),
            "parameters",
            f"expected requests that stand by themselves, got {name!r}; no model here remembers earlier requests",
        )
    priority = _whole(given, "priority", violations)
    timeout_us = _whole(given, "timeout", violations)
    violations.raise_if_any()
    return Wishes(
        priority=None if not priority else Priority.INTERACTIVE if priority == 1 else Priority.BULK,
        timeout_s=timeout_us * 1e-6 if timeout_us else None,
    )


def _value(parameter: oip.InferParameter) -> Any:
    choice = parameter.WhichOneof("parameter_choice")
    return None if choice is None else getattr(parameter, choice)


def _whole(given: Mapping[str, Any], name: str, violations: Violations) -> int:
    """A whole number >= 0; 0 also if it is absent."""
    value = given.get(name, 0)
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    violations.add("parameters", f"expected a whole number >= 0 as {name!r}, got {str(value)[:64]!r}")
    return 0
