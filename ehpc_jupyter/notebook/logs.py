"""A job's output: bytes on the cluster, fetched in pieces, text in the notebook."""

from __future__ import annotations

import base64
import codecs
from typing import TYPE_CHECKING, Literal

from ehpc_jupyter.models.actions import GetJobLogRequest

if TYPE_CHECKING:
    from ehpc_jupyter.notebook.client import Client

LogName = Literal["stdout", "stderr"]

#: The most that one answer holds, bytes.
PAGE_BYTES = 1_048_576
#: The most that ``Job.stdout`` fetches unless told otherwise, bytes.
DEFAULT_LIMIT_BYTES = 16 * PAGE_BYTES
_TAIL_BYTES = 65_536


class JobLog:
    """One of a job's two outputs.

    Args:
        client: who fetches it.
        cluster: the job's cluster.
        job_id: the job's id.
        name: which output.
        task: the index of an array's task; None for a job without tasks.
    """

    def __init__(self, client: Client, cluster: str, job_id: str, name: LogName, task: int | None = None) -> None:
        self._client = client
        self._request = GetJobLogRequest.from_wire(
            {"ClusterId": cluster, "JobId": job_id, "LogType": name, "TaskId": task, "Size": PAGE_BYTES}
        )
        self._name = name

    def read(self, offset: int, size: int) -> tuple[bytes, int]:
        """Bytes from ``offset`` on, at most ``size``, and the size of the whole; no bytes while there is no file."""
        answer = self._client.log(self._request.model_copy(update={"offset": offset, "size": size}))
        text, total = (
            (answer.stdout_log, answer.stdout_log_size)
            if self._name == "stdout"
            else (answer.stderr_log, answer.stderr_log_size)
        )
        data = base64.b64decode(text or "")
        return data, offset + len(data) if total is None else total

    def text(self, limit_bytes: int = DEFAULT_LIMIT_BYTES) -> str:
        """The whole output; of one larger than the limit, its end, after a line that says what is left out."""
        first, total = self.read(0, min(PAGE_BYTES, limit_bytes))
        left_out = max(0, total - limit_bytes)
        parts = [] if left_out else [first]
        position = left_out if left_out else len(first)
        while 0 < position < total:
            piece, _ = self.read(position, min(PAGE_BYTES, total - position))
            if not piece:  # the file became shorter: a job that truncates its own output
                break
            parts.append(piece)
            position += len(piece)
        note = f"[{left_out:,} bytes before this are left out; limit_bytes= fetches more]\n" if left_out else ""
        return note + _text(b"".join(parts))

    def tail(self, lines: int) -> str:
        """The last lines, out of at most the last 64 KiB."""
        data, total = self.read(0, _TAIL_BYTES)
        if total > len(data):
            data, _ = self.read(max(0, total - _TAIL_BYTES), _TAIL_BYTES)
        # Not splitlines: a bar that a program draws over and over in one line is one line.
        found = [line.removesuffix("\r") for line in _text(data).removesuffix("\n").split("\n")]
        return "\n".join(found[-lines:]) if lines > 0 else ""


class Follower:
    """Reads what is new in an output, again and again.

    Args:
        log: the output.
        limit_bytes: where to stop, with a line that says so; None for never.
    """

    def __init__(self, log: JobLog, limit_bytes: int | None = None) -> None:
        self._log = log
        self._limit = limit_bytes
        self._offset = 0
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")

    def new(self) -> str:
        """What was written since the last call, at most a page; empty when there is nothing new."""
        if self._limit is None:
            data, _ = self._log.read(self._offset, PAGE_BYTES)
            self._offset += len(data)
            return self._decoder.decode(data)
        left = self._limit - self._offset
        if left < 0:
            return ""
        # One byte more than is shown tells whether there is more.
        data, _ = self._log.read(self._offset, min(PAGE_BYTES, left + 1))
        self._offset += len(data)
        text = self._decoder.decode(data[:left])
        if len(data) <= left:
            return text
        return f"{text}\n[the output goes on; the job's stdout() has all of it]\n"


def _text(data: bytes) -> str:
    return data.decode("utf-8", errors="replace")
