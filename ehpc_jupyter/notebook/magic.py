"""``%%ehpc``: the cell is the script; and the small ``%ehpc`` line magics."""

from __future__ import annotations

import argparse
import getpass
import shlex
import sys
from typing import TYPE_CHECKING, Any, NoReturn

from IPython.display import display

from ehpc_jupyter.errors import EhpcError, InvalidParams
from ehpc_jupyter.models.actions import CreateJobRequest
from ehpc_jupyter.models.suggest import did_you_mean
from ehpc_jupyter.notebook.client import Client
from ehpc_jupyter.notebook.display import JOB_MIME
from ehpc_jupyter.notebook.fields import body_of, fields_of
from ehpc_jupyter.notebook.flags import SCRIPT, FlagError, Flags, flags_of, help_text, known_flags, parse
from ehpc_jupyter.notebook.job import Job, JobFailed
from ehpc_jupyter.notebook.logs import Follower
from ehpc_jupyter.notebook.waiting import Pauses

if TYPE_CHECKING:
    from collections.abc import Callable

    from IPython.core.interactiveshell import InteractiveShell

#: The variable that always holds the last job of ``%%ehpc``.
LAST_JOB = "_ehpc_job"
#: Output is fetched at least this often while one waits for it, seconds.
_LONGEST_WAIT_S = 1.0
#: A cell that waits shows this much of the output itself, bytes: it is saved with the notebook.
_SHOWN_BYTES = 1_000_000
_COMMAND_LINE = "JobSpec.CommandLine"
_LINE_COMMANDS = ("jobs", "stop", "queues", "clusters")
_LINE_HELP = """\
%ehpc jobs                 the jobs known here, newest first
%ehpc stop ID [ID ...]     stop jobs
%ehpc queues               the cluster's queues and their limits
%ehpc clusters             the clusters configured here
each with --cluster NAME; %%ehpc --help tells how to run a cell
"""


class MagicError(Exception):
    """What went wrong, in a few lines; IPython shows them instead of a traceback."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


class EhpcMagic:
    """The magic's work, apart from its registration.

    Args:
        shell: the IPython shell; jobs are bound in its namespace.
        client: who submits; made at the first use if None.
        ask_secret: asks the user for a password, given a prompt.
    """

    def __init__(
        self,
        shell: InteractiveShell,
        client: Client | None = None,
        ask_secret: Callable[[str], str] = getpass.getpass,
    ) -> None:
        self._shell = shell
        self._made = client
        self._ask_secret = ask_secret

    @property
    def _client(self) -> Client:
        if self._made is None:
            self._made = Client()
        return self._made

    def __call__(self, line: str, cell: str | None = None) -> Any:
        """Run a cell, or a line command when there is no cell.

        Returns:
            What the cell shows: a job, a table, or nothing.

        Raises:
            MagicError: what is wrong, with which flag.
            WaitInterrupted: the kernel was interrupted; the job goes on.
        """
        try:
            return self._line(line) if cell is None else self._cell(line, cell)
        except FlagError as fault:
            if cell is None:
                raise MagicError(f"{fault}\n%ehpc help lists the line commands.") from None
            raise MagicError(f"{_lines(str(fault))}\nNothing was run; %%ehpc --help lists the flags.") from None
        except EhpcError as error:
            raise MagicError(fault_text(error)) from None

    # --- %%ehpc

    def _cell(self, line: str, cell: str) -> Job | None:
        flags = parse(line)
        if flags.help:
            sys.stdout.write(help_text())
            return None
        if not cell.strip() and _COMMAND_LINE not in flags.values:
            raise FlagError("the cell has no script; write it in the lines below the first")
        job = self._client.create(self._request(flags, cell))
        self._shell.user_ns[LAST_JOB] = job
        if flags.bind:
            self._shell.user_ns[flags.bind] = job
        if not flags.wait:
            return job
        self._follow(job, whole="JobSpec.ArrayRequest" not in flags.values)
        return None

    def _request(self, flags: Flags, cell: str) -> CreateJobRequest:
        values = {"ClusterId": self._client.cluster, **flags.values}
        if cell.strip():
            # The kernel of the cluster's nodes sees "#!" only at the very beginning.
            values[SCRIPT] = cell.lstrip("\n") if cell.lstrip("\n").startswith("#!") else cell
        CreateJobRequest.from_wire(body_of(values))  # before a password is asked for
        for item in flags.secrets:
            values[item.path] = self._ask_secret(f"{item.title}: ")
        return CreateJobRequest.from_wire(body_of(values))

    def _follow(self, job: Job, *, whole: bool) -> None:
        """Show the job's card, and below it its output as it comes, until it has ended."""
        # What this cell prints, the card need not show again. Tasks have an output each, which only the card shows.
        output = Follower(job.log("stdout"), _SHOWN_BYTES) if whole else None
        options = {} if output is None else {"metadata": {JOB_MIME: {"output": False}}}
        card = display(job, display_id=True, **options)  # type: ignore[no-untyped-call]
        state = job.known().state
        pauses = Pauses(job, self._client.clock, longest_s=_LONGEST_WAIT_S)
        try:
            while True:
                pause = pauses.after_look()
                if job.known().state is not state:
                    state = job.known().state
                    card.update(job, **options)
                if output is not None:
                    _show_new(output, to_the_end=pause is None)
                if pause is None:
                    break
                self._client.clock.sleep(pause)
        except KeyboardInterrupt:
            raise job.interrupted() from None
        try:
            job.check()
        except JobFailed as failed:
            raise MagicError(str(failed)) from None

    # --- %ehpc

    def _line(self, line: str) -> Any:
        parser = _LineParser(prog="%ehpc", add_help=False, allow_abbrev=False)
        parser.add_argument("words", nargs="*")
        parser.add_argument("--cluster")
        parser.add_argument("--help", action="store_true")
        try:
            given = parser.parse_args(shlex.split(line))
        except ValueError as error:
            raise FlagError(f"the line cannot be split into words: {str(error).lower()}") from None
        command, *ids = given.words or ["help"]
        if given.help or command == "help":
            sys.stdout.write(_LINE_HELP)
            return None
        if command not in _LINE_COMMANDS:
            raise FlagError(f"there is no %ehpc {command}{did_you_mean(command, _LINE_COMMANDS)}")
        if command == "stop":
            return self._stop(ids, given.cluster)
        if ids:
            raise FlagError(f"%ehpc {command} takes no {' '.join(ids)!r}")
        if command == "clusters":
            return self._client.clusters()
        return (self._client.jobs if command == "jobs" else self._client.queues)(cluster=given.cluster)

    def _stop(self, ids: list[str], cluster: str | None) -> None:
        if not ids:
            raise FlagError("%ehpc stop: which job? Give its id; %ehpc jobs shows them")
        jobs = [self._client.job(text, cluster) for text in ids]
        self._client.stop(*jobs).check()
        sys.stdout.write(f"Told to stop: {', '.join(job.title for job in jobs)}\n")


class _LineParser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise FlagError(message)


def _show_new(output: Follower, *, to_the_end: bool) -> None:
    try:
        while text := output.new():
            sys.stdout.write(text)
            if not to_the_end:
                break
    except EhpcError as error:
        if not error.transient or to_the_end:
            raise
    sys.stdout.flush()


def fault_text(error: EhpcError) -> str:
    """An error in a few lines: what is wrong with which flag, then the API's code and the request's id."""
    if isinstance(error, InvalidParams):
        names = {item.path: flags_of(item)[0] for item in fields_of() if item.path != SCRIPT}
        names[SCRIPT] = "the cell"
        words = "\n".join(f"{names.get(p.field, p.field)}: {p.message}" for p in error.problems)
    else:
        words = error.message
    advice = f"\n{error.recommend}" if error.recommend else ""
    request = f", RequestId {error.request_id}" if error.request_id else ""
    return f"{_lines(words)}{advice}\n{error.code}{request}"


def _lines(text: str) -> str:
    return "\n".join(f"%%ehpc: {line}" for line in text.splitlines())


def completions(line: str) -> list[str]:
    """What may follow in a line that starts with ``%%ehpc`` or ``%ehpc``."""
    if line.lstrip().startswith("%%"):
        return known_flags()
    return [*_LINE_COMMANDS, "--cluster"]
