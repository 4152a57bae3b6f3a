"""The flags of ``%%ehpc``, made from the model's fields: a field added there is a flag here."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NoReturn

from ehpc_jupyter.models.actions import CreateJobRequest
from ehpc_jupyter.models.suggest import did_you_mean
from ehpc_jupyter.notebook import words
from ehpc_jupyter.notebook.fields import JobField, fields_of

#: The cell itself is this field.
SCRIPT = "JobSpec.Script"
_USAGE = "%%ehpc [flags], and the script to run in the lines below"
_DESCRIPTION = """\
The cell is a script: bash runs it, or what its first line names (#!/usr/bin/env python3), or --interpreter. Each flag is
a field of the job. Nothing is put into cell or flags unasked: {name} and $name stay as they are written. --var name gives
the job the value of a Python variable, as an environment variable of that name.
"""
_EPILOG = """\
The job is bound to _ehpc_job, and to the name that --job gives. An interrupt ends the waiting, the job goes on.
An error is a few lines; %xmode Verbose brings the traceback. %ehpc help lists the line commands.
"""


class FlagError(Exception):
    """The flags cannot be read; the message says which and why, one line each."""


@dataclass
class Flags:
    """What the first line of a cell says.

    Attributes:
        values: the fields that are given, by wire path.
        secrets: fields whose values must be asked for: a password in a cell would be saved with the notebook.
        variables: Python variables whose values the job gets as environment variables.
        wait: whether to wait for the job and show its output.
        job: the variable to bind the job to, or None.
        stdout: the variable to bind its standard output to, or None; needs waiting.
        template: the template that is below the flags, or None.
        interpreter: what runs a script that does not say it itself, or None.
        dry_run: whether to ask what the cluster would say and submit nothing.
        help: whether only help is wanted.
    """

    values: dict[str, Any] = field(default_factory=dict)
    secrets: list[JobField] = field(default_factory=list)
    variables: list[str] = field(default_factory=list)
    wait: bool = False
    job: str | None = None
    stdout: str | None = None
    template: str | None = None
    interpreter: str | None = None
    dry_run: bool = False
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


@lru_cache(maxsize=4)
def shown_fields(request: type[CreateJobRequest] = CreateJobRequest) -> tuple[JobField, ...]:
    """The fields that have a flag."""
    return tuple(f for f in fields_of(request) if not f.is_group and f.group != "hidden" and f.path != SCRIPT)


@lru_cache(maxsize=4)
def _parser(request: type[CreateJobRequest]) -> argparse.ArgumentParser:
    parser = _Parser(
        prog="%%ehpc",
        usage=_USAGE.replace("%", "%%"),
        description=_DESCRIPTION,
        epilog=_EPILOG,
        add_help=False,
        allow_abbrev=False,
        formatter_class=_Help,
    )
    fields = parser.add_argument_group("the job")
    for item in shown_fields(request):
        _add(fields, item)
    own = parser.add_argument_group("the cell")
    own.add_argument("--wait", action="store_true", help="Wait for the job and show its output as it comes.")
    own.add_argument("--job", metavar="NAME", help="Bind the job to this variable.")
    own.add_argument("--stdout", metavar="NAME", help="Wait, and bind the text of its output to this variable.")
    own.add_argument(
        "--interpreter", metavar="PROGRAM", help="What runs a script without a first line #!, for instance python3."
    )
    own.add_argument("--template", metavar="NAME", help="Start from a saved template; flags and cell go before it.")
    own.add_argument(
        "--dry-run", action="store_true", help="Submit nothing; show what would run and what the cluster says to it."
    )
    own.add_argument("--help", action="store_true", help="Show this and run nothing.")
    return parser


def _add(parser: Any, item: JobField) -> None:
    text = item.help.replace("%", "%%")
    if item.widget == "password":
        parser.add_argument(*flags_of(item), dest=item.path, action="store_true", help=f"{text} It is asked for.")
    elif item.widget == "variables":
        text = "An environment variable of the job; may be given several times. A name alone takes a Python variable's value."
        parser.add_argument(*flags_of(item), dest=item.path, action="append", metavar="NAME[=value]", help=text)
    else:
        if item.example and item.example not in item.help:
            text += f" For instance {item.example.replace('%', '%%')}."
        parser.add_argument(*flags_of(item), dest=item.path, metavar=item.name.rpartition("_")[2].upper(), help=text)


def help_text(request: type[CreateJobRequest] = CreateJobRequest) -> str:
    """What ``%%ehpc --help`` shows."""
    return _parser(request).format_help()


def known_flags(request: type[CreateJobRequest] = CreateJobRequest) -> list[str]:
    """All flags, for completion."""
    parser = _parser(request)
    return [flag for flag in parser._option_string_actions if flag.startswith("--")]  # noqa: SLF001 - no public way


def field_of_flag(flag: str, request: type[CreateJobRequest] = CreateJobRequest) -> JobField | None:
    """The field that a flag gives, if it gives one."""
    return next((item for item in shown_fields(request) if flag in flags_of(item)), None)


def parse(line: str, request: type[CreateJobRequest] = CreateJobRequest) -> Flags:
    """Read the first line of a cell, after ``%%ehpc``.

    Raises:
        FlagError: a flag does not exist, lacks its value, or a word belongs to no flag. Values are not looked at.
    """
    given, rest = _parser(request).parse_known_args(split(line))
    if given.help:
        return Flags(help=True)
    if rest:
        raise FlagError(
            "\n".join(_stranger(word, request) for word in rest if word.startswith("-")) or _loose(line, rest)
        )
    for flag in ("job", "stdout"):
        name = getattr(given, flag)
        if name is not None and not name.isidentifier():
            raise FlagError(f"--{flag}: {name!r} cannot be the name of a variable")
    flags = Flags(
        wait=given.wait or given.stdout is not None,
        job=given.job,
        stdout=given.stdout,
        template=given.template,
        interpreter=given.interpreter,
        dry_run=given.dry_run,
    )
    for item in shown_fields(request):
        value = getattr(given, item.path)
        if item.widget == "password":
            flags.secrets += [item] if value else []
        elif item.widget == "variables" and value is not None:
            pairs = [text.partition("=") for text in value]
            flags.variables += [_python_name(name) for name, equals, _ in pairs if not equals]
            flags.values[item.path] = [{"Name": name, "Value": text} for name, equals, text in pairs if equals]
        elif value is not None:
            flags.values[item.path] = value
    return flags


def split(line: str) -> list[str]:
    """The words of a magic's line. Raises FlagError."""
    try:
        return words.split(line)
    except ValueError as error:
        raise FlagError(f"the line cannot be split into words: {error}") from None


def _stranger(word: str, request: type[CreateJobRequest]) -> str:
    name = word.split("=", 1)[0]
    return f"there is no flag {name}{did_you_mean(name, known_flags(request))}"


def _loose(line: str, rest: list[str]) -> str:
    quoted = " ".join(rest)
    hint = "; a comment needs a line of its own, in the script" if "#" in line else ""
    return f"{quoted!r} belongs to no flag; put a value with spaces in quotes, and the script in the lines below{hint}"


def _python_name(text: str) -> str:
    if not text.isidentifier():
        raise FlagError(f"--var: write NAME=value, or the name of a Python variable, not {text!r}")
    return text
