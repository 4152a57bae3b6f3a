"""HTTP: ``{base_url}ehpc/<Action>`` with JSON, ``{base_url}ehpc`` in the API's RPC style; one handler for all actions."""

from __future__ import annotations

import json
from typing import ClassVar

from tornado import web

from ehpc_jupyter.errors import MethodNotAllowed
from ehpc_jupyter.jobs.actions_table import ACTIONS
from ehpc_jupyter.server import openapi, page
from ehpc_jupyter.server.base import EhpcHandler, encoded
from ehpc_jupyter.server.lanes import STORE_ACTIONS
from ehpc_jupyter.server.parameters import GET_ACTIONS, action_of, fields_of


class ActionHandler(EhpcHandler):
    """An action, however it is called."""

    SUPPORTED_METHODS: ClassVar[tuple[str, ...]] = ("POST", "GET", "OPTIONS")  # type: ignore[misc]
    action = ""

    def look(self) -> None:
        """Which action it is, from path, header or parameter."""
        self.action = action_of(self.sent, self.path_args[0] if self.path_args else None)
        if self.action in ACTIONS:
            self.what = self.action
        if self.request.method not in self.methods():
            raise MethodNotAllowed(f"{self.request.method} of {self.action}; it is called with POST")

    def methods(self) -> tuple[str, ...]:
        """POST, and GET where the API's pages say so."""
        return ("POST", "GET") if self.action in GET_ACTIONS else ("POST",)

    def access(self) -> str:
        """As the table of actions says; ``list`` is a way to read."""
        return "read" if self.action in ACTIONS and ACTIONS[self.action].access != "write" else "write"

    @web.authenticated
    async def post(self, _path_action: str = "") -> None:
        """Carry out an action."""
        await self._carry_out()

    @web.authenticated
    async def get(self, _path_action: str = "") -> None:
        """The same, for the actions that take GET."""
        await self._carry_out()

    async def _carry_out(self) -> None:
        fields = fields_of(self.sent)
        # Models take Python names, too: whichever of the two the service will read must not be denied.
        self.gate.policy.check(self.action, [fields.get("ClusterId"), fields.get("cluster_id")])
        fields["RequestId"] = self.request_id
        asked = None if self.action in STORE_ACTIONS else fields.get("ClusterId")
        self.answer(await self.in_thread(lambda: encoded(self.service.call(self.action, fields)), asked))


class SchemaHandler(EhpcHandler):
    """``GET ehpc/schema``: the JSON schema of every action's request, from which forms are made."""

    SUPPORTED_METHODS: ClassVar[tuple[str, ...]] = ("GET", "OPTIONS")  # type: ignore[misc]
    what = "schema"

    @web.authenticated
    async def get(self) -> None:
        """All of them."""
        self.answer({name: action.request.model_json_schema(by_alias=True) for name, action in ACTIONS.items()})


class OpenApiHandler(EhpcHandler):
    """``GET ehpc/openapi.json``."""

    SUPPORTED_METHODS: ClassVar[tuple[str, ...]] = ("GET", "OPTIONS")  # type: ignore[misc]
    what = "openapi.json"

    @web.authenticated
    async def get(self) -> None:
        """OpenAPI 3.1."""
        server = f"{self.request.protocol}://{self.request.host}{self.base_url}ehpc"
        self.finish(json.dumps(openapi.document(list(self.service.profiles), server), indent=2))


class DocsHandler(EhpcHandler):
    """``GET ehpc/docs``: the same for people, one page without scripts and without anything from elsewhere."""

    SUPPORTED_METHODS: ClassVar[tuple[str, ...]] = ("GET", "OPTIONS")  # type: ignore[misc]
    what = "docs"

    @property
    def content_security_policy(self) -> str:
        """As all answers of an API, and the page's own style by its hash."""
        return f"{super().content_security_policy}; style-src {page.STYLE_HASH}"

    @web.authenticated
    async def get(self) -> None:
        """HTML."""
        server = f"{self.request.protocol}://{self.request.host}{self.base_url}ehpc"
        text = page.render(openapi.document(list(self.service.profiles), server), self.get_query_argument("theme", ""))
        self.finish(text, set_content_type="text/html; charset=utf-8")
