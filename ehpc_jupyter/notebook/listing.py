"""Lists that show themselves as tables: jobs, queues, clusters."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ehpc_jupyter.models.job import JobState
from ehpc_jupyter.notebook.display import duration, html_table, moment, run_time_s, state_html
from ehpc_jupyter.notebook.states import LOOKS, plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ehpc_jupyter.models.actions import ClusterInfo, QueueInfo
    from ehpc_jupyter.models.job import JobDetail
    from ehpc_jupyter.notebook.job import Job

_T = TypeVar("_T")


class Listing(list[_T], Generic[_T]):
    """A list; as the last line of a cell, or printed, it is a table.

    Args:
        items: what is in the list.
        heading: a line above the table, also what is shown of an empty list.
        columns: titles, and what stands below each: text, or a state.
    """

    def __init__(
        self, items: Iterable[_T], heading: str, columns: Sequence[tuple[str, Callable[[_T], str | JobState]]]
    ) -> None:
        super().__init__(items)
        self.heading = heading
        self._columns = [
            (title, cell)
            for title, cell in columns
            if title in {columns[0][0], "state"} or any(cell(item) for item in self)
        ]

    def __repr__(self) -> str:
        if not self:
            return self.heading
        titles = [title for title, _ in self._columns]
        rows = [[_text_cell(cell(item)) for _, cell in self._columns] for item in self]
        widths = [max(len(row[column]) for row in [titles, *rows]) for column in range(len(titles))]
        lines = [
            "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in [titles, *rows]
        ]
        return "\n".join([self.heading, *lines])

    __str__ = __repr__

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))

    def _repr_html_(self) -> str:
        rows = ((_html_cell(cell(item)) for _, cell in self._columns) for item in self)
        return html_table(self.heading, [title for title, _ in self._columns], rows)


def _text_cell(value: str | JobState) -> str:
    if isinstance(value, JobState):
        return f"{LOOKS[value].sign} {LOOKS[value].word}"
    return plain(value)


def _html_cell(value: str | JobState) -> str:
    return state_html(value) if isinstance(value, JobState) else escape(plain(value))


def job_listing(jobs: Iterable[Job], cluster: str, total: int) -> Listing[Job]:
    """Jobs as a table: what they are first, then what they do, then the rest."""
    shown = list(jobs)
    details: dict[int, JobDetail] = {id(job): job.known() for job in shown}

    def of(cell: Callable[[JobDetail], str | JobState]) -> Callable[[Job], str | JobState]:
        return lambda job: cell(details[id(job)])

    more = f", {len(shown)} of {total}" if total > len(shown) else ""
    return Listing(
        shown,
        f"Jobs on {cluster}{more}" if shown else f"No jobs on {cluster}",
        [
            ("id", of(lambda d: d.job_id or "none yet")),
            ("name", of(lambda d: d.job_name)),
            ("state", of(lambda d: d.state)),
            ("exit", of(lambda d: "" if d.exit_code is None else str(d.exit_code))),
            ("queue", of(lambda d: d.queue or "")),
            ("submitted", of(lambda d: moment(d.submit_time))),
            ("ran", of(lambda d: duration(run_time_s(d)))),
            ("limit", of(lambda d: duration(d.wall_time_s))),
            ("reason", of(lambda d: d.reason or d.stale_reason or "")),
        ],
    )


def queue_listing(queues: Iterable[QueueInfo], cluster: str) -> Listing[QueueInfo]:
    """Queues as a table; a limit that no queue has gets no column."""
    shown = list(queues)
    return Listing(
        shown,
        f"Queues of {cluster}; the default is marked *" if shown else f"{cluster} names no queues",
        [
            ("queue", lambda q: f"{q.queue_name} *" if q.is_default else q.queue_name),
            ("status", lambda q: q.state),
            ("time limit", lambda q: q.max_wall_time or ""),
            ("nodes", lambda q: _figure(q.max_nodes)),
            ("idle", lambda q: _figure(q.idle_nodes)),
            ("cores a node", lambda q: _figure(q.max_cores_per_node)),
            ("memory a node", lambda q: q.max_memory_per_node or ""),
            ("GPUs a node", lambda q: _figure(q.max_gpus_per_node)),
            ("cores in all", lambda q: _figure(q.total_cores)),
        ],
    )


def cluster_listing(clusters: Iterable[ClusterInfo]) -> Listing[ClusterInfo]:
    """Clusters as a table."""
    shown = list(clusters)
    return Listing(
        shown,
        "Clusters" if shown else "No clusters are configured",
        [
            ("cluster", lambda c: c.cluster_id),
            ("status", lambda c: _CLUSTER_WORDS[c.cluster_status]),
            ("host", lambda c: c.host or ""),
            ("scheduler", lambda c: c.manager.scheduler.type if c.manager else ""),
            ("description", lambda c: c.cluster_description),
            ("reason", lambda c: c.cluster_status_reason or ""),
        ],
    )


_CLUSTER_WORDS = {"running": "answers", "exception": "does not answer", "pending": "not asked yet"}


def _figure(value: int | None) -> str:
    return "" if value is None else str(value)
