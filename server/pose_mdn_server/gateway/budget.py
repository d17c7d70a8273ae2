"""How much of something there may be at a time: bytes of requests that are held, calls under way."""

from pose_mdn_server.gateway.http_errors import HttpError

_RETRY = (("retry-after", "1"),)


class Budget:
    """Counts what is taken; for one event loop."""

    def __init__(self, total: int, what: str) -> None:
        self.total = total
        self.what = what
        self.taken = 0

    def take(self, count: int = 1) -> None:
        """Take some.

        Raises:
            HttpError: There is not so much left now.
        """
        if self.taken + count > self.total:
            raise HttpError(503, f"expected at most {self.total} {self.what} at a time; try again later", _RETRY)
        self.taken += count

    def give_back(self, count: int = 1) -> None:
        """Give back what was taken."""
        self.taken -= count
