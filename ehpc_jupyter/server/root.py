"""The API at the server's root ``/``, for clients that cannot name a path: the official SDK, unmodified."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tornado.routing import Matcher

from ehpc_jupyter.server.signature import parameters

if TYPE_CHECKING:
    from tornado.httputil import HTTPServerRequest


class NamesAction(Matcher):
    """``/`` with the header ``x-acs-action`` or the parameter ``Action``: everything else at ``/`` is Jupyter's."""

    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        """Tornado's way to say yes is an empty dictionary."""
        if request.path != "/":
            return None
        named = "x-acs-action" in request.headers or any(name == "Action" for name, _ in parameters(request.query))
        return {} if named else None
