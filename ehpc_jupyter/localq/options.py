"""The command line's options, as ``--help`` tells them."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ehpc_jupyter.localq.settings import QUEUE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

#: In the middle: others can be put before and behind those that say nothing.
_DEFAULT_PRIORITY = 5


class _Formatter(argparse.HelpFormatter):
    """Of a fixed width: argparse asks for the terminal's at every option, and imports shutil for it (4 ms)."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=100)


def parser() -> argparse.ArgumentParser:
    """The parser; it sets ``verb`` to the verb's name."""
    top = argparse.ArgumentParser(
        prog="python -m ehpc_jupyter.localq",
        description="A small queue for this machine: cores, memory and GPUs, priorities, arrays, wall time.",
        allow_abbrev=False,
        formatter_class=_Formatter,
    )
    verbs = top.add_subparsers(dest="verb", metavar="VERB", required=True)

    def verb(name: str, text: str) -> argparse.ArgumentParser:
        return verbs.add_parser(name, help=text, description=text, allow_abbrev=False, formatter_class=_Formatter)

    _submit_options(verb("submit", "Submit a script; says 'Submitted batch job ID'."))
    status = verb("status", "What waits, runs or ended in the last minutes; with ids: those jobs.")
    status.add_argument("ids", nargs="*", metavar="ID", type=_count(1, 10**18), help="whole jobs, of the last days too")
    for made in (status, verb("queues", "The queue and what this machine has.")):
        made.add_argument("--parsable", action="store_true", help="lines of NAME=VALUE, separated by \\x1f")
    for name, text in (
        ("stop", "Stop jobs or tasks: TERM, and KILL after a grace."),
        ("hold", "Keep what waits of jobs or tasks from starting."),
        ("release", "Let what is held start."),
    ):
        verb(name, text).add_argument("ids", nargs="+", metavar="ID", help="12, or tasks: 12_3, 12_[3,5-9]")
    verb("version", "The version of this queue.")
    return top


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """The options of a command. Raises SystemExit: misuse, as argparse has it."""
    top = parser()
    options = top.parse_args(argv)
    if options.verb == "submit" and options.script is None and not options.test_only:
        top.error("submit needs a script")
    return options


def _submit_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("script", nargs="?", help="its first line may name the interpreter; /bin/sh if not")
    add("--name", help="the script's file name if not given")
    add("--token", default="", help="any text, shown by status: to find the job by")
    add("--queue", default=QUEUE, help=f"the only one is {QUEUE}")
    add("--nodes", type=_count(1), default=1, help="1")
    add("--cores", type=_count(1), default=1, help="cores it occupies (1)")
    add("--memory-mb", type=_count(0), default=0, help="memory it occupies, MB (0; reserved, not enforced)")
    add("--gpus", type=_count(0), default=0, help="GPUs it occupies (0); CUDA_VISIBLE_DEVICES says which")
    add("--time", type=_count(1), metavar="SECONDS", help="wall time (no limit)")
    add(
        "--priority",
        type=_count(0, 9),
        default=_DEFAULT_PRIORITY,
        help=f"0 to 9, larger is sooner ({_DEFAULT_PRIORITY})",
    )
    add("--array", metavar="X-Y:Z", help="one task for each of X to Y in steps of Z")
    add("--chdir", default=".", metavar="FOLDER", help="where it starts (here)")
    add("--output", metavar="FILE", help="%%j: job id, %%a: task, %%%%: a per cent sign (job-%%j.out)")
    add("--error", metavar="FILE", help="likewise (the same as --output)")
    add(
        "--after",
        metavar="ok:12,any:13,notok:14_3",
        help="wait until those ended well, in any way, not well; all must hold",
    )
    add("--hold", action="store_true", help="wait until it is released")
    add(
        "--test-only",
        action="store_true",
        help="submit nothing; say whether it would be taken. The script may be left out",
    )
    add("--parsable", action="store_true", help="with --test-only: a line of NAME=VALUE, separated by \\x1f")


def _count(least: int, most: int = 10**9) -> Callable[[str], int]:
    def whole_number(text: str) -> int:
        value = int(text) if text.isascii() and text.isdecimal() and len(text) < 12 else -1
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is no whole number from {least} to {most}")
        return value

    return whole_number
