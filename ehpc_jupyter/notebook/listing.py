"""Lists that show themselves as tables: jobs, queues, clusters, tasks, events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from ehpc_jupyter.models.job import JobState
from ehpc_jupyter.notebook.display import duration, html_table, moment, run_time_s, state_html
from ehpc_jupyter.notebook.markup import html, plain
from ehpc_jupyter.notebook.states import LOOKS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ehpc_jupyter.models.actions import ClusterInfo, JobEvent, QueueInfo
    from ehpc_jupyter.models.job import JobDetail
    from ehpc_jupyter.notebook.job import Job

_T = TypeVar("_T")


class Column(NamedTuple):
    """A column of a table.

    Attributes:
        title: its heading.
        cell: what stands in it for an item of the list: text, or a state.
    """

    title: str
    cell: Callable[[Any], str | JobState]


class Listing(list[_T], Generic[_T]):
    """A list; as the last line of a cell, or printed, it is a table. ``to_frame()`` makes it a pandas DataFrame.

    Args:
        items: what is in the list.
        heading: a line above the table, also what is shown of an empty list.
        columns: the columns; one that is empty for all items is left out, but the first and the state.
        record: all that is known of an item, by name, for ``to_frame``; what is not known is None.
    """

    def __init__(
        self,
        items: Iterable[_T],
        heading: str,
        columns: Sequence[tuple[str, Callable[[Any], str | JobState]]],
        record: Callable[[_T], dict[str, Any]] = lambda item: item.model_dump(mode="json"),  # type: ignore[attr-defined]
    ) -> None:
        super().__init__(items)
        self.heading = heading
        self._record = record
        self._columns = [
            Column(title, cell)
            for title, cell in columns
            if title in {columns[0][0], "state"} or any(cell(item) for item in self)
        ]

    def to_frame(self) -> Any:
        """All that is known as a pandas ``DataFrame``: a row for each item, names as in the models, times as timestamps.

        Raises:
            ImportError: pandas is not installed.
        """
        try:
            import pandas as pd
        except ImportError as error:
            raise ImportError(
                "to_frame() needs pandas, which this kernel does not have: %pip install pandas"
            ) from error
        frame = pd.DataFrame([self._record(item) for item in self])
        for name in frame.columns:
            if name == "time" or str(name).endswith("_time"):
                frame[name] = pd.to_datetime(frame[name], unit="s", utc=True)
            elif _is_whole(frame[name]):
                frame[name] = frame[name].astype("Int64")  # whole numbers of which some are not known
        return frame

    def __repr__(self) -> str:
        if not self:
            return self.heading
        titles = [column.title for column in self._columns]
        rows = [[_text_cell(column.cell(item)) for column in self._columns] for item in self]
        widths = [max(len(row[column]) for row in [titles, *rows]) for column in range(len(titles))]
        lines = [
            "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in [titles, *rows]
        ]
        return "\n".join([plain(self.heading), *lines])

    __str__ = __repr__

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))

    def _repr_html_(self) -> str:
        if not self:
            return html("<div>{}</div>", plain(self.heading))
        rows = ([_html_cell(column.cell(item)) for column in self._columns] for item in self)
        return html_table(plain(self.heading), [column.title for column in self._columns], rows)


def _is_whole(values: Any) -> bool:
    known = [value for value in values if value is not None and value == value]
    return bool(known) and all(float(v).is_integer() for v in known if _is_number(v)) and all(map(_is_number, known))


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _text_cell(value: str | JobState) -> str:
    if isinstance(value, JobState):
        return f"{LOOKS[value].sign} {LOOKS[value].word}"
    return plain(value)


def _html_cell(value: str | JobState) -> str:
    return state_html(value) if isinstance(value, JobState) else plain(value)


def job_listing(jobs: Iterable[Job], cluster: str, total: int) -> Listing[Job]:
    """Jobs as a table: what they are first, then what they do, then the rest."""
    shown = list(jobs)
    details: dict[Job, JobDetail] = {job: job.known() for job in shown}

    def of(cell: Callable[[JobDetail], str | JobState]) -> Callable[[Job], str | JobState]:
        return lambda job: cell(details[job])

    more = f", {len(shown)} of {total}" if total > len(shown) else ""
    return Listing(
        shown,
        f"Jobs on {cluster}{more}" if shown else f"No jobs on {cluster}",
        [
            Column("id", of(lambda d: d.job_id or "none yet")),
            Column("name", of(lambda d: d.job_name)),
            Column("state", of(lambda d: d.state)),
            Column("exit", of(lambda d: figure(d.exit_code))),
            Column("queue", of(lambda d: d.queue or "")),
            Column("submitted", of(lambda d: moment(d.submit_time))),
            Column("ran", of(lambda d: duration(run_time_s(d)))),
            Column("limit", of(lambda d: duration(d.wall_time_s))),
            Column("starts", of(lambda d: moment(d.expected_start_time))),
            Column("reason", of(lambda d: d.explanation or d.reason or d.stale_reason or "")),
        ],
        lambda job: details[job].model_dump(mode="json"),
    )


def event_listing(events: Iterable[JobEvent], title: str) -> Listing[JobEvent]:
    """What became of a job as a timeline."""
    shown = list(events)
    start = shown[0].time if shown else 0
    return Listing(
        shown,
        f"What became of {title}" if shown else f"Nothing is noted of {title}",
        [
            Column("time", lambda e: moment(e.time)),
            Column("after", lambda e: f"+{duration(max(0, e.time - start)) or '0:00:00'}"),
            Column("state", lambda e: e.state),
            Column("said by", lambda e: _SOURCES[e.source]),
            Column("reason", lambda e: e.reason or ""),
        ],
    )


_SOURCES = {
    "request": "the request",
    "submit": "the submission",
    "queue": "the queue",
    "history": "the accounting",
    "folder": "the job's folder",
}


def queue_listing(queues: Iterable[QueueInfo], cluster: str) -> Listing[QueueInfo]:
    """Queues as a table; a limit that no queue has gets no column."""
    shown = list(queues)
    return Listing(
        shown,
        f"Queues of {cluster}; the default is marked *" if shown else f"{cluster} names no queues",
        [
            Column("queue", lambda q: f"{q.queue_name} *" if q.is_default else q.queue_name),
            Column("status", lambda q: q.state),
            Column("time limit", lambda q: q.max_wall_time or ""),
            Column("nodes", lambda q: figure(q.max_nodes)),
            Column("idle", lambda q: figure(q.idle_nodes)),
            Column("cores a node", lambda q: figure(q.max_cores_per_node)),
            Column("memory a node", lambda q: q.max_memory_per_node or ""),
            Column("GPUs a node", lambda q: figure(q.max_gpus_per_node)),
            Column("cores in all", lambda q: figure(q.total_cores)),
        ],
    )


def cluster_listing(clusters: Iterable[ClusterInfo]) -> Listing[ClusterInfo]:
    """Clusters as a table."""
    shown = list(clusters)
    return Listing(
        shown,
        "Clusters" if shown else "No clusters are configured",
        [
            Column("cluster", lambda c: c.cluster_id),
            Column("status", lambda c: _CLUSTER_WORDS.get(c.cluster_status, c.cluster_status)),
            Column("host", lambda c: c.host or ""),
            Column("scheduler", lambda c: c.manager.scheduler.type if c.manager else ""),
            Column("description", lambda c: c.cluster_description),
            Column("reason", lambda c: c.cluster_status_reason or ""),
        ],
    )


_CLUSTER_WORDS = {"running": "answers", "exception": "does not answer", "pending": "not asked yet"}


def figure(value: int | None) -> str:
    """A number as text; empty if not known."""
    return "" if value is None else str(value)
