"""What the store keeps beside the jobs: how an array's tasks ended, when a cluster last answered, what is to be rebuilt."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ehpc_jupyter.jobs.store import JobStore


def ended_tasks(store: JobStore, request_id: str) -> str | None:
    """How the tasks of an array ended, as ``keep_ended_tasks`` was given it."""
    rows = store.query("SELECT ended FROM array_tasks WHERE request_id = ?", request_id)
    return str(rows[0][0]) if rows else None


def keep_ended_tasks(store: JobStore, request_id: str, ended: str) -> None:
    """Keep how the tasks of an array ended; see ``arrays.EndedTasks``."""
    with store.transaction() as db:
        db.execute("INSERT OR REPLACE INTO array_tasks VALUES (?, ?)", (request_id, ended))


def told_to_stop(store: JobStore, request_id: str) -> list[str]:
    """The tasks of a job that the scheduler was told to stop, in its writing; an empty text is the whole job."""
    return [str(row[0]) for row in store.query("SELECT tasks FROM told_to_stop WHERE request_id = ?", request_id)]


def keep_told_to_stop(store: JobStore, request_id: str, tasks: str) -> None:
    """Keep that the scheduler took the order to stop a job, or some of its tasks."""
    with store.transaction() as db:
        db.execute("INSERT OR IGNORE INTO told_to_stop VALUES (?, ?)", (request_id, tasks))


def checked_time(store: JobStore, cluster_id: str) -> int | None:
    """When a cluster last answered, to whatever process, UNIX seconds."""
    rows = store.query("SELECT checked_time FROM cluster_answers WHERE cluster_id = ?", cluster_id)
    return int(rows[0][0]) if rows else None


def keep_checked_time(store: JobStore, cluster_id: str, seconds: int) -> None:
    """Keep when a cluster answered, UNIX seconds."""
    with store.transaction() as db:
        db.execute("INSERT OR REPLACE INTO cluster_answers VALUES (?, ?)", (cluster_id, seconds))


def plan_rebuild(store: JobStore, cluster_ids: Iterable[str]) -> None:
    """If a damaged file was set aside: the jobs of these clusters are to be read from their folders."""
    with store.transaction() as db:
        if db.execute("DELETE FROM rebuilding WHERE cluster_id = ''").rowcount:
            db.executemany("INSERT OR IGNORE INTO rebuilding VALUES (?)", [(name,) for name in cluster_ids])


def rebuilding(store: JobStore) -> set[str]:
    """The clusters whose jobs are still to be read from their folders."""
    return {str(row[0]) for row in store.query("SELECT cluster_id FROM rebuilding")}


def rebuilt(store: JobStore, cluster_id: str) -> None:
    """They have been."""
    with store.transaction() as db:
        db.execute("DELETE FROM rebuilding WHERE cluster_id = ?", (cluster_id,))
