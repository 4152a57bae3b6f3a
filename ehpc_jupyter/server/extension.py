"""The Jupyter server extension: configuration, routes, events."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

from jupyter_server.extension.application import ExtensionApp
from traitlets import Int

from ehpc_jupyter.jobs.service import JobService
from ehpc_jupyter.models.job import JobDetail
from ehpc_jupyter.server.files import ContentsHandler
from ehpc_jupyter.server.handlers import ActionHandler, Lanes, NotFoundHandler, SchemaHandler
from ehpc_jupyter.settings import Settings

if TYPE_CHECKING:
    from jupyter_events import EventLogger
    from jupyter_server.serverapp import ServerApp

#: Every change of a job goes out under this schema; its data is ``JobDetail`` in wire names.
EVENT_SCHEMA = "urn:ehpc-jupyter:event:job:v1"


class EhpcExtension(Settings, ExtensionApp):
    """Run cluster jobs from a notebook."""

    name = "ehpc_jupyter"
    description = "Submit, watch and read cluster jobs: the E-HPC API's CreateJob and the actions around it."

    threads = Int(
        32,
        min=4,
        help="How many requests may wait for one cluster at once. A cluster that hangs holds one thread a request.",
    ).tag(config=True)

    def initialize_settings(self) -> None:
        """Make the service; nothing is connected yet."""
        self.service = JobService(self.profiles(), self.store_path())
        self.lanes = Lanes(self.profiles(), self.threads)
        if self.serverapp is not None:
            logger: EventLogger = self._event_logger()
            logger.register_event_schema(event_schema())
            self.service.subscribe(self._publish)
        self.settings["ehpc_service"] = self.service

    async def _start_jupyter_server_extension(self, serverapp: Any) -> None:
        """Called when the event loop runs: take up the jobs of before."""
        self.lanes.of(None).submit(self.service.start)

    def initialize_handlers(self) -> None:
        """The routes, all below ``ehpc/``."""
        shared = {"service": self.service, "lanes": self.lanes}
        self.handlers.extend(
            [
                (r"/ehpc/schema", SchemaHandler, shared),
                (r"/ehpc/contents/?(.*)", ContentsHandler, shared),
                (r"/ehpc/([A-Za-z0-9_.-]+)", ActionHandler, shared),
                (r"/ehpc(?:/.*)?", NotFoundHandler, shared),
            ]
        )

    def _publish(self, detail: JobDetail) -> None:
        serverapp, data = self.serverapp, detail.to_wire()
        if serverapp is None:
            return
        logger = self._event_logger()
        # The event logger belongs to the loop's thread; add_callback is the one call that any thread may make.
        serverapp.io_loop.add_callback(lambda: logger.emit(schema_id=EVENT_SCHEMA, data=data))

    def _event_logger(self) -> EventLogger:
        return cast("EventLogger", cast("ServerApp", self.serverapp).event_logger)

    async def stop_extension(self) -> None:
        """Let go of connections and threads; jobs go on."""
        await asyncio.to_thread(self.service.close)
        self.lanes.shutdown()


def event_schema() -> dict[str, Any]:
    """The event's schema: the model's own, as jupyter-events wants it."""
    schema = JobDetail.model_json_schema(by_alias=True)
    return {**schema, "$id": EVENT_SCHEMA, "version": "1", "title": "Job changed", "personal-data": True}
