"""The server extension over clusters in memory, for what no real cluster does when asked: each row of the error table, 10,000 jobs.

A cluster whose description is an error's code answers that error to everything; any other takes jobs and lets them run.
"""

from __future__ import annotations

import asyncio
import time

from tornado import web

from ehpc_jupyter.errors import TABLE
from ehpc_jupyter.jobs.service import JobService
from ehpc_jupyter.server.base import EhpcHandler
from ehpc_jupyter.server.extension import EhpcExtension
from tests.unit.jobs.fake import FakeCluster

FAULTS = {error.code: error for error in TABLE if error.code not in ("InvalidParams", "ClusterNotFound")}


class Cluster(FakeCluster):
    """See the module."""

    def _fault(self):
        if self.profile.description in FAULTS:
            raise FAULTS[self.profile.description]("told so")

    def submit(self, job):
        self._fault()
        return super().submit(job)

    def stop(self, job_ids, user):
        self._fault()

    def queues(self):
        self._fault()
        return super().queues()

    def nodes(self):
        self._fault()
        return super().nodes()


class StallHandler(EhpcHandler):
    """``GET ehpc/stall``: the event loop's longest stall since the last time somebody asked, seconds."""

    SUPPORTED_METHODS = ("GET",)

    def initialize(self, gate, meter):
        super().initialize(gate)
        self.meter = meter

    @web.authenticated
    async def get(self):
        self.answer({"stall_s": self.meter.longest})
        self.meter.longest = 0.0


class Meter:
    """How late the loop comes to a callback that it promised for now + 1 ms."""

    longest = 0.0

    def start(self):
        self._task = asyncio.ensure_future(self._watch())

    async def _watch(self):
        while True:
            start = time.perf_counter()
            await asyncio.sleep(0.001)
            self.longest = max(self.longest, time.perf_counter() - start - 0.001)


class FakeExtension(EhpcExtension):
    """The extension as it is, but for its clusters."""

    def make_service(self):
        return JobService(self.profiles(), self.store_path(), Cluster)

    def initialize_handlers(self):
        self.meter = Meter()
        self.handlers.append((r"/ehpc/stall", StallHandler, {"gate": self.gate, "meter": self.meter}))
        super().initialize_handlers()

    async def _start_jupyter_server_extension(self, serverapp):
        self.meter.start()
        await super()._start_jupyter_server_extension(serverapp)


def _jupyter_server_extension_points():
    return [{"module": "tests.api.fake", "app": FakeExtension}]
