"""Hands what threads have to tell to the event loop, a little at a time."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from tornado.ioloop import IOLoop

T = TypeVar("T")

log = logging.getLogger(__name__)

#: How long the loop is kept at once, and then left alone, seconds. To check and send an event takes 0.3 ms: a cluster with
#: 10,000 jobs that stops answering would hold up everybody for three seconds.
_SLICE_S = 0.004


class Publisher(Generic[T]):
    """Keeps the order in which things were told.

    Args:
        loop: where ``emit`` is called.
        emit: tells one.
    """

    def __init__(self, loop: IOLoop, emit: Callable[[T], None]) -> None:
        self._loop = loop
        self._emit = emit
        self._waiting: deque[T] = deque()
        self._lock = threading.Lock()
        self._at_work = False

    def put(self, item: T) -> None:
        """Tell it soon; may be called from any thread."""
        with self._lock:
            self._waiting.append(item)
            if self._at_work:
                return
            self._at_work = True
        self._loop.add_callback(self._drain)

    def _drain(self) -> None:
        until = time.perf_counter() + _SLICE_S
        while time.perf_counter() < until:
            with self._lock:
                if not self._waiting:
                    self._at_work = False
                    return
                item = self._waiting.popleft()
            try:
                self._emit(item)
            except Exception:
                log.exception("an event was not sent")
        self._loop.call_later(_SLICE_S, self._drain)
