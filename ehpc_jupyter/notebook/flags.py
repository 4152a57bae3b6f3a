"""The flags of ``%%ehpc``, made from the model's fields: a field added there is a flag here."""

from __future__ import annotations

import argparse
import shlex
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NoReturn

from ehpc_jupyter.models.suggest import did_you_mean
from ehpc_jupyter.notebook.fields import JobField, fields_of

#: The cell itself is this field.
SCRIPT = "JobSpec.Script"
_USAGE = "%%ehpc [flags], and the script to run in the lines below"
_DESCRIPTION = """\
The cell is a script: bash runs it, or what its first line names (#!/usr/bin/env python3). Nothing of this notebook's
variables is in it; {name} and $name in the flags are replaced by Python values. Each flag is a field of the job.
"""
_EPILOG = """\
The job is bound to _ehpc_job, and to the name that --job gives.
Also: %ehpc jobs, %ehpc stop ID ..., %ehpc queues, %ehpc clusters, each with --cluster NAME.
"""


class FlagError(Exception):
    """The flags cannot be read; the message says which and why, one line each."""


@dataclass
class Flags:
    """What the first line of a cell says.

    Attributes:
        values: the fields that are given, by wire path.
        secrets: fields whose values must be asked for: a password in a cell would be saved with the notebook.
        wait: whether to wait for the job and show its output.
        bind: the variable to bind the job to, or None.
        help: whether only help is wanted.
    """

    values: dict[str, Any] = field(default_factory=dict)
    secrets: list[JobField] = field(default_factory=list)
    wait: bool = False
    bind: str | None = None
    help: bool = False


class _Help(argparse.RawDescriptionHelpFormatter):
    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=30, width=110)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise FlagError(message.removeprefix("argument ").replace("expected one argument", "needs a value"))


def flags_of(item: JobField) -> tuple[str, ...]:
    """How a field is written as a flag: ``--wall-time``; a one-word label is taken too (``--queue``, ``--array``)."""
    if item.widget == "variables":
        return ("--var",)
    names = [item.name.replace("_", "-")]
    label = item.title.lower()
    if label.isalpha() and label not in names:
        names.append(label)
    return tuple(f"--{name}" for name in names)


@lru_cache(maxsize=1)
def shown_fields() -> tuple[JobField, ...]:
    """The fields that have a flag."""
    return tuple(f for f in fields_of() if not f.is_group and f.group != "hidden" and f.path != SCRIPT)


@lru_cache(maxsize=1)
def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="%%ehpc",
        usage=_USAGE.replace("%", "%%"),
        description=_DESCRIPTION,
        epilog=_EPILOG,
        add_help=False,
        allow_abbrev=False,
        formatter_class=_Help,
    )
    for item in shown_fields():
        _add(parser, item)
    parser.add_argument("--wait", action="store_true", help="Wait for the job and show its output as it comes.")
    parser.add_argument("--job", metavar="NAME", help="Bind the job to this variable.")
    parser.add_argument("--help", action="store_true", help="Show this and run nothing.")
    return parser


def _add(parser: argparse.ArgumentParser, item: JobField) -> None:
    text = item.help.replace("%", "%%")
    if item.widget == "password":
        parser.add_argument(*flags_of(item), dest=item.path, action="store_true", help=f"{text} It is asked for.")
    elif item.widget == "variables":
        text = "An environment variable of the job; may be given several times."
        parser.add_argument(*flags_of(item), dest=item.path, action="append", metavar="NAME=value", help=text)
    else:
        if item.example and item.example not in item.help:
            text += f" For instance {item.example.replace('%', '%%')}."
        parser.add_argument(*flags_of(item), dest=item.path, metavar=item.name.rpartition("_")[2].upper(), help=text)


def help_text() -> str:
    """What ``%%ehpc --help`` shows."""
    return _parser().format_help()


def known_flags() -> list[str]:
    """All flags, for completion."""
    return [flag for flag in _parser()._option_string_actions if flag.startswith("--")]  # noqa: SLF001 - no public way


def parse(line: str) -> Flags:
    """Read the first line of a cell, after ``%%ehpc``.

    Raises:
        FlagError: a flag does not exist, lacks its value, or a word belongs to no flag. Values are not looked at.
    """
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise FlagError(f"the line cannot be split into words: {str(error).lower()}") from None
    given, rest = _parser().parse_known_args(words)
    if given.help:
        return Flags(help=True)
    if rest:
        raise FlagError("\n".join(_stranger(word) for word in rest if word.startswith("-")) or _loose(rest))
    if given.job is not None and not given.job.isidentifier():
        raise FlagError(f"--job: {given.job!r} cannot be the name of a variable")
    flags = Flags(wait=given.wait, bind=given.job)
    for item in shown_fields():
        value = getattr(given, item.path)
        if item.widget == "password":
            flags.secrets += [item] if value else []
        elif value is not None:
            flags.values[item.path] = [_variable(text) for text in value] if item.widget == "variables" else value
    return flags


def _stranger(word: str) -> str:
    name = word.split("=", 1)[0]
    return f"there is no flag {name}{did_you_mean(name, known_flags())}"


def _loose(words: list[str]) -> str:
    quoted = " ".join(words)
    return f"{quoted!r} belongs to no flag; put a value with spaces in quotes, and the script in the lines below"


def _variable(text: str) -> dict[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise FlagError(f"--var: write NAME=value, not {text!r}")
    return {"Name": name, "Value": value}
