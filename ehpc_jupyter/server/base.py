"""What all routes share: who asks is known before anything else is said, failures have the API's shape, work is off the loop."""

from __future__ import annotations

import asyncio
import hashlib
import http.client
import inspect
import json
import socket
import time
from typing import TYPE_CHECKING, Any, ClassVar

from jupyter_server.base.handlers import APIHandler
from tornado import web

from ehpc_jupyter.errors import (
    ActionNotFound,
    EhpcError,
    Forbidden,
    InternalError,
    InvalidParams,
    MethodNotAllowed,
    Problem,
    Throttling,
)
from ehpc_jupyter.jobs.service import new_request_id
from ehpc_jupyter.server.gate import JUPYTER_KEY, Gate, KeyIdentity
from ehpc_jupyter.server.parameters import check_size, is_form
from ehpc_jupyter.server.signature import Sent

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from jupyter_server.auth import IdentityProvider

    T = TypeVar("T")


class EhpcHandler(APIHandler):
    """Base of all handlers.

    Attributes:
        what: the request's name in the log.
    """

    auth_resource = "ehpc"
    what = "?"
    _key: str | None = None

    def initialize(self, gate: Gate) -> None:
        """Set by the extension's route table."""
        self.gate = gate
        self.service = gate.service
        self.request_id = new_request_id()
        self.started = time.perf_counter()
        headers = {name.lower(): value for name, value in self.request.headers.items()}
        body = self.request.body
        form = is_form(headers.get("content-type", ""), body)
        self.sent = Sent(str(self.request.method), self.request.path, self.request.query, headers, body, form)

    async def prepare(self, *, _redirect_to_login: Any = False) -> None:
        """Size, signature, Jupyter's own checks (token, XSRF), the rate, the authorizer: ``read`` or ``write`` on ``ehpc``."""
        check_size(self.sent, self.gate.max_body, self.gate.max_query)
        self._exchange_credentials()
        await super().prepare()
        if self.current_user is None:
            raise web.HTTPError(403, "log in first, or send Jupyter's token in the header Authorization: token …")
        self.gate.throttle.take(self._who(), time.monotonic())
        self.look()
        if not await self._is_authorized():
            raise web.HTTPError(403, f"{self.current_user.username} may not {self.access()} {self.auth_resource}")

    def _exchange_credentials(self) -> None:
        """What proves to know Jupyter's token is shown to Jupyter's identity provider as that token.

        So its users, and with JupyterHub the Hub's, are those that the authorizer sees. A key of the configuration is a user
        of its own.
        """
        if self.request.method == "OPTIONS":
            return
        headers = self.request.headers
        bearer = headers.get("x-acs-bearer-token") or self.get_query_argument("BearerToken", "")
        key = self.gate.verifier.signer(self.sent, time.time())
        if key == JUPYTER_KEY:
            headers["Authorization"] = f"token {self.token}"
        elif key is not None:
            self._key = key
        elif bearer and "Authorization" not in headers:
            headers["Authorization"] = f"token {bearer}"

    @property
    def identity_provider(self) -> IdentityProvider:
        """Jupyter's, or the access key's."""
        return super().identity_provider if self._key is None else KeyIdentity(self._key)

    def _who(self) -> str:
        # With a plain token every request without a cookie is another anonymous user: the token is who asks.
        if self._key is None and self.token_authenticated and (token := self.identity_provider.get_token(self)):
            return f"token {hashlib.sha256(token.encode()).hexdigest()}"
        return f"user {self.current_user.username}"

    async def _is_authorized(self) -> bool:
        try:
            allowed = self.authorizer.is_authorized(self, self.current_user, self.access(), self.auth_resource)
            return bool(await allowed if inspect.isawaitable(allowed) else allowed)
        except Exception as error:
            if self._key is None:
                raise
            # JupyterHub's reads what the Hub said of a user, and a key is none of the Hub's.
            judge = type(self.authorizer).__name__
            self.log.warning("ehpc: %s cannot judge the access key %s: %r", judge, self._key, error)
            raise web.HTTPError(403, f"{judge} knows no access keys; send one of its own users' tokens") from None

    def look(self) -> None:
        """Read as much of the request as ``access`` needs."""

    def access(self) -> str:
        """What the authorizer is asked for."""
        return "read"

    async def in_thread(self, work: Callable[[], T], cluster_id: object = None) -> T:
        """Do something that waits, in a thread; in one of the cluster's own, if it may ask the cluster."""
        return await asyncio.get_running_loop().run_in_executor(self.gate.lanes.of(cluster_id), work)

    def answer(self, body: Any, status: int = 200) -> None:
        """Write JSON; a body that was made by ``encoded`` in a thread is written as it is."""
        self.set_status(status)
        self.set_header("Content-Type", "application/json; charset=utf-8")
        self.finish(body if isinstance(body, bytes) else encoded(body))

    def fail(self, error: EhpcError) -> None:
        """The one place where an error becomes an answer."""
        self.request_id = error.request_id or self.request_id
        if isinstance(error, Throttling):
            self.set_header("x-acs-retry-after", str(error.retry_after_ms))
        if isinstance(error, MethodNotAllowed):
            self.set_header("Allow", ", ".join(self.methods()))
        body = {
            "RequestId": self.request_id,
            "HostId": self.request.host or socket.gethostname(),
            "Code": error.code,
            "Message": error.message,
            "Recommend": error.recommend,
        }
        self.answer({**body, **self.more_of(error)}, error.http_status)

    def methods(self) -> tuple[str, ...]:
        """The HTTP methods that this path takes."""
        return self.SUPPORTED_METHODS

    def more_of(self, error: EhpcError) -> dict[str, str]:
        """What else a failure's body holds: nothing, in the API."""
        return {}

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """What was raised anywhere, Jupyter's own refusals included, in the API's shape."""
        exception = kwargs.get("exc_info", (None, None, None))[1]
        self.clear()
        if isinstance(exception, EhpcError):
            self.fail(exception)
            return
        words = getattr(exception, "log_message", None) or http.client.responses.get(status_code, "")
        kinds: dict[int, type[EhpcError]] = {403: Forbidden, 404: ActionNotFound}
        if status_code == 400:
            self.fail(InvalidParams(Problem("request", str(words))))
        elif status_code == 405:
            self.fail(MethodNotAllowed(f"{self.request.method} of {self.request.path}; actions are called with POST"))
        elif status_code in kinds:
            self.fail(kinds[status_code](str(words)))
        else:
            self.fail(InternalError(f"the server's log has more beside request {self.request_id}"))
            self.set_status(status_code)

    def log_exception(self, kind: Any, value: BaseException | None, trace: Any) -> None:
        """An error that is an answer is no fault of the server: no traceback."""
        if not isinstance(value, EhpcError):
            super().log_exception(kind, value, trace)

    def on_finish(self) -> None:
        """One line a request; no field of the request is in it, since one of them is a password."""
        duration = (time.perf_counter() - self.started) * 1000
        self.log.info("ehpc %s %s %d %.0f ms", self.request_id, self.what, self.get_status(), duration)
        super().on_finish()


def encoded(body: Any) -> bytes:
    """JSON in UTF-8. A page of jobs takes the loop a millisecond or two: it is made in the thread that has the answer."""
    # A lone surrogate has no UTF-8 form, but one as JSON.
    return json.dumps(body, ensure_ascii=False).encode(errors="backslashreplace")


class NotFoundHandler(EhpcHandler):
    """Everything else below ``ehpc/``."""

    SUPPORTED_METHODS: ClassVar[tuple[str, ...]] = ("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS")  # type: ignore[misc]

    async def prepare(self, *, _redirect_to_login: Any = False) -> None:
        """Refuse who is not logged in first: a stranger learns nothing of what is there."""
        await super().prepare()
        raise web.HTTPError(404, f"{self.request.path} is no action; actions are called with POST ehpc/<Action>")
