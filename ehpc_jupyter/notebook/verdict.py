"""What a cluster says to a job before it is submitted, as text and as HTML. Pure."""

from __future__ import annotations

import time
from html import escape
from typing import TYPE_CHECKING

from ehpc_jupyter.notebook.display import duration, moment
from ehpc_jupyter.notebook.states import plain

if TYPE_CHECKING:
    from collections.abc import Callable

    from ehpc_jupyter.models.actions import CheckJobResponse

_GREEN, _RED = "#2e9e4f", "#d8453f"
_SOON_S = 60
PRE_STYLE = (
    "white-space:pre-wrap;overflow-wrap:anywhere;max-height:24em;overflow:auto;margin:.3em 0;padding:.4em .6em;"
    "border:1px solid var(--jp-border-color2,#8884);background:transparent;color:inherit;line-height:1.3"
)


class Verdict:
    """What a cluster says; it shows itself.

    Args:
        cluster: who was asked.
        answer: what it said.
        name_of: how a field is called where this is shown, by its wire path.
        now: UNIX seconds; the clock's if None.
    """

    def __init__(
        self, cluster: str, answer: CheckJobResponse, name_of: Callable[[str], str] = str, now: float | None = None
    ) -> None:
        self.cluster = cluster
        self.answer = answer
        self._name_of = name_of
        self._now = time.time() if now is None else now

    def headline(self) -> str:
        """In one sentence: whether the job would be taken, when and where it would start."""
        if not self.answer.valid:
            return f"{plain(self.cluster)} would not take this job."
        words = f"{plain(self.cluster)} would take this job"
        if self.answer.start_time is None:
            return f"{words}; when it would start is not known."
        where = f" on {plain(self.answer.node_list)}" if self.answer.node_list else ""
        wait = self.answer.start_time - self._now
        when = "at once" if wait < _SOON_S else f"at {moment(self.answer.start_time)}, in {duration(int(wait))}"
        return f"{words} and start it {when}{where}."

    def lines(self) -> list[str]:
        """What is wrong with which field, then the scheduler's own words."""
        found = [f"{self._name_of(p.field)}: {plain(p.message)}" for p in self.answer.problems]
        return found + [plain(line) for line in (self.answer.message or "").splitlines() if line.strip()]

    def __repr__(self) -> str:
        sign = "✓" if self.answer.valid else "✗"
        words = [f"{sign} {self.headline()}", *(f"  {line}" for line in self.lines())]
        return "\n".join([*words, "", f"$ {self.answer.command}", "", self.answer.script.rstrip("\n")])

    def _repr_html_(self) -> str:
        return f"{self.head_html()}{self.script_html()}"

    def head_html(self) -> str:
        """Whether, when, where and why not."""
        sign, colour = ("✓", _GREEN) if self.answer.valid else ("✗", _RED)
        rest = "".join(f'<div style="overflow-wrap:anywhere">{escape(line)}</div>' for line in self.lines())
        return (
            f'<div role="status"><span aria-hidden="true" style="color:{colour}">{sign}</span> '
            f"<strong>{escape(self.headline())}</strong>{rest}</div>"
        )

    def script_html(self) -> str:
        """The script that would run and the command that would submit it, folded."""
        return (
            '<details><summary style="cursor:pointer">The script that would run, and the command that would submit it'
            f'</summary><pre style="{PRE_STYLE}">{escape(self.answer.script)}</pre>'
            f'<pre style="{PRE_STYLE}">{escape(self.answer.command)}</pre></details>'
        )


def preview(request_text: dict[str, str], script: str) -> str:
    """What is known of a job without its cluster: its fields, and the script as it was written."""
    width = max(map(len, request_text), default=0)
    fields = [f"  {path:<{width}}  {plain(text)}" for path, text in request_text.items()]
    return "\n".join([*fields, "", script.rstrip("\n")]) if script else "\n".join(fields)
