"""Hears a server's events."""

from __future__ import annotations

import asyncio
import json
import threading
import time

from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect


class Ear:
    """Hears all changes of jobs, as the panel does; ``heard`` is when, UNIX seconds."""

    def __init__(self, server):
        self.server = server
        self.heard = []
        self.ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self.ready.wait(20)

    def _run(self):
        self._task = self._loop.create_task(self._listen())
        try:
            self._loop.run_until_complete(self._task)
        except asyncio.CancelledError:
            pass
        finally:
            self._loop.close()

    async def _listen(self):
        url = f"ws://127.0.0.1:{self.server.port}/api/events/subscribe"
        socket = await websocket_connect(HTTPRequest(url, headers={"Authorization": f"token {self.server.token}"}))
        self.ready.set()
        try:
            while (message := await socket.read_message()) is not None:
                event = json.loads(message)
                if "JobName" in event:
                    self.heard.append({**event, "heard": time.time()})
        finally:
            socket.close()

    def states(self, request_id):
        return [event["State"] for event in self.heard if event["RequestId"] == request_id]

    def close(self):
        self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join(10)
