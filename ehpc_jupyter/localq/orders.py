"""What a user may order: submit, stop, hold, release. Each is one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ehpc_jupyter.localq import Refused
from ehpc_jupyter.localq.database import CANCELLED, HELD, QUEUED, array_of
from ehpc_jupyter.localq.indices import Indices, one
from ehpc_jupyter.localq.plan import Amount

if TYPE_CHECKING:
    from ehpc_jupyter.localq.database import Database
    from ehpc_jupyter.localq.indices import Array
    from ehpc_jupyter.localq.machine import Machine


class NewJob(NamedTuple):
    """A job to be submitted.

    Attributes:
        script: absolute path; it is run as it stands when the task starts.
        work_dir: absolute path.
        stdout: absolute path; ``%j`` and ``%A`` become the job's id, ``%a`` the task's number, ``%%`` a per cent sign.
        stderr: likewise.
        umask: of the submitter.
        environment: see ``environment.kept``.
        wall_time_s: None for no limit.
        held: it waits until it is released.
    """

    script: str
    name: str
    token: str
    user: str
    work_dir: str
    stdout: str
    stderr: str
    umask: int
    environment: bytes
    priority: int
    need: Amount
    wall_time_s: int | None
    array: Array | None
    held: bool


def submit(database: Database, job: NewJob, machine: Machine, now: int) -> int:
    """Put a job in the queue; returns its id. Raises Refused: the machine can never run it."""
    total = Amount(machine.cores, machine.memory_mb, len(machine.gpus))
    if words := total.lacks(job.need):
        raise Refused(words)
    span = job.array or (None, None, None)
    with database:
        row = database.execute(
            "INSERT INTO jobs (script, name, token, user, work_dir, stdout, stderr, umask, environment, priority,"
            " cores, memory_mb, gpus, wall_time_s, first, last, step, submitted)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (*job[:10], *job.need, job.wall_time_s, *span, now),
        )
        number = int(row.lastrowid or 0)
        database.put(number, HELD if job.held else QUEUED, job.array.all if job.array else one(0))
    return number


class Chosen(NamedTuple):
    """What an id names: a job, and the indices of its tasks."""

    job: int
    tasks: Indices


def choose(database: Database, text: str) -> Chosen:
    """Read an id: ``12``, ``12_3``, ``12_3,5-9``. Raises Refused: there is no such job or task."""
    head, underscore, tail = text.partition("_")
    number = int(head) if head.isascii() and head.isdecimal() and len(head) < 19 else None
    if number is None:
        raise Refused(f"{text!r} is no job id")
    row = database.execute("SELECT first, last, step FROM jobs WHERE id = ?", (number,)).fetchone()
    if row is None:
        raise Refused(f"there is no job {head}")
    array = array_of(row)
    if array is None:
        if underscore:
            raise Refused(f"job {head} is no array: it has no task {tail}")
        return Chosen(number, one(0))
    try:
        return Chosen(number, array.read(tail) if underscore else array.all)
    except Refused as error:
        raise Refused(f"job {head}: {error}") from None


def stop(database: Database, text: str, now: int) -> list[tuple[int, int]]:
    """Stop a job or tasks; those that ended already are left alone.

    Returns:
        The running tasks (job, index) whose shepherds must be told.

    Raises:
        Refused: there is no such job or task.
    """
    with database:
        job, chosen = choose(database, text)
        for state in (QUEUED, HELD):
            members = database.members(job, state)
            if hit := members & chosen:
                database.put(job, state, members - hit)
                database.add_ended(job, CANCELLED, hit, None, now)
        rows = database.execute("SELECT task FROM tasks WHERE job = ? AND state IN ('STARTING', 'RUNNING')", (job,))
        running = [(job, row["task"]) for row in rows if row["task"] in chosen]
        database.connection.executemany("UPDATE tasks SET stop = 1 WHERE job = ? AND task = ?", running)
        database.settle(job, now)
    return running


def hold(database: Database, text: str) -> None:
    """Keep what waits of a job, or of its tasks, from starting. Raises Refused: nothing of it waits."""
    _move(database, text, QUEUED, HELD)


def release(database: Database, text: str) -> None:
    """Let what is held start again. Raises Refused: nothing of it is held or waits."""
    _move(database, text, HELD, QUEUED)


def _move(database: Database, text: str, source: str, target: str) -> None:
    with database:
        job, chosen = choose(database, text)
        members, others = database.members(job, source), database.members(job, target)
        hit = members & chosen
        if not hit and not others & chosen:
            raise Refused(f"nothing of job {text} waits: it runs or has ended")
        database.put(job, source, members - hit)
        database.put(job, target, others | hit)
