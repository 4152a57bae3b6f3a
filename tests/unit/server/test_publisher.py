"""Ten thousand things to tell at once hold up nobody else on the loop."""

from __future__ import annotations

import asyncio
import threading
import time

from tornado.ioloop import IOLoop

from ehpc_jupyter.server.publisher import Publisher

COUNT = 300


def test_the_loop_has_its_turn_between_and_the_order_is_kept():
    told, turns = [], []

    def emit(number):
        begun = time.perf_counter()
        while time.perf_counter() - begun < 0.0005:
            pass
        told.append(number)

    async def main():
        publisher = Publisher(IOLoop.current(), emit)
        thread = threading.Thread(target=lambda: [publisher.put(number) for number in range(COUNT)])
        thread.start()
        while len(told) < COUNT:
            turns.append(len(told))
            await asyncio.sleep(0)
        thread.join()

    asyncio.run(asyncio.wait_for(main(), 30))
    assert told == list(range(COUNT))
    longest = max(after - before for before, after in zip(turns, [*turns[1:], COUNT], strict=True))
    assert longest < COUNT / 10


def test_one_that_cannot_be_told_keeps_back_no_other(caplog):
    told, last = [], asyncio.Event()

    def emit(number):
        if number == 1:
            raise ValueError("not one of ours")
        told.append(number)
        if number == 3:
            last.set()

    async def main():
        publisher = Publisher(IOLoop.current(), emit)
        for number in range(4):
            publisher.put(number)
        await last.wait()

    asyncio.run(asyncio.wait_for(main(), 10))
    assert told == [0, 2, 3]
    assert "not one of ours" in caplog.text
