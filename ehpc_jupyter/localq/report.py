"""What the queue says of its jobs: one entry for each task with a row, one for all tasks of a job in the same state."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from ehpc_jupyter.localq import dependencies, progress
from ehpc_jupyter.localq.database import BLOCKED, HELD, QUEUED, STARTING, array_of
from ehpc_jupyter.localq.indices import Indices, one
from ehpc_jupyter.localq.plan import Amount, plan
from ehpc_jupyter.localq.settings import QUEUE, RECENT_S

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator

    from ehpc_jupyter.localq.database import Database
    from ehpc_jupyter.localq.machine import Machine

#: What is known of a job or of some tasks of an array, by field; what is not known is absent. Times: UNIX seconds.
Entry = dict[str, str]

_JOBS = "id, token, name, user, wall_time_s, first, last, step, submitted, ended, cores, memory_mb, gpus"
_ALL = "(jobs.ended IS NULL OR jobs.ended >= ?)"
_ONE = "(jobs.id = ?)"


class Spell(NamedTuple):
    """What differs between the entries of one job."""

    state: str
    members: Indices
    started: int | None = None
    ended: int | None = None
    exit_code: int | None = None
    signal: int | None = None
    reason: str | None = None
    memory_peak_mb: int | None = None


def entries(database: Database, machine: Machine, ids: Iterable[int] | None, now: int) -> list[Entry]:
    """Say what is known.

    Args:
        database: asked in one transaction, so the entries belong together.
        machine: what the queue gives away, for the reasons why tasks wait.
        ids: of whole jobs; unknown ones are left out. None for all that wait, run or ended lately.
        now: the time.
    """
    database.execute("BEGIN")
    try:
        reasons = _reasons(database, machine)
        if ids is None:
            return list(_entries(database, _ALL, now - RECENT_S, reasons))
        return [entry for job in ids for entry in _entries(database, _ONE, job, reasons)]
    finally:
        database.execute("COMMIT")


def _reasons(database: Database, machine: Machine) -> dict[int, str]:
    running = progress.live(database)
    total = Amount(machine.cores, machine.memory_mb, len(machine.gpus))
    free, _ = progress.unused(machine, running)
    found = {choice.job: choice.reason for choice in plan(total, free, progress.waiting(database)) if choice.reason}
    return found | dependencies.reasons(database)


def _entries(database: Database, where: str, value: int, reasons: dict[int, str]) -> Iterator[Entry]:
    spells: dict[int, list[Spell]] = {}
    # where is one of the two constants above
    for row in database.execute(
        f"SELECT sets.* FROM sets JOIN jobs ON id = job WHERE {where}",  # noqa: S608
        (value,),
    ):
        state, job = row["state"], row["job"]
        reason = row["reason"]
        if state in (QUEUED, BLOCKED):
            state, reason = QUEUED, reasons.get(job)
        elif state == HELD:
            reason = "JobHeldUser"
        code = 0 if state == "FINISHED" else None
        members, times = Indices.parse(row["members"]), (row["started"], row["ended"])
        spells.setdefault(job, []).append(Spell(state, members, *times, code, None, reason, row["memory_peak_mb"]))
    for row in database.execute(
        f"SELECT tasks.* FROM tasks JOIN jobs ON id = job WHERE {where} ORDER BY job, task",  # noqa: S608
        (value,),
    ):
        # What it starts in is the queue's own affair: the script does not run yet.
        state = QUEUED if row["state"] == STARTING else row["state"]
        rest = (row[name] for name in ("started", "ended", "exit_code", "signal", "reason", "memory_peak_mb"))
        spells.setdefault(row["job"], []).append(Spell(state, one(row["task"]), *rest))
    for job in database.execute(f"SELECT {_JOBS} FROM jobs WHERE {where} ORDER BY id", (value,)):  # noqa: S608
        for spell in sorted(spells.get(job["id"], ()), key=lambda each: each.members.spans):
            yield _entry(job, spell)


def _entry(job: sqlite3.Row, spell: Spell) -> Entry:
    array = array_of(job)
    found = {
        "job": job["id"],
        "tasks": array.write(spell.members) if array else None,
        "count": len(spell.members),
        "state": spell.state,
        "reason": spell.reason,
        "exit_code": spell.exit_code,
        "signal": spell.signal,
        "name": job["name"],
        "user": job["user"],
        "queue": QUEUE,
        "node_list": os.uname().nodename if spell.started else None,
        "submit_time": job["submitted"],
        "start_time": spell.started,
        "end_time": spell.ended,
        "wall_time_s": job["wall_time_s"],
        "memory_peak_mb": spell.memory_peak_mb,
        "token": job["token"] or None,
    }
    if spell.started:
        found |= {name: job[name] for name in ("cores", "memory_mb", "gpus")}
    return {name: str(value) for name, value in found.items() if value is not None}


def queues(database: Database | None, machine: Machine) -> list[Entry]:
    """The queue and what the machine has; no database yet: nothing runs."""
    running = bool(database and progress.live(database))
    figures = {"cores": machine.cores, "memory_mb": machine.memory_mb, "gpus": len(machine.gpus), "nodes": 1}
    entry = {"name": QUEUE, "is_default": "1", "state": "UP", "idle_nodes": "0" if running else "1"}
    entry["node"] = os.uname().nodename
    return [{**entry, **{name: str(value) for name, value in figures.items()}}]
