"""The Jupyter server extension: configuration, routes, events."""

from __future__ import annotations

import asyncio
import gc
import sys
from typing import TYPE_CHECKING, Any, cast

from jupyter_server.extension.application import ExtensionApp
from tornado.routing import Rule

from ehpc_jupyter.jobs.actions_table import ACTIONS
from ehpc_jupyter.jobs.service import JobService
from ehpc_jupyter.server import redaction
from ehpc_jupyter.server.base import NotFoundHandler
from ehpc_jupyter.server.events import EVENT_SCHEMA, Publisher, event_schema
from ehpc_jupyter.server.files import ContentsHandler
from ehpc_jupyter.server.gate import JUPYTER_KEY, Gate
from ehpc_jupyter.server.handlers import ActionHandler, DocsHandler, OpenApiHandler, SchemaHandler
from ehpc_jupyter.server.lanes import Lanes
from ehpc_jupyter.server.limits import Throttle
from ehpc_jupyter.server.options import ServerOptions
from ehpc_jupyter.server.policy import Policy
from ehpc_jupyter.server.root import NamesAction
from ehpc_jupyter.server.signature import Verifier
from ehpc_jupyter.settings import Settings

if TYPE_CHECKING:
    from jupyter_events import EventLogger
    from jupyter_server.serverapp import ServerApp

#: After how long a thread lets the loop go on, seconds; the interpreter's own is 0.005.
SWITCH_S = 0.001
#: What a request's line and headers may hold beyond the largest query, bytes, so that a query above it is read and answered.
ROOM = 256 * 1024


class EhpcExtension(Settings, ServerOptions, ExtensionApp):
    """Run cluster jobs from a notebook."""

    name = "ehpc_jupyter"
    description = "Submit, watch and read cluster jobs: the E-HPC API's CreateJob and the actions around it."

    def __init__(self, **kwargs: Any) -> None:
        redaction.install()  # before Jupyter logs the configuration
        super().__init__(**kwargs)

    def initialize_settings(self) -> None:
        """Make the service; nothing is connected yet."""
        self.service = self.make_service()
        self.lanes = Lanes(self.profiles(), self.threads)
        self.gate = Gate(
            service=self.service,
            lanes=self.lanes,
            verifier=Verifier(self._secret_of),
            policy=Policy(self.policy, ACTIONS, self.profiles()),
            throttle=Throttle(self.rate_limit),
            max_body=self.max_body,
            max_query=self.max_query,
        )
        if (serverapp := self.serverapp) is not None:
            logger: EventLogger = self._event_logger()
            logger.register_event_schema(event_schema())
            publisher = Publisher(
                lambda: serverapp.io_loop, lambda data: logger.emit(schema_id=EVENT_SCHEMA, data=data)
            )
            self.service.subscribe(publisher.publish)
        self.settings["ehpc_service"] = self.service

    def make_service(self) -> JobService:
        """The service, as configured."""
        return JobService(self.profiles(), self.store_path())

    def _secret_of(self, key: str) -> str | None:
        """An access key's secret; Jupyter's token may change while it runs, so it is looked up each time."""
        if key == JUPYTER_KEY:
            return self.serverapp.identity_provider.token if self.serverapp is not None else None
        secret: str | None = self.access_keys.get(key)
        return secret

    async def _start_jupyter_server_extension(self, serverapp: Any) -> None:
        """Called when the event loop runs: take up the jobs of before; take the server's root if told so."""
        if self.root_endpoint:
            # In front of all others: Jupyter itself redirects "/".
            rule = Rule(NamesAction(), ActionHandler, {"gate": self.gate})
            serverapp.web_app.default_router.rules.insert(0, rule)
        if (http_server := getattr(serverapp, "http_server", None)) is not None:
            # Jupyter has no setting for this. Beyond it Tornado closes the connection without a word.
            most = http_server.conn_params.max_header_size
            http_server.conn_params.max_header_size = max(most, self.max_query + ROOM)
        self.lanes.of(None).submit(self.service.start)
        # A thread that computes gives the interpreter back after 5 ms, and the loop needs it anew after every read and write of a
        # socket: two or three such waits are a stall of 10 to 15 ms (measured, with 750 active jobs). After 1 ms it is 5 ms.
        sys.setswitchinterval(min(sys.getswitchinterval(), SWITCH_S))
        # A full collection looks at all that JupyterLab's server imported, and everybody waits: 80 to 110 ms (measured, CPython
        # 3.11). What is alive after start stays alive: it need not be looked at again, and a full collection takes 2 ms.
        gc.collect()
        gc.freeze()
        # So are the jobs that are watched: with 10,000 of them each full collection took 30 to 90 ms. They are in no cycles, and go
        # when they have ended, without the collector.
        self.service.grown = gc.freeze

    def initialize_handlers(self) -> None:
        """The routes, all below ``ehpc/``."""
        shared = {"gate": self.gate}
        self.handlers.extend(
            [
                (r"/ehpc/schema", SchemaHandler, shared),
                (r"/ehpc/openapi\.json", OpenApiHandler, shared),
                (r"/ehpc/docs/?", DocsHandler, shared),
                (r"/ehpc/contents/?(.*)", ContentsHandler, shared),
                (r"/ehpc/?", ActionHandler, shared),
                (r"/ehpc/([A-Za-z0-9_.-]+)", ActionHandler, shared),
                (r"/ehpc(?:/.*)?", NotFoundHandler, shared),
            ]
        )

    def _event_logger(self) -> EventLogger:
        return cast("EventLogger", cast("ServerApp", self.serverapp).event_logger)

    async def stop_extension(self) -> None:
        """Let go of connections and threads; jobs go on."""
        await asyncio.to_thread(self.service.close)
        self.lanes.shutdown()
