"""How much memory bodies of requests may take together."""

from pose_mdn_server.gateway.http_errors import HttpError


class ByteBudget:
    """Counts bytes that are held; for one event loop."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.held = 0

    def take(self, count: int) -> None:
        """Account for bytes that came.

        Raises:
            HttpError: There is no room for them now.
        """
        if self.held + count > self.total:
            raise HttpError(
                503, "the server holds as many bytes of requests as it may; try again", (("retry-after", "1"),)
            )
        self.held += count

    def give_back(self, count: int) -> None:
        """Account for bytes that were let go."""
        self.held -= count
