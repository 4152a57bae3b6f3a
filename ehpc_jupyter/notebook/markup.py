"""Text from outside made fit to be shown: as HTML, on one line, in a terminal.

HTML is made by ``html`` and by nothing else: what is put into its braces is escaped, unless ``html`` made it. Job names,
logs, paths and a scheduler's words come from outside; they may hold markup, and sequences that steer a terminal.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from markupsafe import Markup

if TYPE_CHECKING:
    from collections.abc import Iterable

#: ECMA-48's control sequences, operating system commands and the rest of what starts with ESC.
_STEERS = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[ -/]*[0-~])|\x9b[0-?]*[ -/]*[@-~]")


def html(template: str, *values: object, **named: object) -> Markup:
    """A piece of HTML: the template's own text is markup, each value is text unless it is a piece of HTML itself."""
    return Markup(template).format(*values, **named)  # noqa: S704 - the one place; templates are literals


def joined(parts: Iterable[object], between: str = "") -> Markup:
    """Pieces of HTML one after the other; what is text is escaped."""
    return Markup(between).join(parts)  # type: ignore[arg-type]  # noqa: S704 - as above


def plain(text: object) -> str:
    """Text on one line without control characters: a job's name or reason must not steer the terminal."""
    return "".join(char if char.isprintable() else " " for char in _STEERS.sub("", str(text))).strip()


def plain_lines(text: str) -> str:
    """The lines of a log without control characters. Of a line that was written over, the last state is kept."""
    lines = (line.rstrip("\r").rpartition("\r")[2] for line in _STEERS.sub("", text).split("\n"))
    return "\n".join("".join(char if char.isprintable() or char == "\t" else " " for char in line) for line in lines)
