"""The tasks of an array: as a table of groups, and one of them as a job of its own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ehpc_jupyter.notebook.display import duration, moment
from ehpc_jupyter.notebook.listing import Column, Listing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ehpc_jupyter.models.actions import TaskGroup


def first_index(group: TaskGroup) -> int:
    """The first of a group's tasks: of ``3``, ``1-5,7`` or ``2-100:2``."""
    found = re.match(r"\d+", group.tasks)
    if found is None:
        raise ValueError(f"{group.tasks!r} names no task")
    return int(found[0])


def covers(indices: str, index: int) -> bool:
    """Whether a task is one of ``1-5,7`` or ``2-100:2``. Nothing is expanded."""
    for part in indices.split(","):
        found = re.fullmatch(r"(\d+)(?:-(\d+)(?::(\d+))?)?", part)
        if found and index in range(int(found[1]), int(found[2] or found[1]) + 1, int(found[3] or 1)):
            return True
    return False


def task_listing(groups: Iterable[TaskGroup], title: str) -> Listing[TaskGroup]:
    """Groups of tasks as a table."""
    shown = list(groups)
    return Listing(
        shown,
        f"Tasks of {title}: {sum(group.count for group in shown)}" if shown else f"No tasks of {title} are known yet",
        [
            Column("tasks", lambda g: g.tasks),
            Column("count", lambda g: str(g.count)),
            Column("state", lambda g: g.state),
            Column("exit", lambda g: "" if g.exit_code is None else str(g.exit_code)),
            Column("signal", lambda g: "" if g.signal is None else str(g.signal)),
            Column("nodes", lambda g: g.node_list or ""),
            Column("started", lambda g: moment(g.start_time)),
            Column("ended", lambda g: moment(g.end_time)),
            Column("took", lambda g: duration(_took_s(g))),
            Column("reason", lambda g: g.explanation or g.reason or ""),
        ],
    )


def _took_s(group: TaskGroup) -> int | None:
    known = group.start_time is not None and group.end_time is not None
    return max(0, group.end_time - group.start_time) if known else None  # type: ignore[operator]
