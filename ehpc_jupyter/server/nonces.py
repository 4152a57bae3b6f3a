"""Which requests came before, in bounded memory. Pure."""

from __future__ import annotations

import heapq
import threading

#: Nonces kept for one key: 15 minutes at 200 requests a second, some 30 MB at the worst.
CAPACITY = 200_000


class Nonces:
    """Says whether a nonce is new, for as long as its date is taken at all.

    When the memory of a key is full, its oldest nonce is forgotten, and from then on requests as old as that one are taken for
    repeated: so a full memory shortens the time in which a request may arrive, and never lets one through twice.

    Args:
        window_s: how old a request may be, seconds.
        capacity: nonces kept for one key.
    """

    def __init__(self, window_s: float, capacity: int = CAPACITY) -> None:
        self._window_s = window_s
        self._capacity = capacity
        self._keys: dict[str, _Memory] = {}
        self._lock = threading.Lock()

    def first(self, key: str, nonce: str, date: float, now: float) -> bool:
        """Remember a nonce; whether it is the first of its kind.

        Args:
            key: the access key; each has a memory of its own.
            nonce: what the client made up.
            date: the request's own date, UNIX seconds.
            now: UNIX seconds.
        """
        with self._lock:
            memory = self._keys.setdefault(key, _Memory())
            while memory.queue and memory.queue[0][0] < now - self._window_s:
                memory.known.discard(heapq.heappop(memory.queue)[1])
            if nonce in memory.known or date <= memory.floor:
                return False
            memory.known.add(nonce)
            heapq.heappush(memory.queue, (date, nonce))
            if len(memory.queue) > self._capacity:
                memory.floor, gone = heapq.heappop(memory.queue)
                memory.known.discard(gone)
            return True


class _Memory:
    def __init__(self) -> None:
        self.known: set[str] = set()
        self.queue: list[tuple[float, str]] = []
        self.floor = float("-inf")
