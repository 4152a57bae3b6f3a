"""``Job``: one job, as a notebook holds it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ehpc_jupyter.errors import EhpcError
from ehpc_jupyter.models.job import JobState
from ehpc_jupyter.notebook import display, provenance
from ehpc_jupyter.notebook.failure import JobFailed, failure_of
from ehpc_jupyter.notebook.following import Following
from ehpc_jupyter.notebook.frontend import lacks_card
from ehpc_jupyter.notebook.handle import Handle
from ehpc_jupyter.notebook.listing import event_listing
from ehpc_jupyter.notebook.progress import Progress
from ehpc_jupyter.notebook.states import brief
from ehpc_jupyter.notebook.tasks import task_listing
from ehpc_jupyter.notebook.waiting import Pauses, WaitInterrupted
from ehpc_jupyter.notebook.watching import hub

if TYPE_CHECKING:
    from collections.abc import Generator

    from ehpc_jupyter.models.actions import JobEvent, TaskGroup
    from ehpc_jupyter.notebook.listing import Listing
    from ehpc_jupyter.notebook.livecard import LiveCard
    from ehpc_jupyter.notebook.logs import LogName

__all__ = ["Job", "JobFailed", "Task"]


class Job(Handle):
    """One job on one cluster: what it does now, its output, ways to wait for it and to stop it.

    Made by ``Client.submit``, ``Client.job`` and ``Client.jobs``. As the last line of a cell it shows itself as a card,
    which stays live in JupyterLab. ``await job`` waits without blocking the kernel; ``await asyncio.gather(*jobs)`` waits
    for many and asks one question for all of them.

    Attributes:
        client: who asks for it.
        cluster_id: the cluster's name.
        job_id: what the scheduler calls the job; None while it has not been accepted.
    """

    _live: LiveCard | None = None

    def events(self) -> Listing[JobEvent]:
        """What became of the job, step by step, as a list that shows itself as a timeline."""
        return event_listing(self.client.events_of(self.cluster_id, self.require_id()), self.title)

    # --- an array's tasks

    @property
    def tasks(self) -> Listing[TaskGroup]:
        """The tasks of an array as a list that shows itself as a table; those of which the same is known are one row.

        Raises:
            InvalidParams: the job is no array.
        """
        return task_listing(self.client.tasks_of(self.cluster_id, self.require_id()), self.title)

    def task(self, index: int) -> Task:
        """One task of an array, as a job of its own. Nothing is asked yet.

        Args:
            index: its index, as in the array's range.
        """
        return Task(self, index)

    # --- waiting

    def wait(self, timeout: float | None = None, *, quiet: bool = False) -> Job:
        """Wait until the job has ended, well or not.

        An interrupt of the kernel ends the waiting and leaves the job alone. A server that does not answer for a
        while, for instance during a restart, is borne for a minute.

        Args:
            timeout: how long to wait at most, seconds; None for as long as it takes.
            quiet: show no progress; a wait shorter than a second shows none anyway.

        Returns:
            The job itself, so that ``job.wait().stdout()`` reads well.

        Raises:
            TimeoutError: the time is over; the job goes on.
            ServiceUnavailable: nobody answered for a minute.
        """
        clock = self.client.clock
        pauses = Pauses(self, clock, timeout)
        with Progress([self], clock, quiet=quiet) as progress:
            try:
                while (pause := pauses.after_look()) is not None:
                    progress.show()
                    clock.sleep(pause)
            except KeyboardInterrupt:
                raise self.interrupted() from None
        return self

    def interrupted(self) -> WaitInterrupted:
        """What to raise when a wait for this job is interrupted: it says that the job goes on."""
        return WaitInterrupted(f"Stopped waiting. {self.title} goes on; .stop() ends it, .wait() waits again.")

    def __await__(self) -> Generator[Any, None, Job]:
        return self._wait_async().__await__()

    async def _wait_async(self) -> Job:
        await hub(self.client.clock).ended(self)
        return self

    # --- doing

    def stop(self) -> Job:
        """Tell the cluster to stop the job; it takes a moment until ``state`` says so. Returns the job itself.

        Raises:
            StopFailure: the scheduler refused.
        """
        self.client.stop(self).check()
        return self

    def hold(self) -> Job:
        """Keep the job from starting until it is released. Returns the job itself.

        Raises:
            AgentError: the scheduler refused, for instance because the job has ended.
        """
        self.client.hold(self).check()
        return self

    def release(self) -> Job:
        """Let the job start again after ``hold``. Returns the job itself; raises as ``hold`` does."""
        self.client.release(self).check()
        return self

    def rerun(self) -> Job:
        """Submit the job once more, with the same specification, after it ended. Returns the new job.

        Raises:
            RerunFailure: it has not ended, or cannot be submitted again.
        """
        new = self.client.rerun(self).check()[0].new
        if new is None:
            raise EhpcError(f"{self.title} was submitted again, but nobody said as which job; client.jobs() has it")
        return new

    def delete(self, *, folder: bool = False) -> None:
        """Forget the job after it ended: it is no longer listed.

        Args:
            folder: whether its folder on the cluster goes, too, with the output in it.

        Raises:
            DeleteFailure: it has not ended, or its folder could not be removed.
        """
        self.client.delete(self, folder=folder).check()

    def check(self) -> Job:
        """Raise if the job ended and not well; one that waits or runs passes. Returns the job itself.

        Raises:
            JobFailed: with the reason in plain words, what to change, the exit code and the last lines of standard error.
        """
        detail = self.detail
        if detail.is_final and detail.state is not JobState.FINISHED:
            raise failure_of(self)
        return self

    #: The same under the name that users of ``requests`` know.
    raise_for_state = check

    # --- output

    def follow(self, task: int | None = None, *, stream: LogName = "stdout") -> Following:
        """An output as it comes: ``for text in job.follow()``, or ``async for`` where the kernel must not be blocked.

        It begins with what is there and ends with the job. An interrupt of the kernel ends it and leaves the job alone.

        Args:
            task: the index of a task, for an array.
            stream: which of the two outputs.

        Raises:
            ValueError: an array, and no task is named.
        """
        if task is not None:
            return self.task(task).follow(stream=stream)
        if self.known().array_request:
            raise ValueError(f"{self.title} is an array; say which task to follow, for instance follow(task=1)")
        return Following(self, stream)

    # --- showing

    def __repr__(self) -> str:
        detail = self._detail
        return f"<{self.title}: {brief(detail) if detail else 'not asked yet'}>"

    def __str__(self) -> str:
        return display.text(self.shown())

    def live(self) -> LiveCard:
        """The card as a widget: state, facts, the end of the output and a button to stop the job, kept up to date.

        For front ends without JupyterLab's extensions (classic, VS Code, Colab).
        """
        from ehpc_jupyter.notebook.livecard import LiveCard

        return LiveCard(self)

    def provenance(self) -> dict[str, Any]:
        """What an output's metadata keeps of the job; see ``provenance.metadata``."""
        return provenance.metadata(self.known(), self._request)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> tuple[dict[str, Any], dict[str, Any]]:
        bundle = display.bundle(self.shown())
        if lacks_card():
            self._live = self._live or self.live()
            bundle |= self._live.view()
        return bundle, self.provenance()


class Task(Job):
    """One task of an array: its state, its output, a way to stop it.

    Attributes:
        array: the whole job.
        index: its index in the array.
    """

    def __init__(self, array: Job, index: int) -> None:
        array_id = array.require_id()
        super().__init__(array.client, array.cluster_id, f"{array_id}_{index}", name=array.name)
        self.array = array
        self.index = index
        self.task_of = (array_id, index)

    @property
    def title(self) -> str:
        """``Task 3 of Job 12 'sweep' on local``."""
        return f"Task {self.index} of {self.array.title}"
