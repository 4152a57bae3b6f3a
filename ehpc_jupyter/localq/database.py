"""The queue's memory: one SQLite file in WAL mode; short transactions, nothing kept between them.

Every task is in exactly one place. Tasks that run, that ended badly (the first ``KEPT_TASKS`` of an array) and
those of jobs that are no array have a row in ``tasks``. All others are members of one of their job's ``sets``, by
state: so an array of a million tasks is a handful of rows before, while and after it runs.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from typing import TYPE_CHECKING

from ehpc_jupyter.localq import Refused
from ehpc_jupyter.localq.indices import Array, Indices

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

#: Rises only when programs of before must leave the file alone. A shepherd that runs since before an update comes back to
#: the file to note how its task ended: refused, that task would be lost.
SCHEMA_VERSION = 1

#: ``first``, ``last``, ``step`` are NULL when the job is no array. ``environment``: ``NAME=value`` joined by NUL, as in
#: ``/proc/…/environ``; it goes when the job ends.
#: ``leader``: pid and session of the script; ``leader_start`` and ``boot`` tell it from a later process of that pid.
_SCHEMA = """
CREATE TABLE jobs (
  id INTEGER PRIMARY KEY AUTOINCREMENT, token TEXT NOT NULL, name TEXT NOT NULL, user TEXT NOT NULL,
  script TEXT NOT NULL, work_dir TEXT NOT NULL, stdout TEXT NOT NULL, stderr TEXT NOT NULL,
  umask INTEGER NOT NULL, environment BLOB,
  priority INTEGER NOT NULL, cores INTEGER NOT NULL, memory_mb INTEGER NOT NULL, gpus INTEGER NOT NULL,
  wall_time_s INTEGER, first INTEGER, last INTEGER, step INTEGER,
  submitted INTEGER NOT NULL, started INTEGER, ended INTEGER, misstarts INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX jobs_ended ON jobs (ended);
CREATE TABLE sets (
  job INTEGER NOT NULL, state TEXT NOT NULL, members TEXT NOT NULL, started INTEGER, ended INTEGER,
  PRIMARY KEY (job, state)
) WITHOUT ROWID;
CREATE INDEX sets_state ON sets (state);
CREATE TABLE tasks (
  job INTEGER NOT NULL, task INTEGER NOT NULL, state TEXT NOT NULL, stop INTEGER NOT NULL DEFAULT 0,
  gpus TEXT NOT NULL DEFAULT '', leader INTEGER, leader_start TEXT, boot TEXT,
  started INTEGER, ended INTEGER, exit_code INTEGER, signal INTEGER, reason TEXT,
  PRIMARY KEY (job, task)
) WITHOUT ROWID;
CREATE INDEX tasks_state ON tasks (state);
"""

#: What was added since, one after another, so that programs of before can go on as they did: ``needs`` is told of in
#: ``dependencies``; ``stopped_by`` is who ordered a task's end. How many of these a file has stands in its application_id.
_ADDED = (
    """
CREATE TABLE needs (
  job INTEGER NOT NULL, condition TEXT NOT NULL, other INTEGER NOT NULL, tasks TEXT NOT NULL,
  lost INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (job, condition, other, tasks)
) WITHOUT ROWID;
CREATE INDEX needs_other ON needs (other);
ALTER TABLE tasks ADD COLUMN stopped_by TEXT;
ALTER TABLE tasks ADD COLUMN memory_peak_mb INTEGER;
ALTER TABLE sets ADD COLUMN reason TEXT;
ALTER TABLE sets ADD COLUMN memory_peak_mb INTEGER;
""",
)

#: BLOCKED: waits for other jobs. A manager that runs since before an update knows no such state and leaves it alone.
QUEUED, BLOCKED, HELD, STARTING, RUNNING = "QUEUED", "BLOCKED", "HELD", "STARTING", "RUNNING"
WAITING = (QUEUED, BLOCKED, HELD)
FINISHED, FAILED, CANCELLED, TIMEOUT, NODE_FAILED = "FINISHED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAILED"


def file_of(folder: Path) -> Path:
    """The database's file in the queue's folder."""
    return folder / "queue.sqlite3"


class Database:
    """A connection; ``with database:`` is a transaction that may write.

    Args:
        folder: the queue's.
        create: make what is missing.

    Raises:
        FileNotFoundError: nothing was ever submitted, and ``create`` is not set.
        Refused: the folder or the file cannot be used, in words for the user.
        sqlite3.Error: as SQLite says.
    """

    def __init__(self, folder: Path, *, create: bool = False) -> None:
        self.folder = folder
        path = file_of(folder)
        if create:
            _make(folder, path)
        elif path.stat().st_size == 0:  # somebody is just making it, and must not find it locked
            raise FileNotFoundError(path)
        # autocommit: transactions are ours. 30 s: twenty writers at once wait for each other, they do not fail.
        self.connection = sqlite3.connect(path, timeout=30, isolation_level=None)
        self.connection.row_factory = sqlite3.Row
        self.execute = self.connection.execute
        version = self._version()
        if version == 0 and create:
            self._create()
            self._add()
        elif version == 0:
            self.close()
            raise FileNotFoundError(path)
        elif version != SCHEMA_VERSION:
            self.close()
            raise Refused(f"{path} was written by another version of this program ({version}, not {SCHEMA_VERSION})")
        elif self._additions() < len(_ADDED):
            self._add()
        # An answer "submitted" survives a power cut, and no task starts twice after one.
        self.execute("PRAGMA synchronous = FULL")

    def _version(self) -> int:
        return int(self.execute("PRAGMA user_version").fetchone()[0])

    def _additions(self) -> int:
        return int(self.execute("PRAGMA application_id").fetchone()[0])

    def _add(self) -> None:
        """Bring a file that an earlier version of this program made up to date; all of it or nothing."""
        with self:
            for number in range(self._additions(), len(_ADDED)):
                for statement in _ADDED[number].split(";"):
                    self.execute(statement)
            self.execute(f"PRAGMA application_id = {len(_ADDED)}")

    def _create(self) -> None:
        # Changing to WAL fails at once, without waiting, when another process has the new file open.
        lock = os.open(self.folder / "create.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if self._version() == 0:
                self.execute("PRAGMA journal_mode = WAL")
                self.connection.executescript(
                    f"BEGIN IMMEDIATE; {_SCHEMA} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT"
                )
        finally:
            os.close(lock)

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()

    def __enter__(self) -> None:
        self.execute("BEGIN IMMEDIATE")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.execute("COMMIT")
        elif self.connection.in_transaction:  # after "disk full" SQLite itself has rolled back
            self.execute("ROLLBACK")

    def members(self, job: int, state: str) -> Indices:
        """The set of a job's tasks that are in a state and have no row."""
        row = self.execute("SELECT members FROM sets WHERE job = ? AND state = ?", (job, state)).fetchone()
        return Indices.parse(row[0]) if row else Indices()

    def put(self, job: int, state: str, members: Indices) -> None:
        """Replace that set."""
        if members:
            self.execute(
                "INSERT INTO sets (job, state, members) VALUES (?, ?, ?)"
                " ON CONFLICT DO UPDATE SET members = excluded.members",
                (job, state, str(members)),
            )
        else:
            self.execute("DELETE FROM sets WHERE job = ? AND state = ?", (job, state))

    def add_ended(
        self,
        job: int,
        state: str,
        members: Indices,
        ended: int,
        *,
        started: int | None = None,
        reason: str | None = None,
        memory_peak_mb: int | None = None,
    ) -> None:
        """Add tasks that ended, without rows of their own, to the set of their state; times are seconds.

        The set starts with its first task, ends with its last, has the largest peak, and a reason only if all have the same.
        """
        before = self.execute("SELECT reason FROM sets WHERE job = ? AND state = ?", (job, state)).fetchone()
        self.put(job, state, self.members(job, state) | members)
        self.execute(
            "UPDATE sets SET started = min(coalesce(started, :started), coalesce(:started, started)), ended = :ended,"
            " memory_peak_mb = max(coalesce(memory_peak_mb, :peak), coalesce(:peak, memory_peak_mb)), reason = :reason"
            " WHERE job = :job AND state = :state",
            {
                "job": job,
                "state": state,
                "started": started,
                "ended": ended,
                "peak": memory_peak_mb,
                "reason": reason if before is None or before["reason"] == reason else None,
            },
        )

    def settle(self, job: int, now: int) -> None:
        """Note a job's end once nothing of it waits or runs; its environment is forgotten then, and what it waited for."""
        changed = self.execute(
            "UPDATE jobs SET ended = :now, environment = NULL WHERE id = :job AND ended IS NULL"
            " AND NOT EXISTS (SELECT 1 FROM sets WHERE job = :job AND state IN ('QUEUED', 'BLOCKED', 'HELD'))"
            " AND NOT EXISTS (SELECT 1 FROM tasks WHERE job = :job AND state IN ('STARTING', 'RUNNING'))",
            {"job": job, "now": now},
        ).rowcount
        if changed:
            self.execute("DELETE FROM needs WHERE job = ?", (job,))


def array_of(job: sqlite3.Row) -> Array | None:
    """A job's array; None if it is none."""
    return None if job["first"] is None else Array(job["first"], job["last"], job["step"])


def _make(folder: Path, path: Path) -> None:
    """The folder and the empty file, for nobody else to read: environments hold people's secrets."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.stat()
        if found.st_uid != os.getuid():
            raise Refused(
                f"the queue's folder {folder} belongs to another account; set EHPC_LOCALQ_HOME to one of yours"
            )
        if found.st_mode & 0o077:
            folder.chmod(0o700)
        # SQLite gives its -wal and -shm files the mode of the main one.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise Refused(f"the queue's folder {folder} cannot be used: {error.strerror}") from None
