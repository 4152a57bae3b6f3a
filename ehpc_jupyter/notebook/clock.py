"""Time as the notebook's faces use it, so that tests need not wait."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


@dataclass(frozen=True)
class Clock:
    """Seconds that pass and ways to let them pass.

    Attributes:
        monotonic: seconds since some moment.
        sleep: blocks the calling thread for so many seconds; an interrupt of the kernel ends it.
        asleep: the same for a coroutine.
    """

    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    asleep: Callable[[float], Awaitable[None]] = asyncio.sleep


REAL_TIME = Clock()
