"""The store's file: opened, brought to the present version, set aside when it is damaged."""

from __future__ import annotations

import fcntl
import logging
import sqlite3
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ehpc_jupyter.jobs.schema import SCHEMAS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

log = logging.getLogger(__name__)

#: How long one process waits for another's transaction, seconds.
PATIENCE_S = 30


def open_database(path: Path) -> tuple[sqlite3.Connection, Path | None]:
    """Open the file; it and its folder are made if need be, readable by nobody else.

    Args:
        path: the file.

    Returns:
        The connection, and where a damaged file was put that lay there before.

    Raises:
        sqlite3.Error: it cannot be used, and it is not known to be damaged.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _alone(path):
        aside = _set_aside(path) if _is_damaged(path) else None
        db = sqlite3.connect(path, timeout=PATIENCE_S, check_same_thread=False, isolation_level=None)
        path.chmod(0o600)
        db.execute("PRAGMA journal_mode = WAL")
        # An intent that a power cut took back would be submitted again. Costs 0.3 ms a write on a local disk.
        db.execute("PRAGMA synchronous = FULL")
        _migrate(db)
        if aside is not None:
            db.execute("INSERT INTO rebuilding SELECT '' WHERE NOT EXISTS (SELECT 1 FROM rebuilding)")
    return db, aside


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """One process at a time: two that turn on the write-ahead log of a new file, or set a damaged one aside, collide."""
    with path.with_name(f"{path.name}.lock").open("a") as lock:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise sqlite3.OperationalError("another process is opening it for too long") from None
                time.sleep(0.02)
        yield


def _is_damaged(path: Path) -> bool:
    if not path.exists() or path.stat().st_size == 0:
        return False
    db = sqlite3.connect(path, timeout=PATIENCE_S, isolation_level=None)
    try:
        # Looks at every page, 2 GB a second; not at what the indexes say.
        (answer,) = db.execute("PRAGMA quick_check(1)").fetchone()
        return bool(answer != "ok")
    except sqlite3.OperationalError:  # locked, no permission, a full disk: nothing is known of the file itself
        return False
    except sqlite3.DatabaseError:
        return True
    finally:
        db.close()


def _set_aside(path: Path) -> Path:
    aside = path.with_name(f"{path.name}.damaged-{time.strftime('%Y%m%d-%H%M%S')}")
    for suffix in ("", "-wal", "-shm"):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(aside.with_name(aside.name + suffix))
    log.error(
        "the database of jobs, %s, is damaged: it lies at %s now, the jobs are read from their folders", path, aside
    )
    return aside


def _migrate(db: sqlite3.Connection) -> None:
    db.execute("BEGIN IMMEDIATE")
    (version,) = db.execute("PRAGMA user_version").fetchone()
    for schema in SCHEMAS[version:]:
        for statement in schema.split(";"):
            db.execute(statement)
    db.execute(f"PRAGMA user_version = {max(version, len(SCHEMAS))}")
    db.execute("COMMIT")
