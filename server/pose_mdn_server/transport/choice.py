"""Which transport is used."""

import logging

from pose_mdn.errors import ConfigError
from pose_mdn_server.batching import Batcher
from pose_mdn_server.calls.dispatcher import Dispatcher
from pose_mdn_server.transport.threads import ThreadsTransport
from pose_mdn_server.transport.transport import ChannelOptions, Transport

_LOG = logging.getLogger(__name__)


def open_transport(
    name: str, dispatcher: Dispatcher, batcher: Batcher, *, options: ChannelOptions, stream_window: int, threads: int
) -> Transport:
    """Make a transport.

    The fast one stands on a part of grpcio that is not its public interface. Where an installed grpcio no longer has
    what it needs, "auto" takes the other one and says so.

    Args:
        name: "completion-queue", "threads" or "auto".
        dispatcher: Carries out calls.
        batcher: Whose batches the transport's threads run.
        options: Channel arguments of gRPC.
        stream_window: Messages of a stream that are read before their answers are taken.
        threads: Calls at the same time, for the transport that has a thread for each.

    Raises:
        ConfigError: The transport asked for by name does not work with the installed grpcio.
    """
    if name != "threads":
        try:
            from pose_mdn_server.transport.completion_queue import CompletionQueueTransport  # noqa: PLC0415

            return CompletionQueueTransport(dispatcher, batcher, options=options, stream_window=stream_window)
        except (ImportError, AttributeError, TypeError) as error:
            if name != "auto":
                raise ConfigError(f"transport: expected a grpcio that has what {name} needs, got: {error}") from error
            _LOG.warning("the installed grpcio lacks what the fast transport needs (%s); using threads", error)
    return ThreadsTransport(dispatcher, batcher, options=options, stream_window=stream_window, threads=threads)
