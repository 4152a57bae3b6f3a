"""A job as text, as a static card, and as data for the live card of the JupyterLab extension.

The static card is what nbviewer, VS Code, an export and a notebook without the extension show. It takes its colours
from its surroundings, so it reads in dark and in light. Everything that came from outside is escaped.
"""

from __future__ import annotations

import datetime as dt
from html import escape
from typing import TYPE_CHECKING, Any

from ehpc_jupyter.models.job import JobState
from ehpc_jupyter.models.values import WallTime
from ehpc_jupyter.notebook.states import LOOKS, plain, title_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ehpc_jupyter.models.job import JobDetail

#: The labextension renders this type; its data is ``JobDetail`` with wire names.
JOB_MIME = "application/vnd.ehpc.job.v1+json"

MUTED = "opacity:.75"
ROW = "background:transparent"
CELL = "text-align:left;vertical-align:top;padding:.1em 1em .1em 0;background:transparent;border:0"


def bundle(detail: JobDetail) -> dict[str, Any]:
    """All forms of a job for a notebook to choose from, by MIME type."""
    return {"text/plain": text(detail), "text/html": card(detail), JOB_MIME: detail.to_wire()}


def text(detail: JobDetail) -> str:
    """A job for a terminal: a line with its state, then what is known, aligned."""
    look = LOOKS[detail.state]
    rows = facts(detail)
    width = max((len(name) for name, _ in rows), default=0)
    head = f"{look.sign} {title_of(detail.cluster_id, detail.job_id, detail.job_name)}: {look.word}"
    return "\n".join([head, *(f"  {name:<{width}}  {plain(value)}" for name, value in rows)])


def card(detail: JobDetail) -> str:
    """A job as HTML."""
    rows = "".join(
        f'<tr style="{ROW}"><th scope="row" style="{CELL};font-weight:normal;{MUTED}">{escape(name)}</th>'
        f'<td style="{CELL};overflow-wrap:anywhere">{escape(plain(value))}</td></tr>'
        for name, value in facts(detail)
    )
    return (
        '<div style="border-left:3px solid currentColor;padding:.2em 0 .2em .8em;background:transparent;color:inherit">'
        f"<div>{headline(detail)}</div>"
        f'<table style="border-collapse:collapse;background:transparent;color:inherit;margin:.2em 0 0">'
        f"<tbody>{rows}</tbody></table></div>"
    )


def headline(detail: JobDetail) -> str:
    """A job's title and state in one line of HTML."""
    title = title_of(detail.cluster_id, detail.job_id, detail.job_name)
    return f"<strong>{escape(title)}</strong> {state_html(detail.state)}"


def state_html(state: JobState) -> str:
    """A state as a coloured sign and its word."""
    look = LOOKS[state]
    return (
        f'<span style="white-space:nowrap"><span aria-hidden="true" style="color:{look.colour}">{look.sign}</span> '
        f"{escape(look.word)}</span>"
    )


def facts(detail: JobDetail) -> list[tuple[str, str]]:
    """What is known of a job, as names and values, in the order a person asks for it."""
    found: list[tuple[str, object]] = [
        ("exit code", detail.exit_code),
        ("signal", detail.signal),
        ("reason", detail.reason),
        ("may be old", detail.stale_reason),
        ("tasks", tasks_words(detail)),
        ("queue", detail.queue),
        ("nodes", detail.node_list),
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


def html_table(caption: str, titles: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table; the cells are HTML already, caption and titles are text."""
    head = "".join(f'<th scope="col" style="{CELL}">{escape(title)}</th>' for title in titles)
    body = "".join(
        f'<tr style="{ROW}">' + "".join(f'<td style="{CELL}">{cell}</td>' for cell in row) + "</tr>" for row in rows
    )
    return (
        '<div style="overflow-x:auto"><table style="border-collapse:collapse;background:transparent;color:inherit">'
        f'<caption style="text-align:left;{MUTED}">{escape(caption)}</caption>'
        f'<thead><tr style="{ROW}">{head}</tr></thead><tbody>{body}</tbody></table></div>'
    )
