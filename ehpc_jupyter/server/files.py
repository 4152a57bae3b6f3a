"""A job's files in the shape of Jupyter's contents API, so that Lab opens them in its own tabs. Read only.

``<cluster>/<job id>`` is the job's folder; in it ``stdout``, ``stderr`` (``stdout.3`` for a task), wherever they lie, and
the folder's own files. A path leads nowhere else: names with a slash or ``..`` do not exist.
"""

from __future__ import annotations

import base64
import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from tornado import web

from ehpc_jupyter.errors import EhpcError, JobNotFound
from ehpc_jupyter.models.values import ArrayRange
from ehpc_jupyter.schedulers.base import expand_path
from ehpc_jupyter.server.base import EhpcHandler, encoded
from ehpc_jupyter.transport.base import FileInfo, NoSuchFile

if TYPE_CHECKING:
    from ehpc_jupyter.clusters.base import Cluster
    from ehpc_jupyter.jobs.service import JobService
    from ehpc_jupyter.jobs.store import StoredJob

#: The most of a file that is opened in a tab, bytes; of a longer one the end is shown.
MAX_FILE = 5 * 1024 * 1024


class ContentsHandler(EhpcHandler):
    """``GET ehpc/contents/<cluster>/<job id>[/<file>]``."""

    SUPPORTED_METHODS: ClassVar[tuple[str, ...]] = ("GET", "OPTIONS")  # type: ignore[misc]
    what = "contents"

    def more_of(self, error: EhpcError) -> dict[str, str]:
        """Lab's own dialogs read the contents API's ``message``."""
        return {"message": error.message}

    @web.authenticated
    async def get(self, path: str) -> None:
        """A folder's listing or a file; who may not read logs may not read them so."""
        self.gate.policy.check("GetJobLog", [path.strip("/").partition("/")[0]])
        if path.rstrip("/").endswith("/checkpoints"):
            self.answer([])
            return
        content = self.get_query_argument("content", "1") != "0"
        work = self.in_thread(
            lambda: encoded(contents_model(self.service, path, content=content)), path.strip("/").partition("/")[0]
        )
        self.answer(await work)


def contents_model(service: JobService, path: str, *, content: bool) -> dict[str, Any]:
    """The contents API's model of a path.

    Args:
        service: knows the jobs.
        path: below the drive's root.
        content: whether the file's text is wanted, too.

    Raises:
        JobNotFound: the path names no job, or no file of it.
    """
    cluster_id, _, rest = path.strip("/").partition("/")
    job_id, _, name = rest.partition("/")
    if not job_id or "/" in name or "\0" in name or name in (".", ".."):
        raise JobNotFound(f"{path!r} is no file of a job; the form is <cluster>/<job id>/<file>")
    job, cluster = service.job_files(cluster_id, job_id)
    base = f"{cluster_id}/{job_id}"
    try:
        if not name:
            return _folder(job, cluster, base)
        return _file(job, cluster, f"{base}/{name}", name, content=content)
    except NoSuchFile as error:
        raise JobNotFound(f"{error.detail} (the job may not have started yet)") from None


def _output(job: StoredJob, name: str) -> str | None:
    """Where ``stdout``, ``stderr.3`` … of a job lie."""
    kind, _, task = name.partition(".")
    path = {"stdout": job.detail.stdout_path, "stderr": job.detail.stderr_path}.get(kind)
    if path is None or (task and not task.isdecimal()):
        return None
    if not job.detail.array_request:
        return None if task else path
    tasks = ArrayRange.parse(job.detail.array_request)
    return expand_path(path, str(job.detail.job_id), int(task) if task else tasks.first)


def _folder(job: StoredJob, cluster: Cluster, base: str) -> dict[str, Any]:
    found = cluster.list(str(job.detail.folder), job.login_user)
    items = {info.name: _model(f"{base}/{info.name}", info) for info in found if not info.is_folder}
    for name in ("stdout", "stderr"):
        if name not in items and not job.detail.array_request:
            items[name] = _model(f"{base}/{name}", FileInfo(name, 0, 0, is_folder=False))
    folder = _model(base, FileInfo(base.rpartition("/")[2], 0, 0, is_folder=True))
    return {**folder, "content": [items[name] for name in sorted(items)], "format": "json"}


def _file(job: StoredJob, cluster: Cluster, path: str, name: str, *, content: bool) -> dict[str, Any]:
    place = _output(job, name) or f"{job.detail.folder}/{name}"
    data, size = cluster.read(place, job.login_user, 0, 0)
    model = _model(path, FileInfo(name, size, 0, is_folder=False))
    if not content:
        return model
    data, size = cluster.read(place, job.login_user, max(0, size - MAX_FILE), MAX_FILE)
    text = data.decode(errors="replace")
    if size > MAX_FILE:
        text = f"[the last {MAX_FILE} of {size} bytes]\n" + text
    if b"\0" in data:
        return {
            **model,
            "content": base64.b64encode(data).decode(),
            "format": "base64",
            "mimetype": "application/octet-stream",
        }
    return {**model, "content": text, "format": "text", "mimetype": "text/plain"}


def _model(path: str, info: FileInfo) -> dict[str, Any]:
    when = datetime.datetime.fromtimestamp(info.modified, datetime.timezone.utc).isoformat()
    return {
        "name": info.name,
        "path": path,
        "type": "directory" if info.is_folder else "file",
        "size": None if info.is_folder else info.size,
        "created": when,
        "last_modified": when,
        "writable": False,
        "content": None,
        "format": None,
        "mimetype": None,
    }
