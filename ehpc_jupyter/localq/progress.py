"""How tasks go on: what the manager and the shepherds write. Each function is one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ehpc_jupyter.localq import dependencies
from ehpc_jupyter.localq.database import CANCELLED, FINISHED, NODE_FAILED, QUEUED, STARTING
from ehpc_jupyter.localq.indices import Indices, one
from ehpc_jupyter.localq.plan import Amount, Waiting, plan
from ehpc_jupyter.localq.settings import KEEP_S, KEPT_TASKS

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from ehpc_jupyter.localq.database import Database
    from ehpc_jupyter.localq.machine import Machine

#: A task whose shepherd died so many times before the script began is given up.
_MISSTARTS = 3


class Ending(NamedTuple):
    """How a task ended.

    Attributes:
        state: FINISHED, FAILED, CANCELLED, TIMEOUT or NODE_FAILED.
        exit_code: of the script; None if a signal ended it, or if it never ran.
        signal: the signal that ended the script.
        reason: in words for the user; None where exit code or signal say it all.
        memory_peak_mb: the most memory of the largest of its processes; None if not known.
    """

    state: str
    exit_code: int | None = None
    signal: int | None = None
    reason: str | None = None
    memory_peak_mb: int | None = None


class Leader(NamedTuple):
    """The script's process: its pid, which is its session's id too; what tells it from a later one of that pid."""

    pid: int
    start: str
    boot: str


def live(database: Database) -> list[sqlite3.Row]:
    """The tasks that start or run, with what their job needs."""
    return database.execute(
        "SELECT tasks.*, cores, memory_mb, first FROM tasks JOIN jobs ON jobs.id = job"
        " WHERE state IN ('STARTING', 'RUNNING')"
    ).fetchall()


def waiting(database: Database, *, priority: int = 0) -> Iterator[Waiting]:
    """The jobs of at least a priority whose tasks wait for their turn, in the order of it."""
    rows = database.execute(
        "SELECT id, members, cores, memory_mb, gpus FROM sets JOIN jobs ON id = job WHERE state = 'QUEUED'"
        " AND priority >= ? ORDER BY priority DESC, id",
        (priority,),
    )
    for row in rows:
        yield Waiting(row["id"], len(Indices.parse(row["members"])), Amount(*row[2:5]))


def unused(machine: Machine, running: list[sqlite3.Row]) -> tuple[Amount, list[str]]:
    """What nobody uses: the amount, and the ids of its GPUs."""
    taken = {gpu for row in running for gpu in row["gpus"].split(",")}
    gpus = [gpu for gpu in machine.gpus if gpu not in taken]
    cores = machine.cores - sum(row["cores"] for row in running)
    memory_mb = machine.memory_mb - sum(row["memory_mb"] for row in running)
    return Amount(max(0, cores), max(0, memory_mb), len(gpus)), gpus


def take(database: Database, machine: Machine) -> list[tuple[int, int]]:
    """Take the waiting tasks (job, index) whose turn it is out of the queue; they are STARTING now."""
    taken: list[tuple[int, int]] = []
    total = Amount(machine.cores, machine.memory_mb, len(machine.gpus))
    with database:
        free, gpus = unused(machine, live(database))
        chosen = [choice for choice in plan(total, free, waiting(database), to_the_end=False) if choice.start]
        for choice in chosen:
            members = database.members(choice.job, QUEUED)
            need = database.execute("SELECT gpus FROM jobs WHERE id = ?", (choice.job,)).fetchone()[0]
            for index in members.lowest(choice.start):
                mine, gpus = gpus[:need], gpus[need:]
                database.execute(
                    "INSERT INTO tasks (job, task, state, gpus) VALUES (?, ?, ?, ?)",
                    (choice.job, index, STARTING, ",".join(mine)),
                )
                members -= one(index)
                taken.append((choice.job, index))
            database.put(choice.job, QUEUED, members)
    return taken


def begin(database: Database, job: int, index: int, leader: Leader, now: int) -> bool:
    """The script is about to run; False if it must not, because the task was stopped."""
    with database:
        changed = database.execute(
            "UPDATE tasks SET state = 'RUNNING', leader = ?, leader_start = ?, boot = ?, started = ?"
            " WHERE job = ? AND task = ? AND state = 'STARTING' AND stop = 0",
            (*leader, now, job, index),
        ).rowcount
        if changed:
            database.execute("UPDATE jobs SET started = coalesce(started, ?), misstarts = 0 WHERE id = ?", (now, job))
    return changed > 0


def task(database: Database, job: int, index: int) -> sqlite3.Row | None:
    """A task's row together with its job's; None if it has none."""
    found: sqlite3.Row | None = database.execute(
        "SELECT jobs.*, state, stop, stopped_by, leader, leader_start, boot, tasks.gpus AS gpu_ids, tasks.started AS began"
        " FROM tasks JOIN jobs ON jobs.id = job WHERE job = ? AND task = ?",
        (job, index),
    ).fetchone()
    return found


def finish(database: Database, job: int, index: int, ending: Ending, now: int) -> None:
    """Note a task's end; nothing happens if it is noted already."""
    with database:
        _finish(database, job, index, ending, now)


def _finish(database: Database, job: int, index: int, ending: Ending, now: int) -> None:
    row = task(database, job, index)
    if row is None or row["state"] not in ("STARTING", "RUNNING"):
        return
    if ending.state == CANCELLED and row["stopped_by"]:
        ending = ending._replace(reason=f"cancelled by {row['stopped_by']}")
    kept = row["first"] is None
    if not kept and ending.state != FINISHED:
        query = "SELECT count(*) FROM tasks WHERE job = ? AND ended IS NOT NULL"
        kept = database.execute(query, (job,)).fetchone()[0] < KEPT_TASKS
    if kept:
        database.execute(
            "UPDATE tasks SET state = ?, exit_code = ?, signal = ?, reason = ?, memory_peak_mb = ?, ended = ?"
            " WHERE job = ? AND task = ?",
            (*ending, now, job, index),
        )
    else:
        database.execute("DELETE FROM tasks WHERE job = ? AND task = ?", (job, index))
        database.add_ended(
            job,
            ending.state,
            one(index),
            now,
            started=row["began"],
            reason=ending.reason,
            memory_peak_mb=ending.memory_peak_mb,
        )
    database.settle(job, now)
    dependencies.judge(database, job)


def put_back(database: Database, job: int, index: int, now: int, *, blame: bool = True) -> None:
    """A task that never began goes back to the queue, or ends if it was stopped or failed to begin too often.

    Args:
        blame: count this time; not so when the machine had no room for another process.
    """
    with database:
        row = task(database, job, index)
        if row is None or row["state"] != STARTING:
            return
        if row["stop"]:
            _finish(database, job, index, Ending(CANCELLED), now)
        elif blame and row["misstarts"] + 1 >= _MISSTARTS:
            words = f"the process that starts it died {_MISSTARTS} times; see manager.log in {database.folder}"
            _finish(database, job, index, Ending(NODE_FAILED, reason=words), now)
        else:
            database.execute("UPDATE jobs SET misstarts = misstarts + ? WHERE id = ?", (blame, job))
            database.execute("DELETE FROM tasks WHERE job = ? AND task = ?", (job, index))
            database.put(job, QUEUED, database.members(job, QUEUED) | one(index))


def has_work(database: Database) -> bool:
    """Whether anything runs or may start."""
    query = (
        "SELECT EXISTS (SELECT 1 FROM tasks WHERE state IN ('STARTING', 'RUNNING'))"
        " OR EXISTS (SELECT 1 FROM sets WHERE state = 'QUEUED')"
    )
    return bool(database.execute(query).fetchone()[0])


def has_turn(database: Database, machine: Machine) -> bool:
    """Whether anything runs, or may start on this machine as it is now."""
    running = live(database)
    total = Amount(machine.cores, machine.memory_mb, len(machine.gpus))
    free, _ = unused(machine, running)
    return bool(running) or any(choice.start for choice in plan(total, free, waiting(database)))


def forget(database: Database, now: int) -> None:
    """Drop what ended long ago. Ids are never given again."""
    old = "SELECT id FROM jobs WHERE ended < ?"
    limit = (now - KEEP_S,)
    with database:
        database.execute(f"DELETE FROM tasks WHERE job IN ({old})", limit)  # noqa: S608 - a constant
        database.execute(f"DELETE FROM sets WHERE job IN ({old})", limit)  # noqa: S608
        database.execute("DELETE FROM jobs WHERE ended < ?", limit)
