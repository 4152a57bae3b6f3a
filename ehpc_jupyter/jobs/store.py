"""What was asked and what became of it, in SQLite: the intent before anything is sent, the job, every change of state.

Several processes may use one file at once (two Jupyter servers, a kernel without one): WAL, short transactions.
A password is never in it: ``JobSpec`` does not write one.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ehpc_jupyter.jobs.listing import chosen, ordered
from ehpc_jupyter.jobs.schema import SCHEMAS
from ehpc_jupyter.jobs.templates import TemplateTable
from ehpc_jupyter.models.actions import JobEvent
from ehpc_jupyter.models.job import JobDetail
from ehpc_jupyter.schedulers.nodes import names_node

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ehpc_jupyter.models.actions import JobFilter

#: How long one process waits for another's transaction, seconds.
_PATIENCE_S = 30
_COLUMNS = "request_id, cluster_id, client_token, login_user, request, detail"


@dataclass(frozen=True)
class StoredJob:
    """A row.

    Attributes:
        detail: as last known.
        request: the CreateJob request, wire names, without secrets.
        client_token: the caller's.
        login_user: the account whose connection and folder the job has; empty for the profile's own.
    """

    detail: JobDetail
    request: dict[str, Any]
    client_token: str | None
    login_user: str

    @property
    def cluster_id(self) -> str:
        """The cluster's name."""
        return self.detail.cluster_id

    @property
    def request_id(self) -> str:
        """The request that made the job."""
        return self.detail.request_id


class DuplicateToken(Exception):
    """A request with this client token is already there."""


class JobStore:
    """The store. Safe to use from several threads.

    Args:
        path: the file; its folder is made if need be, readable by nobody else.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.path = path
        self._lock = threading.RLock()
        self._db = sqlite3.connect(path, timeout=_PATIENCE_S, check_same_thread=False, isolation_level=None)
        path.chmod(0o600)
        _write_ahead(self._db)
        self._db.execute("PRAGMA synchronous = NORMAL")
        # Many jobs have the same list of nodes.
        self._db.create_function("names_node", 2, lru_cache(10_000)(names_node), deterministic=True)
        self._migrate()
        self.templates = TemplateTable(self._db, self._lock)

    def _migrate(self) -> None:
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            (version,) = self._db.execute("PRAGMA user_version").fetchone()
            for schema in SCHEMAS[version:]:
                for statement in schema.split(";"):
                    self._db.execute(statement)
            self._db.execute(f"PRAGMA user_version = {max(version, len(SCHEMAS))}")
            self._db.execute("COMMIT")

    def add(self, job: StoredJob) -> None:
        """Store an intent, before anything is sent. Raises DuplicateToken."""
        detail = job.detail
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                self._db.execute(
                    "INSERT INTO jobs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (
                        detail.request_id,
                        detail.cluster_id,
                        detail.job_id,
                        job.client_token,
                        job.login_user,
                        detail.job_name,
                        detail.queue,
                        detail.state.value,
                        detail.is_final,
                        detail.submit_time or int(time.time()),
                        json.dumps(job.request, ensure_ascii=False),
                        _text(detail),
                    ),
                )
                self._note(detail, "request")
            except sqlite3.IntegrityError:
                self._db.execute("ROLLBACK")
                raise DuplicateToken(job.client_token) from None
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def update(self, detail: JobDetail, source: str) -> bool:
        """Store what is now known of a job.

        Args:
            detail: all of it.
            source: who said so: ``submit``, ``queue``, ``history``, ``folder``.

        Returns:
            whether it was stored: what another process learnt of a job's end is not undone by an older answer.
        """
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                row = self._db.execute(
                    "SELECT state, is_final FROM jobs WHERE request_id = ?", (detail.request_id,)
                ).fetchone()
                if row is None or (row[1] and not detail.is_final and source != "submit"):
                    self._db.execute("ROLLBACK")
                    return False
                self._db.execute(
                    "UPDATE jobs SET job_id = ?, job_name = ?, queue = ?, state = ?, is_final = ?, detail = ?"
                    " WHERE request_id = ?",
                    (
                        detail.job_id,
                        detail.job_name,
                        detail.queue,
                        detail.state.value,
                        detail.is_final,
                        _text(detail),
                        detail.request_id,
                    ),
                )
                if row[0] != detail.state.value:
                    self._note(detail, source)
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")
            return True

    def _note(self, detail: JobDetail, source: str) -> None:
        self._db.execute(
            "INSERT INTO history VALUES (?, ?, ?, ?, ?)",
            (detail.request_id, int(time.time()), detail.state.value, source, detail.reason),
        )

    def events(self, request_id: str) -> list[JobEvent]:
        """All changes of a job's state, oldest first."""
        with self._lock:
            rows = self._db.execute(
                "SELECT time, state, source, reason FROM history WHERE request_id = ? ORDER BY rowid", (request_id,)
            ).fetchall()
        return [JobEvent(time=when, state=state, source=source, reason=why) for when, state, source, why in rows]

    def remove(self, request_id: str) -> None:
        """Forget a request that was refused before anything was submitted."""
        with self._lock:
            self._db.execute("DELETE FROM jobs WHERE request_id = ?", (request_id,))
            self._db.execute("DELETE FROM history WHERE request_id = ?", (request_id,))

    def delete(self, jobs: Sequence[StoredJob]) -> None:
        """Forget jobs that ended. Their client tokens stay spent: a request that comes again does not run again."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                for job in jobs:
                    if job.client_token is not None:
                        self._db.execute(
                            "INSERT OR IGNORE INTO spent_tokens VALUES (?, ?, ?)",
                            (job.cluster_id, job.client_token, job.detail.job_id),
                        )
                    self.remove(job.request_id)
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def spent_on(self, cluster_id: str, token: str) -> str | None:
        """The id of the deleted job that a client token was spent on."""
        with self._lock:
            row = self._db.execute(
                "SELECT job_id FROM spent_tokens WHERE cluster_id = ? AND client_token = ?", (cluster_id, token)
            ).fetchone()
        return str(row[0]) if row else None

    def by_id(self, cluster_id: str, job_id: str) -> StoredJob | None:
        """The newest job of that id: a scheduler may count from the start again."""
        return self._one("cluster_id = ? AND job_id = ? ORDER BY submit_time DESC LIMIT 1", cluster_id, job_id)

    def by_request(self, request_id: str) -> StoredJob | None:
        """The job that a request made."""
        return self._one("request_id = ?", request_id)

    def by_token(self, cluster_id: str, token: str) -> StoredJob | None:
        """The job that a request with this client token made."""
        return self._one("cluster_id = ? AND client_token = ?", cluster_id, token)

    def active(self, cluster_id: str) -> list[StoredJob]:
        """All jobs of a cluster that may still change, oldest first."""
        return self._many("cluster_id = ? AND is_final = 0 ORDER BY submit_time", cluster_id)

    def active_clusters(self) -> list[str]:
        """The clusters that have jobs that may still change."""
        with self._lock:
            return [row[0] for row in self._db.execute("SELECT DISTINCT cluster_id FROM jobs WHERE is_final = 0")]

    def users(self, cluster_id: str) -> list[str]:
        """The accounts that a cluster's jobs ran as, sorted."""
        with self._lock:
            rows = self._db.execute(
                "SELECT DISTINCT user FROM jobs WHERE cluster_id = ? AND user IS NOT NULL ORDER BY user",
                (cluster_id,),
            ).fetchall()
        return [row[0] for row in rows]

    def page(self, cluster_id: str, wanted: JobFilter, number: int, size: int) -> tuple[list[StoredJob], int]:
        """A page of a cluster's jobs, newest first, and how many there are in all.

        Args:
            cluster_id: the cluster.
            wanted: which jobs; requests that were refused are left out.
            number: from 1.
            size: jobs a page.
        """
        clause, values = chosen(cluster_id, wanted)
        order = ordered(wanted.sort_by)
        with self._lock:
            (total,) = self._db.execute(f"SELECT count(*) FROM jobs WHERE {clause}", values).fetchone()  # noqa: S608
        # Sorted by rowid first: the long columns are read of the page's rows only.
        page = f"SELECT rowid FROM jobs WHERE {clause} ORDER BY {order} LIMIT {int(size)} OFFSET {int((number - 1) * size)}"  # noqa: S608
        return self._many(f"rowid IN ({page}) ORDER BY {order}", *values), total

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def _one(self, where: str, *values: str) -> StoredJob | None:
        return next(iter(self._many(where, *values)), None)

    def _many(self, where: str, *values: str) -> list[StoredJob]:
        # Only fixed text of this file is put into the statement.
        with self._lock:
            rows: Sequence[tuple[Any, ...]] = self._db.execute(
                f"SELECT {_COLUMNS} FROM jobs WHERE {where}",  # noqa: S608
                values,
            ).fetchall()
        return [
            StoredJob(
                detail=JobDetail.model_validate_json(detail),
                request=json.loads(request),
                client_token=token,
                login_user=user,
            )
            for _, _, token, user, request, detail in rows
        ]


def _write_ahead(db: sqlite3.Connection) -> None:
    """Turn on the write-ahead log. Two that do so at once in a new file lock each other out, and SQLite's own patience
    (the time-out of ``connect``) does not hold for this one statement."""
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            db.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def _text(detail: JobDetail) -> str:
    return detail.model_dump_json(by_alias=True, exclude_none=True)
