"""What a user may order: submit (or only ask), stop, hold, release. Each is one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ehpc_jupyter.localq import Refused, dependencies, progress
from ehpc_jupyter.localq.database import BLOCKED, CANCELLED, HELD, QUEUED, WAITING, array_of
from ehpc_jupyter.localq.dependencies import Need
from ehpc_jupyter.localq.indices import Indices, one
from ehpc_jupyter.localq.plan import Amount, Waiting, plan

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
        after: conditions and ids of the jobs that it waits for.
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
    after: list[tuple[str, str]]


def submit(database: Database, job: NewJob, machine: Machine, now: int) -> int:
    """Put a job in the queue; returns its id.

    Raises:
        Refused: the machine can never run it, or it is to wait for a job that is not known.
    """
    _total(job, machine)
    span = job.array or (None, None, None)
    with database:
        needs = _needs(database, job)
        row = database.execute(
            "INSERT INTO jobs (script, name, token, user, work_dir, stdout, stderr, umask, environment, priority,"
            " cores, memory_mb, gpus, wall_time_s, first, last, step, submitted)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (*job[:10], *job.need, job.wall_time_s, *span, now),
        )
        number = int(row.lastrowid or 0)
        blocked = dependencies.add(database, number, needs)
        state = HELD if job.held else BLOCKED if blocked else QUEUED
        database.put(number, state, job.array.all if job.array else one(0))
    return number


def starts_now(database: Database | None, job: NewJob, machine: Machine) -> bool:
    """Whether a job, or a task of it, would start at once if it was submitted now; nothing is written.

    Args:
        database: None: there is none yet, nothing was ever submitted.
        job: as for ``submit``.
        machine: what the queue gives away.

    Raises:
        Refused: as ``submit`` would.
    """
    total = _total(job, machine)
    new = Waiting(0, job.array.size if job.array else 1, job.need)
    if database is None:
        for condition, other in job.after:
            raise Refused(f"it cannot wait for {condition}:{other}: there is no job {other}")
        return not job.held
    database.execute("BEGIN")
    try:
        holds = all(dependencies.verdict(database, need) for need in _needs(database, job))
        free, _ = progress.unused(machine, progress.live(database))
        ahead = progress.waiting(database, priority=job.priority)
        choices = list(plan(total, free, [*ahead, new]))
    finally:
        database.execute("COMMIT")
    return holds and not job.held and choices[-1].start > 0


def _total(job: NewJob, machine: Machine) -> Amount:
    """What the machine has. Raises Refused: that is less than the job needs."""
    total = Amount(machine.cores, machine.memory_mb, len(machine.gpus))
    if words := total.lacks(job.need):
        raise Refused(words)
    return total


def _needs(database: Database, job: NewJob) -> list[Need]:
    needs = []
    for condition, other in job.after:
        try:
            needs.append(Need(condition, *choose(database, other)))
        except Refused as error:
            raise Refused(f"it cannot wait for {condition}:{other}: {error}") from None
    return needs


class Chosen(NamedTuple):
    """What an id names: a job, and the indices of its tasks."""

    job: int
    tasks: Indices


def choose(database: Database, text: str) -> Chosen:
    """Read an id: ``12``, ``12_3``, ``12_[3,5-9]``. Raises Refused: there is no such job or task."""
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


def stop(database: Database, text: str, now: int, who: str) -> list[tuple[int, int]]:
    """Stop a job or tasks; those that ended already are left alone.

    Args:
        text: the id.
        now: the time.
        who: orders it, for the reason of the tasks' end.

    Returns:
        The running tasks (job, index) whose shepherds must be told.

    Raises:
        Refused: there is no such job or task.
    """
    with database:
        job, chosen = choose(database, text)
        for state in WAITING:
            members = database.members(job, state)
            if hit := members & chosen:
                database.put(job, state, members - hit)
                database.add_ended(job, CANCELLED, hit, now, reason=f"cancelled by {who}")
        rows = database.execute("SELECT task FROM tasks WHERE job = ? AND state IN ('STARTING', 'RUNNING')", (job,))
        running = [(job, row["task"]) for row in rows if row["task"] in chosen]
        orders = [(who, *each) for each in running]
        database.connection.executemany(
            "UPDATE tasks SET stop = 1, stopped_by = coalesce(stopped_by, ?) WHERE job = ? AND task = ?", orders
        )
        database.settle(job, now)
        dependencies.judge(database, job)
    return running


def hold(database: Database, text: str) -> None:
    """Keep what waits of a job, or of its tasks, from starting. Raises Refused: nothing of it waits."""
    with database:
        job, chosen = _waiting(database, text, "held")
        for state in (QUEUED, BLOCKED):
            _move(database, job, chosen, state, HELD)


def release(database: Database, text: str) -> None:
    """Let what is held wait for its turn again. Raises Refused: nothing of it is held or waits."""
    with database:
        job, chosen = _waiting(database, text, "released")
        _move(database, job, chosen, HELD, BLOCKED if dependencies.has_needs(database, job) else QUEUED)


def _waiting(database: Database, text: str, what: str) -> Chosen:
    """The tasks that an id names. Raises Refused: none of them waits."""
    job, chosen = choose(database, text)
    if not any(database.members(job, state) & chosen for state in WAITING):
        rows = database.execute("SELECT task FROM tasks WHERE job = ? AND state IN ('STARTING', 'RUNNING')", (job,))
        word = "runs" if any(row["task"] in chosen for row in rows) else "has ended"
        raise Refused(f"job {text} {word}; only what waits can be {what}")
    return Chosen(job, chosen)


def _move(database: Database, job: int, chosen: Indices, source: str, target: str) -> None:
    members = database.members(job, source)
    if hit := members & chosen:
        database.put(job, source, members - hit)
        database.put(job, target, database.members(job, target) | hit)
