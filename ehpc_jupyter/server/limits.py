"""How much one user may ask: requests a second, on average over ten seconds."""

from __future__ import annotations

import math
from collections import OrderedDict

from ehpc_jupyter.errors import Throttling

#: A user may save up requests for this long, seconds.
BURST_S = 10.0
#: Users remembered at once; the one who asked longest ago is forgotten, which gives him a full bucket.
USERS = 10_000


class Throttle:
    """A token bucket for each user. Belongs to the event loop's thread.

    Args:
        rate: requests a second; 0 sets no limit.
    """

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, user: str, now: float) -> None:
        """Count one request of a user.

        Args:
            user: whose bucket.
            now: seconds of a monotonic clock.

        Raises:
            Throttling: the bucket is empty.
        """
        if self._rate <= 0:
            return
        most = max(1.0, self._rate * BURST_S)
        left, then = self._buckets.pop(user, (most, now))
        left = min(most, left + (now - then) * self._rate)
        taken = left >= 1
        self._buckets[user] = (left - taken, now)
        if len(self._buckets) > USERS:
            self._buckets.popitem(last=False)
        if not taken:
            wait_ms = math.ceil((1 - left) / self._rate * 1000)
            raise Throttling(f"more than {self._rate:g} requests a second", retry_after_ms=max(1, wait_ms))
