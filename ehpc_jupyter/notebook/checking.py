"""What a cluster would say to a job: the answer of ``Client.check``."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ehpc_jupyter.errors import InvalidParams, Problem
from ehpc_jupyter.notebook.display import duration, fact_table, frame, moment, text_rows
from ehpc_jupyter.notebook.markup import html, joined, plain, plain_lines

if TYPE_CHECKING:
    from collections.abc import Callable

    from ehpc_jupyter.models.actions import CheckJobResponse

_PRE = (
    "white-space:pre-wrap;overflow-wrap:anywhere;max-height:24em;overflow:auto;margin:.3em 0;padding:.4em .6em;"
    "border:1px solid var(--jp-border-color2,#8884);background:transparent;color:inherit"
)
#: A start this near is "at once", seconds: the scheduler looks at its queue now and then.
_SOON_S = 60


@dataclass(frozen=True, repr=False)
class JobCheck:
    """What the cluster would say to a job; nothing was submitted. True where it would take it.

    Attributes:
        cluster_id: the cluster that was asked.
        valid: whether it would take the job.
        problems: what is wrong, each with the wire path of its field.
        message: the scheduler's own words; empty if it said none.
        start_time: when it would start the job if it were submitted now, UNIX seconds; None if not known.
        node_list: where it would start it; None if not known.
        script: what would be handed to the scheduler; empty if the request is wrong in itself.
        command: the command that would submit it; empty likewise.
    """

    cluster_id: str
    valid: bool
    problems: tuple[Problem, ...] = ()
    message: str = ""
    start_time: int | None = None
    node_list: str | None = None
    script: str = ""
    command: str = ""

    def __bool__(self) -> bool:
        return self.valid

    def raise_for_problems(self) -> JobCheck:
        """Raise InvalidParams if the cluster would not take the job; returns the check itself."""
        if not self.valid:
            raise InvalidParams(*(self.problems or (Problem("JobSpec", self.message or "the scheduler refuses it"),)))
        return self

    def named(self, name_of: Callable[[str], str]) -> JobCheck:
        """The same with fields called as they are where it is shown.

        Args:
            name_of: a field's name there, by its wire path.
        """
        return replace(self, problems=tuple(Problem(name_of(p.field), p.message) for p in self.problems))

    @property
    def _head(self) -> str:
        cluster = plain(self.cluster_id)
        if self.valid:
            return f"✓ {cluster} would take this job"
        count = len(self.problems)
        return f"✗ {cluster} would not take this job" + (f": {count} problems" if count > 1 else "")

    @property
    def _facts(self) -> list[tuple[str, str]]:
        found = [(problem.field, " ".join(problem.message.split())) for problem in self.problems]
        found += [
            ("it says", self.message),
            ("starts", _start_words(self.start_time, time.time())),
            ("nodes", self.node_list or ""),
        ]
        return [(name, value) for name, value in found if value]

    def __repr__(self) -> str:
        lines = [self._head, *text_rows(self._facts)]
        if self.command:
            lines += ["", f"$ {plain_lines(self.command)}"]
        if self.script:
            lines += ["", *(f"  {line}" for line in plain_lines(self.script).rstrip("\n").split("\n"))]
        return "\n".join(lines)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))

    def _repr_html_(self) -> str:
        folded = [
            html(
                '<details><summary style="cursor:pointer">{}</summary><pre style="{}">{}</pre></details>',
                title,
                _PRE,
                plain_lines(text),
            )
            for title, text in (("The script", self.script), ("The command that would submit it", self.command))
            if text
        ]
        table = fact_table(self._facts) if self._facts else ""
        return str(frame(html("<strong>{}</strong>", self._head), table, joined(folded)))


def _start_words(start_time: int | None, now: float) -> str:
    """When a job would start that is submitted now; empty if not known."""
    if start_time is None:
        return ""
    wait = int(start_time - now)
    return (
        "at once, if submitted now"
        if wait < _SOON_S
        else f"{moment(start_time)}, in {duration(wait)}, if submitted now"
    )


def check_of(cluster_id: str, answer: CheckJobResponse | InvalidParams) -> JobCheck:
    """A check from the server's answer; a request that is wrong in itself is one that the cluster would not take."""
    if isinstance(answer, InvalidParams):
        return JobCheck(cluster_id, valid=False, problems=tuple(answer.problems))
    return JobCheck(
        cluster_id,
        valid=answer.valid,
        problems=tuple(Problem(p.field, p.message) for p in answer.problems),
        message=answer.message or "",
        start_time=answer.start_time,
        node_list=answer.node_list,
        script=answer.script,
        command=answer.command,
    )
