"""The server's commands of `pose-mdn`, one file each."""

from pose_mdn_server.cli.serve import register

__all__ = ["register"]
