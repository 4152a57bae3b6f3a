"""Which waiting tasks start now. Pure.

Higher priority first, then the order of submission. A job that does not fit keeps what it needs of what is free, so
that smaller ones behind it may start on the rest but never delay it: nobody starves, and a job that waits for the GPU
does not stop those that only want a core.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: Why a task waits, in Slurm's words, which people know.
RESOURCES, PRIORITY = "Resources", "Priority"


class Amount(NamedTuple):
    """Cores, memory (MB), number of GPUs."""

    cores: int
    memory_mb: int
    gpus: int

    def minus(self, other: Amount, times: int = 1) -> Amount:
        """What is left, never below zero."""
        return Amount(
            max(0, self.cores - times * other.cores),
            max(0, self.memory_mb - times * other.memory_mb),
            max(0, self.gpus - times * other.gpus),
        )

    def fits(self, need: Amount) -> int:
        """How many times ``need`` fits in; a million if it needs nothing."""
        return min((mine // its for mine, its in zip(self, need, strict=True) if its), default=1_000_000)

    def lacks(self, need: Amount) -> str:
        """What a machine of this size lacks for ``need``, in words; empty if nothing."""
        units = ("core{}", "MB of memory", "GPU{}")
        return "; ".join(
            f"{its} {unit.format('s' * (its != 1))} asked for, this machine has {mine}"
            for mine, its, unit in zip(self, need, units, strict=True)
            if its > mine
        )


class Waiting(NamedTuple):
    """A job with tasks that wait: how many, and what each needs."""

    job: int
    tasks: int
    need: Amount


class Choice(NamedTuple):
    """How many of the job's tasks start now, and why the others do not (None if there are none)."""

    job: int
    start: int
    reason: str | None


def plan(total: Amount, free: Amount, waiting: Iterable[Waiting], *, to_the_end: bool = True) -> Iterator[Choice]:
    """Decide, job by job.

    Args:
        total: what the machine has.
        free: what of it nobody uses now.
        waiting: in the order of their turn; each needs a core at least.
        to_the_end: also say why jobs wait for which no core is left; else they are not looked at.
    """
    left = free  # what nobody uses and nobody ahead waits for
    for job in waiting:
        if not left.cores and not to_the_end:
            return
        if words := total.lacks(job.need):
            yield Choice(job.job, 0, words)
            continue
        start = min(job.tasks, left.fits(job.need))
        free, left = free.minus(job.need, start), left.minus(job.need, start)
        if start == job.tasks:
            yield Choice(job.job, start, None)
            continue
        yield Choice(job.job, start, PRIORITY if free.fits(job.need) else RESOURCES)
        left = left.minus(job.need)
