"""The tasks of an array: how those that ended did, which nobody speaks of. Sets of tasks are spans; nothing is expanded. Pure.

A scheduler forgets tasks that ended within minutes, and an array may have 100,000: what is once known of a task's end is kept,
so that neither the accounting nor the job's folder is asked about it again.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from ehpc_jupyter.localq.indices import Array, Indices
from ehpc_jupyter.models.actions import TaskGroup
from ehpc_jupyter.models.job import JobState
from ehpc_jupyter.models.values import ArrayRange

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ehpc_jupyter.schedulers.base import JobReport
    from ehpc_jupyter.schedulers.script import TaskRecord

#: Tasks of an array with a step that are named one by one.
_LISTED = 1000
_PART = re.compile(r"(\d{1,9})(?:-(\d{1,9})(?::(\d{1,9}))?)?", re.ASCII)


class Ending(NamedTuple):
    """How a task ended; tasks of which the same is known are kept together."""

    state: JobState
    exit_code: int | None = None
    signal: int | None = None
    reason: str | None = None


class EndedTasks:
    """How the tasks of an array ended, as far as that is known.

    Args:
        array: ``JobDetail.array_request``.
        text: what ``str`` of an earlier one gave.
    """

    def __init__(self, array: str, text: str | None = None) -> None:
        asked = ArrayRange.parse(array)
        self.array = Array(asked.first, asked.last, asked.step)
        self._by_ending: dict[Ending, Indices] = {}
        self._asked = Indices()
        for state, code, signal, reason, tasks in json.loads(text) if text else ():
            self._by_ending[Ending(JobState(state), code, signal, reason)] = Indices.parse(tasks)

    def __str__(self) -> str:
        return json.dumps([[*ending, str(tasks)] for ending, tasks in self._by_ending.items()])

    def read(self, text: str | None) -> Indices:
        """The tasks of a scheduler's list, ``3``, ``1,3,5``, ``[2-9:3%4]``; what is none of this array's is left out.

        A step that is not the array's own (Slurm writes what is left of ``1-9`` as ``1-9:2``) is followed task by task.
        """
        size, spans = self.array.size, []
        for part in (text or "").strip("[]").partition("%")[0].split(","):
            match = _PART.fullmatch(part)
            if not match:
                continue
            first, last, step = int(match[1]), int(match[2] or match[1]), int(match[3] or self.array.step)
            low = max(0, -((self.array.first - first) // self.array.step))
            high = min(size - 1, (last - self.array.first) // self.array.step)
            if low > high:
                continue
            if step == self.array.step or not match[3]:
                spans.append((low, high))
            else:
                numbers = (number for number in range(first, last + 1, step) if number <= self.array.last)
                spans += [
                    (index, index)
                    for number in numbers
                    if (index := (number - self.array.first) // self.array.step) >= 0
                    and self.array.number(index) == number
                ]
        return Indices(*spans)

    @property
    def all(self) -> Indices:
        """The tasks whose end is known."""
        return Indices(*(span for tasks in self._by_ending.values() for span in tasks.spans))

    def counts(self) -> dict[JobState, int]:
        """How many ended in each state."""
        found: dict[JobState, int] = {}
        for ending, tasks in self._by_ending.items():
            found[ending.state] = found.get(ending.state, 0) + len(tasks)
        return found

    def exit_codes(self) -> list[int]:
        """All exit codes there are, once each."""
        return [ending.exit_code for ending in self._by_ending if ending.exit_code is not None]

    def ending(self, index: int) -> Ending | None:
        """How a task ended, by its index in the array; None if that is not known."""
        return next((ending for ending, tasks in self._by_ending.items() if index in tasks), None)

    def add(self, tasks: Indices, ending: Ending) -> None:
        """Note how tasks ended; what was known of them before is replaced."""
        if tasks:
            self.forget(tasks)
            self._by_ending[ending] = self._by_ending.get(ending, Indices()) | tasks

    def forget(self, tasks: Indices) -> None:
        """Tasks that run or wait once more, as after a requeue."""
        for ending, known in list(self._by_ending.items()):
            left = known - tasks
            if left:
                self._by_ending[ending] = left
            else:
                del self._by_ending[ending]

    def learn(
        self,
        queue: Sequence[JobReport],
        history: Sequence[JobReport] = (),
        records: Mapping[int, TaskRecord] | None = None,
    ) -> None:
        """Note what the queue, the accounting and the tasks' own records say of ends.

        Args:
            queue: the scheduler's reports of the array.
            history: the accounting's.
            records: by the task's number.
        """
        records = records or {}
        busy = Indices(*(span for r in queue if not r.state.is_final for span in self.read(r.tasks).spans))
        self.forget(busy)
        for reports in (history, queue):
            # Tasks of one fate together: thousands of reports are then a few unions.
            spans: dict[Ending, list[tuple[int, int]]] = {}
            for report in reports:
                if report.state.is_final and report.tasks:
                    spans.setdefault(_ending(report), []).extend(self.read(report.tasks).spans)
            for ending, own in spans.items():
                self._learn_end(Indices(*own) - busy, ending, records)
        for number, record in records.items():
            if record.exit_code is None:
                continue
            index = self.read(str(number)) - busy
            # Whether one that was asked to end was stopped or ran out of time, its own record cannot say.
            if index and not index & self.all:
                state = JobState.FINISHED if record.exit_code == 0 else JobState.FAILED
                self.add(index, Ending(state, record.exit_code))

    def _learn_end(self, tasks: Indices, ending: Ending, records: Mapping[int, TaskRecord]) -> None:
        if ending.state is not JobState.FINISHED:
            for number, record in records.items():
                own = self.read(str(number)) & tasks
                if own and record.exit_code is not None:
                    self.add(own, ending._replace(exit_code=record.exit_code))
                    tasks = tasks - own
            if ending.exit_code is None:
                # A second look that says less than the first does not take its exit code away.
                for known, members in self._by_ending.items():
                    if known.state is ending.state and known.exit_code is not None:
                        tasks = tasks - members
        self.add(tasks, ending)

    def written(self, text: str) -> str:
        """A list of tasks with the array's own tasks only, ``1-5`` of ``1-9:2`` as ``1,3,5``: Slurm calls an order failed for
        those that are not there."""
        tasks = self.read(text)
        if self.array.step == 1:
            return self.array.write(tasks)
        numbers = self.numbers(tasks, _LISTED)
        return self.array.write(tasks) if numbers is None else ",".join(str(number) for number in numbers)

    def stopped(self, tasks: Indices) -> None:
        """Tasks that the scheduler was told to stop, that it does not know any more and that never started."""
        self.add(tasks, Ending(JobState.CANCELLED))

    def without_exit_code(self) -> Indices:
        """Tasks that ended and not well, of which the exit code may still be read from their records."""
        known = (
            span
            for ending, tasks in self._by_ending.items()
            if ending.exit_code is None and ending.state in (JobState.FAILED, JobState.TIMEOUT, JobState.OUT_OF_MEMORY)
            for span in tasks.spans
        )
        return Indices(*known) - self._asked

    def asked(self, tasks: Indices) -> None:
        """The records of these tasks were read after their end: if they have no exit code, they never will."""
        self._asked |= tasks

    def missing(self, queue: Iterable[JobReport]) -> Indices:
        """The tasks of which neither the queue speaks nor an end is known."""
        spoken = Indices(*(span for report in queue for span in self.read(report.tasks).spans))
        return self.array.all - spoken - self.all

    def numbers(self, tasks: Indices, most: int) -> list[int] | None:
        """The tasks' numbers; None if they are more than ``most``."""
        return [self.array.number(index) for index in tasks.lowest(most)] if len(tasks) <= most else None

    def groups(self, queue: Sequence[JobReport]) -> list[TaskGroup]:
        """All tasks, those of which the same is known together, in the order of their first index."""
        found: list[tuple[Indices, TaskGroup]] = []
        alone: dict[str, JobReport] = {}
        for report in queue:
            if not report.state.is_final:
                tasks = self.read(report.tasks)
                found.append((tasks, _group(report.state, native_state=report.native_state, reason=report.reason)))
                alone[self.array.write(tasks)] = report
        alive = Indices(*(span for tasks, _ in found for span in tasks.spans))
        for (state, code, signal, reason), known in self._by_ending.items():
            found.append((known - alive, _group(state, exit_code=code, signal=signal, reason=reason)))
        found.append((self.missing(queue), _group(JobState.UNKNOWN)))
        merged: dict[TaskGroup, Indices] = {}
        for tasks, told in found:
            merged[told] = merged.get(told, Indices()) | tasks
        return [
            self._filled(told, tasks, alone)
            for told, tasks in sorted(merged.items(), key=lambda item: item[1].spans)
            if tasks
        ]

    def _filled(self, told: TaskGroup, tasks: Indices, alone: Mapping[str, JobReport]) -> TaskGroup:
        text = self.array.write(tasks)
        more: dict[str, object] = {"tasks": text, "count": len(tasks)}
        if (report := alone.get(text)) is not None and not told.state.is_final:
            more |= {"node_list": report.node_list, "start_time": report.start_time}
        return told.model_copy(update=more)


def _ending(report: JobReport) -> Ending:
    code = 0 if report.state is JobState.FINISHED and report.exit_code is None else report.exit_code
    return Ending(report.state, code, report.signal, report.reason)


def _group(state: JobState, **more: Any) -> TaskGroup:
    """Without what differs from task to task."""
    return TaskGroup(tasks="", count=0, state=state, **more)
