"""Which other jobs a job waits for, and whether these have ended as it needs them to.

A need that holds is deleted, one that can never hold any more is marked; both are decided when the other job, or a task
of it, ends. So what is left in the table is what is not known yet, and the other job may be forgotten after that.
A job with needs is BLOCKED: it takes no part in the plan.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ehpc_jupyter.localq import Refused
from ehpc_jupyter.localq.database import BLOCKED, FINISHED, QUEUED, WAITING
from ehpc_jupyter.localq.indices import Indices

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ehpc_jupyter.localq.database import Database

#: What has to become of the other job: it ended well, it ended, it ended and not well.
CONDITIONS = ("ok", "any", "notok")
#: Why a job waits, in Slurm's words.
DEPENDENCY, NEVER = "Dependency", "DependencyNeverSatisfied"


class Need(NamedTuple):
    """What has to become of another job's tasks: of all of them together, not of each."""

    condition: str
    other: int
    tasks: Indices


def read(text: str) -> list[tuple[str, str]]:
    """Conditions and ids from ``ok:12,any:13_4``. Raises Refused: it is nothing of that kind."""
    found = []
    for part in text.split(","):
        condition, colon, job = part.partition(":")
        if not colon or condition not in CONDITIONS or not job:
            raise Refused(
                f"after {part!r}: write condition:job, for instance ok:12; the conditions are {', '.join(CONDITIONS)}"
            )
        found.append((condition, job))
    return found


def verdict(database: Database, need: Need) -> bool | None:
    """Whether it holds; None as long as nobody can know."""
    alive = bad = known = False
    query = "SELECT state, members FROM sets WHERE job = ?"
    parts = [
        (row["state"], bool(Indices.parse(row["members"]) & need.tasks)) for row in database.execute(query, need[1:2])
    ]
    query = "SELECT state, task FROM tasks WHERE job = ?"
    parts += [(row["state"], row["task"] in need.tasks) for row in database.execute(query, need[1:2])]
    for state, is_meant in parts:
        if is_meant:
            known = True
            alive |= state in _ALIVE
            bad |= state not in _ALIVE and state != FINISHED
    if need.condition == "ok" and (bad or not known):
        return False
    if alive:
        return None
    return bad if need.condition == "notok" else True


_ALIVE = (*WAITING, "STARTING", "RUNNING")


def add(database: Database, job: int, needs: Iterable[Need]) -> bool:
    """Note what a new job waits for; False if there is nothing left to wait for. Within a transaction."""
    blocked = False
    for need in needs:
        holds = verdict(database, need)
        if not holds:
            blocked = True
            database.execute(
                "INSERT OR IGNORE INTO needs (job, condition, other, tasks, lost) VALUES (?, ?, ?, ?, ?)",
                (job, need.condition, need.other, str(need.tasks), holds is False),
            )
    return blocked


def has_needs(database: Database, job: int) -> bool:
    """Whether a job still waits for others."""
    return bool(database.execute("SELECT EXISTS (SELECT 1 FROM needs WHERE job = ?)", (job,)).fetchone()[0])


def judge(database: Database, other: int) -> None:
    """Something of a job ended: decide what can be decided of the needs that name it. Within a transaction."""
    query = "SELECT DISTINCT condition, tasks FROM needs WHERE other = ? AND NOT lost"
    for condition, tasks in database.execute(query, (other,)).fetchall():
        holds = verdict(database, Need(condition, other, Indices.parse(tasks)))
        which = (other, condition, tasks)
        if holds is False:
            database.execute("UPDATE needs SET lost = 1 WHERE other = ? AND condition = ? AND tasks = ?", which)
        elif holds:
            where = "FROM needs WHERE other = ? AND condition = ? AND tasks = ?"
            jobs = [row[0] for row in database.execute(f"SELECT job {where}", which)]
            database.execute(f"DELETE {where}", which)
            for job in jobs:
                _free(database, job)


def _free(database: Database, job: int) -> None:
    if not has_needs(database, job) and (members := database.members(job, BLOCKED)):
        database.put(job, BLOCKED, Indices())
        database.put(job, QUEUED, database.members(job, QUEUED) | members)


def catch_up(database: Database) -> None:
    """Decide what nobody decided: a shepherd that runs since before an update notes ends and knows of no needs."""
    query = (
        "SELECT DISTINCT other FROM needs LEFT JOIN jobs ON jobs.id = other"
        " WHERE NOT lost AND (jobs.id IS NULL OR jobs.ended IS NOT NULL)"
    )
    for row in database.execute(query).fetchall():
        with database:
            judge(database, row[0])


def reasons(database: Database) -> dict[int, str]:
    """Why each blocked job waits."""
    found = database.execute("SELECT job, max(lost) FROM needs GROUP BY job")
    return {job: NEVER if lost else DEPENDENCY for job, lost in found}
