"""``%%ehpc``: the cell is the script, every field of the job a flag. ``%ehpc`` is in ``lines.py``."""

from __future__ import annotations

import getpass
import json
import numbers
import os
import re
import sys
from typing import TYPE_CHECKING, Any

from IPython.display import display
from pydantic import SecretStr

from ehpc_jupyter.errors import EhpcError, InvalidParams, ServiceUnavailable
from ehpc_jupyter.models.actions import CreateJobRequest
from ehpc_jupyter.models.suggest import did_you_mean
from ehpc_jupyter.notebook.client import Client
from ehpc_jupyter.notebook.display import JOB_MIME, text_rows
from ehpc_jupyter.notebook.fields import body_of, fields_of, texts_of
from ehpc_jupyter.notebook.flags import SCRIPT, FlagError, Flags, flags_of, help_text, parse
from ehpc_jupyter.notebook.frontend import in_notebook
from ehpc_jupyter.notebook.job import Job, JobFailed
from ehpc_jupyter.notebook.lines import Lines
from ehpc_jupyter.notebook.logs import Follower
from ehpc_jupyter.notebook.progress import Progress
from ehpc_jupyter.notebook.waiting import Pauses
from ehpc_jupyter.tracebacks import short

if TYPE_CHECKING:
    from collections.abc import Callable

    from IPython.core.interactiveshell import InteractiveShell

    from ehpc_jupyter.notebook.checking import JobCheck

#: The variable that always holds the last job of ``%%ehpc``.
LAST_JOB = "_ehpc_job"
#: Output is fetched at least this often while one waits for it, seconds.
_LONGEST_WAIT_S = 1.0
#: A cell that waits shows this much of the output itself, bytes: it is saved with the notebook.
_SHOWN_BYTES = 1_000_000
_COMMAND_LINE = "JobSpec.CommandLine"
_VARIABLES = "JobSpec.Variables"
_INTERPOLATED = re.compile(r"(^|[\s=])(\{\w+\}|\$\w+)")
_NO_INTERPOLATION = (
    "nothing is put into flags unasked; with values of Python's: Client().submit(nodes=n, script=...), "
    "or --var n for the script"
)


class MagicError(Exception):
    """What went wrong, in a few lines; IPython shows them instead of a traceback."""

    def _render_traceback_(self) -> list[str]:
        return short(self, str(self), lines=False)


class EhpcMagic:
    """The magic's work, apart from its registration.

    Args:
        shell: the IPython shell; jobs are bound in its namespace.
        client: who submits; made at the first use if None.
        ask_secret: asks the user for a password, given a prompt.
    """

    #: The model that the flags are made from.
    request_model: type[CreateJobRequest] = CreateJobRequest

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
    def client(self) -> Client:
        """Who submits."""
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
            return Lines(self).run(line) if cell is None else self.run(line, cell)
        except FlagError as fault:
            if cell is None:
                raise MagicError(f"{fault}\n%ehpc help lists the line commands.") from fault
            raise MagicError(
                f"{_marked(str(fault), '%%ehpc')}\nNothing was run; %%ehpc --help lists the flags."
            ) from fault
        except EhpcError as error:
            raise MagicError(self._fault_text(error, line, "%ehpc" if cell is None else "%%ehpc")) from error
        except JobFailed as failed:
            raise MagicError(str(failed)) from failed

    def run(self, line: str, cell: str) -> Job | JobCheck | None:
        """A cell, without the words around its errors."""
        flags = parse(line, self.request_model)
        if flags.help:
            sys.stdout.write(help_text(self.request_model))
            return None
        request = self._request(flags, cell)
        if flags.dry_run:
            return self._dry_run(request)
        if flags.stdout and request.job_spec.array_request:
            raise FlagError("--stdout: an array has an output for each task; use --job NAME and NAME.stdout(task)")
        job = self.client.create(request)
        for name in (LAST_JOB, flags.job):
            if name:
                self._shell.user_ns[name] = job
        if not flags.wait:
            return job
        self._wait(job, whole=not request.job_spec.array_request)
        if flags.stdout:
            self._shell.user_ns[flags.stdout] = job.stdout()
        job.check()
        return None

    def named_job(self, text: str, cluster: str | None) -> Job:
        """The job that a variable of the notebook holds, or that an id names."""
        value = self._shell.user_ns.get(text) if text.isidentifier() else None
        return value if isinstance(value, Job) else self.client.job(text, cluster)

    # --- the request

    def _request(self, flags: Flags, cell: str) -> CreateJobRequest:
        values = self._values(flags, cell)
        self.request_model.from_wire(body_of(values))  # before a password is asked for
        for item in flags.secrets:
            values[item.path] = SecretStr(self._ask_secret(f"{item.title}: "))
        return self.request_model.from_wire(body_of(values))

    def _values(self, flags: Flags, cell: str) -> dict[str, Any]:
        """By wire path: the template's, over them the flags' and the cell's."""
        values: dict[str, Any] = {"ClusterId": self.client.cluster}
        given = dict(flags.values)
        if cell.strip():
            # The kernel of the cluster's nodes sees "#!" only at the very beginning.
            given[SCRIPT] = cell.lstrip("\n") if cell.lstrip("\n").startswith("#!") else cell
        if SCRIPT in given and _COMMAND_LINE in given:
            raise FlagError("the cell has a script, and --command-line names one, too; leave one of them out")
        if flags.variables:
            given[_VARIABLES] = [*given.get(_VARIABLES, ()), *(self._variable(name) for name in flags.variables)]
        if flags.template:
            values |= self.client.template(flags.template).fields
            if SCRIPT in given or _COMMAND_LINE in given:
                values = {path: text for path, text in values.items() if path not in (SCRIPT, _COMMAND_LINE)}
            if _VARIABLES in given and _VARIABLES in values:
                kept = {item["Name"]: item for item in json.loads(values[_VARIABLES])}
                given[_VARIABLES] = [*(kept | {item["Name"]: item for item in given[_VARIABLES]}).values()]
        values |= given
        if SCRIPT not in values and _COMMAND_LINE not in values:
            raise FlagError("the cell has no script; write it in the lines below the first")
        if flags.interpreter:
            values[SCRIPT] = _interpreted(values.get(SCRIPT), flags.interpreter)
        return values

    def _variable(self, name: str) -> dict[str, str]:
        """A Python variable as an environment variable. Only texts and numbers have a form that a script expects."""
        names = self._shell.user_ns
        if name not in names:
            near = did_you_mean(name, [known for known in names if not known.startswith("_")])
            raise FlagError(
                f"--var: this notebook has no variable {name}{near if 'did you mean' in near else ''}; "
                f"a text is written --var {name}=text"
            )
        value = names[name]
        if not isinstance(value, (str, numbers.Number, os.PathLike)):
            raise FlagError(
                f"--var: {name} is of type {type(value).__name__}; a job is given texts, numbers and paths, "
                f"for instance json.dumps({name})"
            )
        return {"Name": name, "Value": os.fspath(value) if isinstance(value, os.PathLike) else str(value)}

    def _dry_run(self, request: CreateJobRequest) -> JobCheck | None:
        try:
            return self.client.check_request(request).named(self._flag_of)
        except ServiceUnavailable as error:
            texts = texts_of(request)
            script = texts.pop(SCRIPT, "")
            rows = "\n".join([*text_rows(texts.items()), *(["", script.rstrip("\n")] if script else [])])
            sys.stdout.write(f"{error.told()}\nWhat would be asked of {request.cluster_id}:\n{rows}\n")
            return None

    # --- waiting

    def _wait(self, job: Job, *, whole: bool) -> None:
        """Show the job's card, and below it its output as it comes, until it has ended."""
        # What this cell prints, the card need not show again. Tasks have an output each, which only the card shows.
        options = {"metadata": {JOB_MIME: {"output": False}}} if whole else {}
        card = display(job, display_id=True, **options)  # type: ignore[no-untyped-call]
        self.follow(
            job, Follower(job.log("stdout"), _SHOWN_BYTES) if whole else None, lambda: card.update(job, **options)
        )

    def follow(self, job: Job, output: Follower | None, changed: Callable[[], None] = lambda: None) -> None:
        """Print an output as it comes, until the job has ended.

        Args:
            job: the job.
            output: what to print; None for nothing.
            changed: called when the job's state is another.
        """
        state = job.known().state
        pauses = Pauses(job, self.client.clock, longest_s=_LONGEST_WAIT_S)
        # In a terminal bar and output would write over each other; in a notebook it stands before the output, not in it.
        quiet = output is not None and not in_notebook()
        with Progress([job], self.client.clock, quiet=quiet, patience_s=0) as progress:
            progress.show()
            try:
                while True:
                    pause = pauses.after_look()
                    if job.known().state is not state:
                        state = job.known().state
                        changed()
                    if output is not None:
                        show_new(output, to_the_end=pause is None)
                    if pause is None:
                        return
                    progress.show()
                    self.client.clock.sleep(pause)
            except KeyboardInterrupt:
                raise job.interrupted() from None

    # --- errors

    def _flag_of(self, path: str) -> str:
        names = {item.path: flags_of(item)[0] for item in fields_of(self.request_model)}
        return {**names, SCRIPT: "the cell", "Template": "--template"}.get(path, path)

    def _fault_text(self, error: EhpcError, line: str, prefix: str) -> str:
        """An error in a few lines: what is wrong with which flag, then the API's code and the request's id."""
        words = error.message
        if isinstance(error, InvalidParams):
            words = "\n".join(f"{self._flag_of(p.field)}: {p.message}" for p in error.problems)
            if _INTERPOLATED.search(line):
                words += f"\n{_NO_INTERPOLATION}"
        return error.told(_marked(words, prefix))


def _interpreted(script: Any, interpreter: str) -> str:
    """A script with the line that names its interpreter."""
    if not isinstance(script, str):
        raise FlagError("--interpreter: it runs the cell, and the cell has no script")
    if script.startswith("#!"):
        raise FlagError("--interpreter: the script names one itself in its first line; leave one of them out")
    name, *options = interpreter.split()
    if name.startswith("/"):
        return f"#!{interpreter}\n{script}"
    # -S: what follows the program's name in a first line is one word otherwise.
    return f"#!/usr/bin/env {'-S ' if options else ''}{interpreter}\n{script}"


def show_new(output: Follower, *, to_the_end: bool) -> None:
    """Print what is new in an output. An answer that fails is borne until the end: the next look gets what it missed."""
    try:
        while text := output.new():
            sys.stdout.write(text)
            if not to_the_end:
                break
    except EhpcError as error:
        if not error.transient or to_the_end:
            raise
    sys.stdout.flush()


def _marked(text: str, prefix: str) -> str:
    return "\n".join(f"{prefix}: {line}" for line in text.splitlines())
