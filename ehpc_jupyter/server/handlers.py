"""HTTP: ``POST {base_url}ehpc/<Action>``. One handler for all actions; every failure has the API's shape."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor
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
)
from ehpc_jupyter.jobs.service import ACTIONS, JobService, new_request_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import TypeVar

    T = TypeVar("T")

#: The largest body taken, bytes: a script of several megabytes is a mistake.
MAX_BODY = 4 * 1024 * 1024
#: Actions that change nothing.
READ_ACTIONS = frozenset(name for name in ACTIONS if name.startswith(("List", "Get")))
#: Actions that are answered from the store and ask no cluster.
STORE_ACTIONS = frozenset({"ListClusters", "ListJobs", "GetJob"})


class Lanes:
    """Threads for what waits, apart for each cluster: one that hangs holds up no other's requests.

    Args:
        names: the clusters.
        threads: how many requests may wait for one cluster at once.
    """

    def __init__(self, names: Iterable[str], threads: int) -> None:
        self._own = ThreadPoolExecutor(threads, thread_name_prefix="ehpc")
        self._pools = {name: ThreadPoolExecutor(threads, thread_name_prefix=f"ehpc-{name}") for name in names}

    def of(self, cluster_id: object) -> ThreadPoolExecutor:
        """The threads for a cluster; the common ones where there is no such cluster."""
        return self._pools.get(cluster_id, self._own) if isinstance(cluster_id, str) else self._own

    def shutdown(self) -> None:
        """Take no more work, wait for none."""
        for pool in (self._own, *self._pools.values()):
            pool.shutdown(wait=False, cancel_futures=True)


class EhpcHandler(APIHandler):
    """What all routes share: authentication before anything else, the API's shape of errors, work off the event loop."""

    auth_resource = "ehpc"

    def initialize(self, service: JobService, lanes: Lanes) -> None:
        """Set by the extension's route table.

        Args:
            service: carries out the actions.
            lanes: threads for what waits for a cluster.
        """
        self.service = service
        self.lanes = lanes
        self.request_id = new_request_id()
        self.started = time.perf_counter()

    async def prepare(self, *, _redirect_to_login: Any = False) -> None:
        """Jupyter's own checks (token, XSRF), then the authorizer: ``read`` or ``write`` on ``ehpc``."""
        await super().prepare()
        if self.current_user is None:
            raise web.HTTPError(403, "log in first, or send Jupyter's token in the header Authorization: token …")
        allowed = self.authorizer.is_authorized(self, self.current_user, self.access(), self.auth_resource)
        if asyncio.isfuture(allowed) or asyncio.iscoroutine(allowed):
            allowed = await allowed
        if not allowed:
            raise web.HTTPError(403, f"{self.current_user.username} may not {self.access()} {self.auth_resource}")

    def access(self) -> str:
        """What the authorizer is asked for."""
        return "read"

    async def in_thread(self, work: Callable[[], T], cluster_id: object = None) -> T:
        """Do something that waits, in a thread; in one of the cluster's own, if it may ask the cluster."""
        return await asyncio.get_running_loop().run_in_executor(self.lanes.of(cluster_id), work)

    def answer(self, body: Any, status: int = 200) -> None:
        """Write JSON."""
        self.set_status(status)
        self.set_header("Content-Type", "application/json; charset=utf-8")
        # A lone surrogate has no UTF-8 form, but one as JSON.
        self.finish(json.dumps(body, ensure_ascii=False).encode(errors="backslashreplace"))

    def fail(self, error: EhpcError) -> None:
        """The one place where an error becomes an answer."""
        self.request_id = error.request_id or self.request_id
        body = {
            "RequestId": self.request_id,
            "HostId": self.request.host or socket.gethostname(),
            "Code": error.code,
            "Message": error.message,
            "Recommend": error.recommend,
        }
        self.answer({**body, **self.more_of(error)}, error.http_status)

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

    def log_done(self, action: str, status: int) -> None:
        """One line a request; no field of the request is in it, since one of them is a password."""
        duration = (time.perf_counter() - self.started) * 1000
        self.log.info("ehpc %s %s %d %.0f ms", self.request_id, action, status, duration)


class ActionHandler(EhpcHandler):
    """``POST ehpc/<Action>`` with the request's fields as JSON."""

    # APIHandler's own check refuses cross-site requests; nothing is taken without POST.
    SUPPORTED_METHODS: ClassVar[tuple[str, ...]] = ("POST",)  # type: ignore[misc]

    def access(self) -> str:
        """List and Get read, all others write."""
        return "read" if self.path_args and self.path_args[0] in READ_ACTIONS else "write"

    @web.authenticated
    async def post(self, action: str) -> None:
        """Carry out an action."""
        try:
            body = self._body()
            body["RequestId"] = self.request_id
            asked = None if action in STORE_ACTIONS else body.get("ClusterId")
            answer = await self.in_thread(lambda: self.service.call(action, body), asked)
        except EhpcError as error:
            error.request_id = self.request_id
            self.fail(error)
            self.log_done(action if action in ACTIONS else "?", error.http_status)
            return
        self.answer(answer)
        self.log_done(action, 200)

    def _body(self) -> dict[str, Any]:
        if len(self.request.body) > MAX_BODY:
            problem = f"it has {len(self.request.body)} bytes, {MAX_BODY} are the most; put large input into a file on the cluster"
            raise InvalidParams(Problem("request", problem))
        try:
            body = json.loads(self.request.body or b"{}")
        except (ValueError, RecursionError) as error:
            raise InvalidParams(Problem("request", f"its body is no JSON: {error}")) from None
        if not isinstance(body, dict):
            raise InvalidParams(Problem("request", "its body is no JSON object"))
        return body


class SchemaHandler(EhpcHandler):
    """``GET ehpc/schema``: the JSON schema of every action's request, from which forms are made."""

    SUPPORTED_METHODS: ClassVar[tuple[str, ...]] = ("GET",)  # type: ignore[misc]

    @web.authenticated
    async def get(self) -> None:
        """All of them."""
        self.answer({name: model.model_json_schema(by_alias=True) for name, (model, _) in ACTIONS.items()})


class NotFoundHandler(EhpcHandler):
    """Everything else below ``ehpc/``."""

    async def prepare(self, *, _redirect_to_login: Any = False) -> None:
        """Refuse who is not logged in first: a stranger learns nothing of what is there."""
        await super().prepare()
        raise web.HTTPError(404, f"{self.request.path} is no action; actions are called with POST ehpc/<Action>")
