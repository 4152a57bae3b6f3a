"""Changes of jobs as Jupyter's events, which every open page hears."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Any

from ehpc_jupyter.models.job import JobDetail

if TYPE_CHECKING:
    from collections.abc import Callable

    from tornado.ioloop import IOLoop

log = logging.getLogger(__name__)

#: Every change of a job goes out under this schema; its data is ``JobDetail`` in wire names.
EVENT_SCHEMA = "urn:ehpc-jupyter:event:job:v1"
#: How long the loop may be busy with events at once, and how long it then sees to everything else, seconds.
_SLICE_S, _REST_S = 0.004, 0.004


class Publisher:
    """Hands changed jobs on, in the loop's thread and a few at a time: 10,000 may change at once, when a cluster does not answer.

    Of a job that changed twice meanwhile, the last change goes out.

    Args:
        loop: says which is Jupyter's.
        emit: hands one on; called in the loop's thread.
    """

    def __init__(self, loop: Callable[[], IOLoop], emit: Callable[[dict[str, Any]], object]) -> None:
        self._loop = loop
        self._emit = emit
        self._lock = threading.Lock()
        self._waiting: dict[str, JobDetail] = {}
        self._at_work = False

    def publish(self, detail: JobDetail) -> None:
        """A job changed; may be called from any thread."""
        with self._lock:
            self._waiting[detail.request_id] = detail
            idle, self._at_work = not self._at_work, True
        if idle:
            # The one call of the loop's that any thread may make.
            self._loop().add_callback(self._some)

    def _some(self) -> None:
        until = time.monotonic() + _SLICE_S
        while detail := self._next():
            try:
                self._emit(detail.to_wire())
            except Exception:  # one that Jupyter does not take must not keep the others
                log.exception("the event of job %s", detail.job_id)
            if time.monotonic() > until:
                self._loop().call_later(_REST_S, self._some)
                return

    def _next(self) -> JobDetail | None:
        with self._lock:
            self._at_work = bool(self._waiting)
            return self._waiting.pop(next(iter(self._waiting))) if self._waiting else None


def event_schema() -> dict[str, Any]:
    """The event's schema: the model's own, as jupyter-events wants it."""
    schema = JobDetail.model_json_schema(by_alias=True)
    return {**schema, "$id": EVENT_SCHEMA, "version": "1", "title": "Job changed", "personal-data": True}
