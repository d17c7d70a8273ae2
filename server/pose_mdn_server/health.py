"""What is served right now: the server as a whole, its services, its models."""

import threading
from collections.abc import Iterable
from typing import Protocol


class Subscriber(Protocol):
    """Who wants to know."""

    def tell(self) -> None:
        """Something may have changed."""

    def no_more(self) -> None:
        """Nothing will be told any more."""


class HealthState:
    """Which names are served: "" for the server, "package.Service", and "NAME" or "NAME/VERSION" for models.

    Everything is served, or nothing is: before models are warm, and while the server is draining. A model that vanishes
    from the repository is not served any more, but stays known. Methods may be called from any thread.
    """

    def __init__(self, services: Iterable[str]) -> None:
        self._services = ("", *services)
        self._models: dict[str, bool] = {}
        self._subscribers: set[Subscriber] = set()
        self._lock = threading.Lock()
        self._has_ended = False
        self.is_serving = False

    def of(self, name: str) -> bool | None:
        """Whether a name is served; `None` for names that are not known."""
        if name in self._services:
            return self.is_serving
        present = self._models.get(name)
        return None if present is None else present and self.is_serving

    def set_serving(self, is_serving: bool) -> None:
        """From now on everything is served, or nothing."""
        self.is_serving = is_serving
        self._tell()

    def set_models(self, models: Iterable[tuple[str, str]]) -> None:
        """These models, by name and version, are loaded, and no others."""
        present = {name for model, version in models for name in (model, f"{model}/{version}")}
        self._models = {name: name in present for name in (*self._models, *sorted(present))}
        self._tell()

    def subscribe(self, subscriber: Subscriber) -> None:
        """Have somebody told now, and whenever something may have changed."""
        with self._lock:
            self._subscribers.add(subscriber)
        subscriber.tell()
        if self._has_ended:
            subscriber.no_more()

    def unsubscribe(self, subscriber: Subscriber) -> None:
        """Have nobody told in vain."""
        with self._lock:
            self._subscribers.discard(subscriber)

    def end(self) -> None:
        """Let every subscriber go, after what it was told: nobody needs to wait for more news."""
        self._has_ended = True
        for subscriber in self._current():
            subscriber.no_more()

    def _tell(self) -> None:
        for subscriber in self._current():
            subscriber.tell()

    def _current(self) -> tuple[Subscriber, ...]:
        with self._lock:
            return tuple(self._subscribers)
