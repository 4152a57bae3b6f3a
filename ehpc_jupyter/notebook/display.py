"""A job as text, as a static card, and as data for the live card of the JupyterLab extension.

The static card is what GitHub, nbviewer, VS Code, an export and a notebook without the extension show. It is a title and
a table, which read well also where styles are taken away (GitHub does, and leaves ``align``). It takes its colours from
its surroundings, so it reads in dark and in light. Everything that came from outside is escaped.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from ehpc_jupyter.models.job import JobState
from ehpc_jupyter.models.values import Memory, WallTime
from ehpc_jupyter.notebook.markup import html, joined, plain
from ehpc_jupyter.notebook.states import LOOKS, title_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from markupsafe import Markup

    from ehpc_jupyter.models.job import JobDetail, Occupied

#: The labextension renders this type; its data is ``JobDetail`` with wire names.
JOB_MIME = "application/vnd.ehpc.job.v1+json"

MUTED = "opacity:.75"
ROW = "background:transparent"
CELL = "text-align:left;vertical-align:top;padding:.1em 1em .1em 0;background:transparent;border:0"
_TABLE = "border-collapse:collapse;background:transparent;color:inherit"
# line-height: a widget's own line is as high as a button.
_FRAME = (
    "border-left:3px solid currentColor;padding:.2em 0 .2em .8em;background:transparent;color:inherit;line-height:1.4"
)


def bundle(detail: JobDetail) -> dict[str, Any]:
    """All forms of a job for a notebook to choose from, by MIME type."""
    return {"text/plain": text(detail), "text/html": str(card(detail)), JOB_MIME: detail.to_wire()}


def text(detail: JobDetail) -> str:
    """A job for a terminal: a line with its state, then what is known, aligned."""
    look = LOOKS[detail.state]
    head = f"{look.sign} {title_of(detail.cluster_id, detail.job_id, detail.job_name)}: {look.word}"
    return "\n".join([head, *text_rows(facts(detail))])


def text_rows(rows: Iterable[tuple[str, str]]) -> list[str]:
    """Names and values as lines, aligned."""
    known = [(plain(name), plain(value)) for name, value in rows]
    width = max((len(name) for name, _ in known), default=0)
    return [f"  {name:<{width}}  {value}" for name, value in known]


def card(detail: JobDetail) -> Markup:
    """A job as HTML."""
    return frame(headline(detail), fact_table(facts(detail)))


def frame(*parts: object) -> Markup:
    """A card: its first part is the headline."""
    head, *rest = parts
    return html('<div style="{}"><div>{}</div>{}</div>', _FRAME, head, joined(rest))


def fact_table(rows: Iterable[tuple[str, str]]) -> Markup:
    """Names and values as a table without a head."""
    body = joined(
        html(
            '<tr style="{}"><th scope="row" align="left" style="{};font-weight:normal;{}">{}</th>'
            '<td align="left" style="{};overflow-wrap:anywhere">{}</td></tr>',
            *(ROW, CELL, MUTED, plain(name), CELL, plain(value)),
        )
        for name, value in rows
    )
    return html('<table style="{};margin:.2em 0 0"><tbody>{}</tbody></table>', _TABLE, body)


def headline(detail: JobDetail) -> Markup:
    """A job's title and state in one line of HTML."""
    title = title_of(detail.cluster_id, detail.job_id, detail.job_name)
    return html("<strong>{}</strong> {}", title, state_html(detail.state))


def state_html(state: JobState) -> Markup:
    """A state as a coloured sign and its word."""
    look = LOOKS[state]
    return html(
        '<span style="white-space:nowrap"><span aria-hidden="true" style="color:{}">{}</span> {}</span>',
        *(look.colour, look.sign, look.word),
    )


def facts(detail: JobDetail) -> list[tuple[str, str]]:
    """What is known of a job, as names and values, in the order a person asks for it."""
    found: list[tuple[str, object]] = [
        ("why", detail.explanation),
        ("what to do", detail.advice),
        ("exit code", detail.exit_code),
        ("signal", detail.signal),
        ("reason", detail.reason),
        ("may be old", detail.stale_reason),
        ("tasks", tasks_words(detail)),
        ("starts", "" if detail.start_time or detail.is_final else moment(detail.expected_start_time)),
        ("waits for", detail.after if not detail.start_time else ""),
        ("runs again", f"job {detail.rerun_of}" if detail.rerun_of else ""),
        ("queue", detail.queue),
        ("nodes", detail.node_list),
        ("occupies" if not detail.is_final else "occupied", _occupied_words(detail.occupied)),
        ("memory peak", Memory(detail.memory_peak_mb) if detail.memory_peak_mb else ""),
        ("user", detail.user),
        ("submitted", moment(detail.submit_time)),
        ("started", moment(detail.start_time)),
        ("ended", moment(detail.end_time)),
        ("ran", duration(run_time_s(detail))),
        ("time limit", duration(detail.wall_time_s)),
        ("stdout", detail.stdout_path),
        ("stderr", detail.stderr_path),
        ("folder", detail.folder),
    ]
    return [(name, str(value)) for name, value in found if value not in (None, "")]


def _occupied_words(given: Occupied | None) -> str:
    if given is None:
        return ""
    each = [
        f"{count} {one if count == 1 else many}"
        for count, one, many in ((given.cores, "core", "cores"), (given.gpus, "GPU", "GPUs"))
        if count
    ]
    each += [f"{Memory(given.memory_mb)} memory"] if given.memory_mb else []
    nodes = f"{given.nodes} nodes, each " if given.nodes and given.nodes > 1 else ""
    return nodes + ", ".join(each) if each else f"{given.nodes} nodes" if nodes else ""


def tasks_words(detail: JobDetail) -> str:
    """An array's tasks: ``1-5:2: 2 finished, 1 running``; empty for a job without tasks."""
    if not detail.array_request:
        return ""
    counts = ", ".join(f"{count} {_task_word(state)}" for state, count in (detail.tasks or {}).items() if count)
    return f"{detail.array_request}: {counts}" if counts else detail.array_request


def _task_word(state: str) -> str:
    return LOOKS[JobState(state)].word if state in JobState.__members__ else state


def moment(seconds: int | None) -> str:
    """UNIX seconds as local date, time and zone; empty if not known."""
    if seconds is None:
        return ""
    return dt.datetime.fromtimestamp(seconds).astimezone().isoformat(sep=" ", timespec="seconds")


def duration(seconds: int | None) -> str:
    """Seconds as ``H:MM:SS``; empty if not known."""
    return "" if seconds is None else str(WallTime(seconds))


def run_time_s(detail: JobDetail) -> int | None:
    """How long a job ran, seconds; of one that has not ended, up to when the cluster last spoke of it."""
    until = detail.end_time if detail.end_time is not None else detail.checked_time
    if detail.start_time is None or until is None:
        return None
    return max(0, until - detail.start_time)


def html_table(caption: str, titles: Iterable[str], rows: Iterable[Iterable[object]]) -> Markup:
    """A table; a cell is text, or a piece of HTML."""
    head = joined(html('<th scope="col" align="left" style="{}">{}</th>', CELL, title) for title in titles)
    body = joined(
        html(
            '<tr style="{}">{}</tr>',
            ROW,
            joined(html('<td align="left" style="{}">{}</td>', CELL, cell) for cell in row),
        )
        for row in rows
    )
    return html(
        '<div style="overflow-x:auto"><table style="{}"><caption style="text-align:left;{}">{}</caption>'
        '<thead><tr style="{}">{}</tr></thead><tbody>{}</tbody></table></div>',
        *(_TABLE, MUTED, caption, ROW, head, body),
    )
