"""Stops a processor that runs for so long that it will not end by itself."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable
from types import TracebackType

_watched: weakref.WeakSet[Watchdog]


class Watchdog:
    """Calls `stop`, from another thread, when a `with` block takes longer than `limit_s` seconds of real time."""

    limit_s = 20.0

    def __init__(self, stop: Callable[[], None]) -> None:
        self._stop = stop
        self._since: float | None = None
        #: Whether it stopped what ran last.
        self.has_stopped = False
        _watched.add(self)
        _start()

    def __enter__(self) -> None:
        self.has_stopped = False
        self._since = time.monotonic()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._since = None

    def look(self, now: float) -> None:
        """Stops what has run for too long."""
        since = self._since
        if since is not None and now - since > self.limit_s:
            self.has_stopped = True
            self._stop()


_watched = weakref.WeakSet()
_thread: threading.Thread | None = None


def _watch() -> None:
    while True:
        time.sleep(1)
        now = time.monotonic()
        for one in list(_watched):
            one.look(now)


def _start() -> None:
    global _thread  # noqa: PLW0603 - one for every processor
    if _thread is None:
        _thread = threading.Thread(target=_watch, name="watchdog", daemon=True)
        _thread.start()
