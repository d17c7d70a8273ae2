"""How calls come in and answers go out. Nothing else of the server knows which transport carries it."""

from pose_mdn_server.transport.choice import open_transport
from pose_mdn_server.transport.transport import Transport

__all__ = ["Transport", "open_transport"]
