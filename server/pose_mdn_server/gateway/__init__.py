"""The HTTP port: metrics, probes, and calls from browsers, in a process of its own."""

from pose_mdn_server.gateway.run import bind, run_gateway
from pose_mdn_server.gateway.supervisor import Supervisor

__all__ = ["Supervisor", "bind", "run_gateway"]
