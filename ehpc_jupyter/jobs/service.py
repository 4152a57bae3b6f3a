"""The job service: every action of the API, by name. Synchronous; the server calls it from threads."""

from __future__ import annotations

import atexit
import sqlite3
import threading
import uuid
from typing import TYPE_CHECKING, Any

from ehpc_jupyter.errors import ActionNotFound, EhpcError, InvalidParams, Problem, ServiceUnavailable
from ehpc_jupyter.jobs.actions_table import ACTIONS
from ehpc_jupyter.jobs.sites import Sites
from ehpc_jupyter.models.suggest import did_you_mean
from ehpc_jupyter.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Mapping

_OWN: list[JobService] = []
_OWN_LOCK = threading.Lock()


class JobService(Sites):
    """All actions over all configured clusters."""

    @classmethod
    def from_config(cls) -> JobService:
        """This process's one service, as Jupyter's configuration files say: for a kernel without a server."""
        with _OWN_LOCK:
            if not _OWN:
                settings = load_settings()
                service = cls(settings.profiles(), settings.store_path())
                service.start()
                atexit.register(service.close)
                _OWN.append(service)
            return _OWN[0]

    def call(self, action: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Carry out an action, JSON in and out, wire names. The answer has a ``RequestId``.

        Raises:
            EhpcError: with ``request_id`` set.
        """
        request_id = str(body.get("RequestId") or new_request_id()) if isinstance(body, dict) else new_request_id()
        try:
            if action not in ACTIONS:
                raise ActionNotFound(f"{action!r}{did_you_mean(action, ACTIONS)}")
            row = ACTIONS[action]
            if not isinstance(body, dict):
                raise InvalidParams(Problem("request", "it is no JSON object"))
            request = row.request.from_wire({name: value for name, value in body.items() if name != "RequestId"})
            answer = row.method(self, request)
        except EhpcError as error:
            error.request_id = error.request_id or request_id
            raise
        except sqlite3.Error as error:
            failure = ServiceUnavailable(f"the database of jobs, {self.store.path}: {error}")
            failure.request_id = request_id
            raise failure from None
        return answer.model_copy(update={"request_id": request_id}).to_wire()


def new_request_id() -> str:
    """A request id as the API writes them: an upper-case UUID."""
    return str(uuid.uuid4()).upper()
