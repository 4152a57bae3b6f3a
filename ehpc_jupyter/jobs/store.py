"""What was asked and what became of it, in SQLite: the intent before anything is sent, the job, every change of state.

Several processes may use one file at once (two Jupyter servers, a kernel without one): WAL, short transactions.
A password is never in it: ``JobSpec`` does not write one.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
import uuid
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ehpc_jupyter.jobs.database import open_database
from ehpc_jupyter.jobs.listing import chosen, ordered
from ehpc_jupyter.jobs.moves import may_follow
from ehpc_jupyter.jobs.templates import TemplateTable
from ehpc_jupyter.models.actions import JobEvent
from ehpc_jupyter.models.job import JobDetail, JobState
from ehpc_jupyter.schedulers.nodes import names_node

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from ehpc_jupyter.models.actions import JobFilter

_COLUMNS = "client_token, login_user, request, detail"
#: Rows that are read again and again (the page everybody looks at) are kept as objects: some 20 MB at the most.
_KEPT = 5_000


class StoredJob:
    """A row; never changed.

    The request is kept as text: 10,000 jobs may be watched, and what the garbage collector has to look at holds up everybody.

    Args:
        detail: as last known.
        request: the CreateJob request, wire names, without secrets; or its JSON.
        client_token: the caller's.
        login_user: the account whose connection and folder the job has; empty for the profile's own.
    """

    __slots__ = ("client_token", "detail", "login_user", "request_text")

    def __init__(
        self, detail: JobDetail, request: Mapping[str, Any] | str, client_token: str | None, login_user: str
    ) -> None:
        self.detail = detail
        self.request_text = request if isinstance(request, str) else json.dumps(request, ensure_ascii=False)
        self.client_token = client_token
        self.login_user = login_user

    def __eq__(self, other: object) -> bool:
        return isinstance(other, StoredJob) and all(getattr(self, n) == getattr(other, n) for n in self.__slots__)

    def __hash__(self) -> int:
        return hash(self.request_id)

    @property
    def request(self) -> dict[str, Any]:
        """The CreateJob request, wire names, without secrets; the caller's own copy."""
        made: dict[str, Any] = json.loads(self.request_text)
        return made

    @property
    def cluster_id(self) -> str:
        """The cluster's name."""
        return self.detail.cluster_id

    @property
    def request_id(self) -> str:
        """The request that made the job."""
        return self.detail.request_id

    def with_detail(self, detail: JobDetail) -> StoredJob:
        """The same job, of which more is known."""
        return StoredJob(detail, self.request_text, self.client_token, self.login_user)


class DuplicateToken(Exception):
    """A request with this client token is already there."""


class JobStore:
    """The store. Safe to use from several threads.

    Args:
        path: the file; its folder is made if need be, readable by nobody else.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.RLock()
        #: Marks the rows that were last written through this store: of those nobody here needs to be told.
        self._writer = uuid.uuid4().hex
        self._db, self.set_aside = open_database(path)
        # Many jobs have the same list of nodes.
        self._db.create_function("names_node", 2, lru_cache(10_000)(names_node), deterministic=True)
        self.templates = TemplateTable(self._db, self._lock)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Write all that is written in it, or nothing."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                # Of a disk that is full SQLite has taken back all by itself.
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def add(self, job: StoredJob) -> None:
        """Store an intent, before anything is sent. Raises DuplicateToken."""
        detail = job.detail
        try:
            with self.transaction() as db:
                db.execute(
                    "INSERT INTO jobs (request_id, cluster_id, job_id, client_token, login_user, job_name, queue, state, is_final,"
                    " submit_time, request, detail) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
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
                        job.request_text,
                        _text(detail),
                    ),
                )
                self._mark([detail.request_id])
                self._note(detail, "request")
        except sqlite3.IntegrityError:
            raise DuplicateToken(job.client_token) from None

    def update(self, detail: JobDetail, source: str) -> bool:
        """Store what is now known of one job; see ``update_all``."""
        return bool(self.update_all([(detail, source)]))

    def update_all(self, changes: Iterable[tuple[JobDetail, str]]) -> list[JobDetail]:
        """Store what is now known of jobs, in one transaction.

        Args:
            changes: all that is known of a job, and who said so: ``submit``, ``queue``, ``history``, ``folder``.

        Returns:
            What was stored: a move that ``moves.ALLOWED`` lacks is not, and a job that is not there any more is none.
        """
        stored: list[JobDetail] = []
        with self.transaction() as db:
            for detail, source in changes:
                row = db.execute("SELECT state FROM jobs WHERE request_id = ?", (detail.request_id,)).fetchone()
                if row is None or not may_follow(JobState(row[0]), detail.state):
                    continue
                db.execute(
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
                stored.append(detail)
            self._mark([detail.request_id for detail in stored])
        return stored

    def query(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """The rows that a fixed statement finds."""
        with self._lock:
            return self._db.execute(statement, values).fetchall()

    def _mark(self, request_ids: Sequence[str]) -> None:
        if not request_ids:
            return
        self._db.execute("UPDATE counter SET last = last + 1")
        self._db.executemany(
            "UPDATE jobs SET changed = (SELECT last FROM counter), writer = ? WHERE request_id = ?",
            [(self._writer, request_id) for request_id in request_ids],
        )

    def changed_since(self, cluster_id: str, number: int) -> tuple[list[tuple[StoredJob, bool]], int]:
        """What was written of a cluster's jobs, by whatever process.

        Args:
            cluster_id: the cluster.
            number: what this returned last; 0 for nothing but the jobs that may still change.

        Returns:
            jobs, each with whether another process wrote it; and the number to ask with next.
        """
        with self._lock:
            if number == 0:
                (last,) = self._db.execute("SELECT last FROM counter").fetchone()
                return [(job, False) for job in self.active(cluster_id)], int(last)
            rows = self._db.execute(
                # The sign keeps the indexes by cluster out of it: they have all of its jobs, and few are new.
                "SELECT request_id, writer, changed FROM jobs WHERE +cluster_id = ? AND changed > ?",
                (cluster_id, number),
            ).fetchall()
            jobs = [(self.by_request(request_id), writer != self._writer) for request_id, writer, _ in rows]
        found = [(job, others) for job, others in jobs if job is not None]
        return found, max([number, *(int(row[2]) for row in rows)])

    def _note(self, detail: JobDetail, source: str) -> None:
        self._db.execute(
            "INSERT INTO history VALUES (?, ?, ?, ?, ?)",
            (detail.request_id, int(time.time()), detail.state.value, source, detail.reason),
        )

    def events(self, request_id: str) -> list[JobEvent]:
        """All changes of a job's state, oldest first."""
        rows = self.query(
            "SELECT time, state, source, reason FROM history WHERE request_id = ? ORDER BY rowid", request_id
        )
        return [JobEvent(time=when, state=state, source=source, reason=why) for when, state, source, why in rows]

    def remove(self, request_id: str) -> None:
        """Forget a request that was refused before anything was submitted."""
        with self._lock:
            self._db.execute("DELETE FROM jobs WHERE request_id = ?", (request_id,))
            self._db.execute("DELETE FROM history WHERE request_id = ?", (request_id,))
            self._db.execute("DELETE FROM array_tasks WHERE request_id = ?", (request_id,))
            self._db.execute("DELETE FROM told_to_stop WHERE request_id = ?", (request_id,))

    def delete(self, jobs: Sequence[StoredJob]) -> None:
        """Forget jobs that ended. Their client tokens stay spent: a request that comes again does not run again."""
        with self.transaction() as db:
            for job in jobs:
                if job.client_token is not None:
                    db.execute(
                        "INSERT OR IGNORE INTO spent_tokens VALUES (?, ?, ?)",
                        (job.cluster_id, job.client_token, job.detail.job_id),
                    )
                self.remove(job.request_id)

    def spent_on(self, cluster_id: str, token: str) -> str | None:
        """The id of the deleted job that a client token was spent on."""
        rows = self.query(
            "SELECT job_id FROM spent_tokens WHERE cluster_id = ? AND client_token = ?", cluster_id, token
        )
        return str(rows[0][0]) if rows else None

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
        return [row[0] for row in self.query("SELECT DISTINCT cluster_id FROM jobs WHERE is_final = 0")]

    def users(self, cluster_id: str) -> list[str]:
        """The accounts that a cluster's jobs ran as, sorted."""
        rows = self.query(
            "SELECT DISTINCT user FROM jobs WHERE cluster_id = ? AND user IS NOT NULL ORDER BY user", cluster_id
        )
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
        ((total,),) = self.query(f"SELECT count(*) FROM jobs WHERE {clause}", *values)  # noqa: S608
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
        rows = self.query(f"SELECT {_COLUMNS} FROM jobs WHERE {where}", *values)  # noqa: S608
        return [_job(*row) for row in rows]


@lru_cache(_KEPT)
def _job(client_token: str | None, login_user: str, request: str, detail: str) -> StoredJob:
    """A row's job. The same text is the same object: nobody changes one."""
    return StoredJob(JobDetail.model_validate_json(detail), request, client_token, login_user)


def _text(detail: JobDetail) -> str:
    return detail.model_dump_json(by_alias=True, exclude_none=True)
