"""The job folder and the program that submits a job in one round trip. Pure: text in, text out.

The program runs in the login node's ``/bin/sh``, which reads it from its standard input, so no value ever stands in an
argv. What it says are lines of ``\\x1e`` word ``\\x1f`` text; anything else (a noisy login profile) is not ours.

Order, for exactly one job: the folder is made by an atomic ``mkdir`` before anything is submitted, so a second run of the
same program submits nothing; ``probe_program`` makes the folder itself if it is missing, so a submission that comes
late finds its place taken.
"""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ehpc_jupyter.clusters.checks import FUNCTIONS, check_lines
from ehpc_jupyter.errors import Problem
from ehpc_jupyter.models.spec import directives
from ehpc_jupyter.schedulers.base import Argv, CommandResult, Scheduler, Submission, with_task
from ehpc_jupyter.schedulers.script import render_body, render_user_script, render_variables
from ehpc_jupyter.transport.base import command_line

if TYPE_CHECKING:
    from ehpc_jupyter.models.actions import CreateJobRequest

_SAY = "\x1e"
_SEP = "\x1f"
#: First line of every program. A login profile that reads what was meant for us (``read``, ``cat``) would leave a program
#: without its head, and what comes next may be a line of the user's script: without this line nothing runs.
HEAD = "# ehpc\n"
SHELL: Argv = ("/bin/sh", "-c", 'IFS= read -r head; [ "$head" = "# ehpc" ] || exit 97; exec /bin/sh')
#: The shell's exit code when the head was missing.
HEADLESS = 97
_NAME_DIRECTIVE = re.compile(r"#SBATCH\s+(?:-J\s*|--job-name[= ]\s*)(\S+)|#PBS\s+-N\s*(\S+)")


@dataclass(frozen=True)
class Plan:
    """A job about to be submitted.

    Attributes:
        submission: what the scheduler is given.
        body: the batch script below its directives.
        files: name → text of the other files in the job's folder.
        user_script: absolute path of the user's script on the cluster, when the command line names one.
        request_id: also in the folder's name and in the scheduler's record.
    """

    submission: Submission
    body: str
    request_id: str
    user_script: str | None = None
    files: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """What the program said.

    Attributes:
        problems: what the checks found; nothing was submitted.
        submit: what the scheduler's submit command said; None if it was not run or its end is not known.
        refused: why the folder could not be made; nothing was submitted.
        state: ``new``: this run submitted; ``known``: an earlier one had; ``running``: an earlier run is still at it;
            ``unseen``: so it may be, on another login node; ``broken``: it stopped while the scheduler was asked; ``unsent``: it
            stopped before that; ``void``: the request was given up.
    """

    problems: tuple[Problem, ...] = ()
    submit: CommandResult | None = None
    refused: str | None = None
    state: str = "new"


def job_name(request: CreateJobRequest) -> str:
    """The name as given, else as the script's directive has it, else the command's own."""
    if request.job_name:
        return request.job_name
    spec = request.job_spec
    for line in directives(spec.script or ""):
        if match := _NAME_DIRECTIVE.match(line):
            return (match[1] or match[2])[:200]
    if spec.words:
        return re.sub(r"[^\w.+-]+", "-", spec.words[0].rstrip("/").rpartition("/")[2])[:200] or "job"
    return "job"


def folder_name(day: str, name: str, request_id: str) -> str:
    """``<date>-<name>-<request id>``; the name is made safe for any file system and any shell."""
    slug = re.sub(r"[^A-Za-z0-9._]+", "-", name).strip("-.")[:40] or "job"
    return f"{day}-{slug}-{request_id}"


def make_plan(
    request: CreateJobRequest,
    *,
    request_id: str,
    name: str,
    folder: str,
    home: str,
    scheduler: Scheduler,
    step: int = 100,
) -> Plan:
    """Everything a submission needs, with absolute paths.

    Args:
        request: valid.
        request_id: of the request that made the job.
        name: the job's.
        folder: the job's, absolute.
        home: of the account, absolute; ``~`` in paths.
        scheduler: the cluster's.
        step: the profile's ``priority_step``.
    """
    spec = request.job_spec

    def absolute(path: str) -> str:
        return home + path[1:] if path == "~" or path.startswith("~/") else path

    literal = folder.replace("%", "%%")
    is_array = spec.array_request is not None
    escaped_home = home.replace("%", "%%")

    def output(path: str | None, name: str) -> str:
        if path is None:
            return with_task(f"{literal}/{name}", is_array=is_array)
        return with_task(escaped_home + path[1:] if path.startswith("~/") else path, is_array=is_array)

    submission = Submission(
        spec=spec,
        name=name,
        folder=folder,
        script=f"{folder}/job.sh",
        stdout=output(spec.stdout_path, "stdout"),
        stderr=output(spec.stderr_path, "stderr"),
        work_dir=absolute(spec.work_dir or "~"),
        token=request_id,
        priority_step=step,
    )
    files = {"request.json": json.dumps(request.to_wire(), ensure_ascii=False, indent=1) + "\n"}
    if (variables := render_variables(spec)) is not None:
        files["variables.sh"] = variables
    if (script := render_user_script(spec)) is not None:
        files["script"] = script
    user_script = None
    if spec.words and not spec.runs_command:
        word = absolute(spec.words[0])
        user_script = word if word.startswith("/") else f"{home}/{word}"
    body = render_body(spec, scheduler, folder)
    return Plan(submission, body, request_id, user_script, files)


_FUNCTIONS = r"""ehpc_locale=${LC_ALL-}
LC_ALL=C
say() { printf '\036%s\037%s\n' "$1" "$2"; }
ehpc_bad=
problem() { say problem "$1 $2"; ehpc_bad=1; }
# What an earlier run of the same request left: its receipt, its process if it is still at work, or neither.
report() {
  if [ -f "$ehpc_folder/void" ]; then say state void
  elif [ -f "$ehpc_folder/receipt" ]; then
    say state known
    { IFS= read -r ehpc_code; IFS= read -r ehpc_id; } <"$ehpc_folder/receipt"
    say code "$ehpc_code"
    say out "$ehpc_id"
    while IFS= read -r ehpc_line || [ -n "$ehpc_line" ]; do say err "$ehpc_line"; done <"$ehpc_folder/submit.err"
  else
    ehpc_pid= ehpc_host=
    [ -f "$ehpc_folder/pid" ] && read -r ehpc_pid ehpc_host <"$ehpc_folder/pid"
    read -r ehpc_here </proc/sys/kernel/hostname
    # Another login node's process cannot be seen from here: it may be at work, and the caller decides by time.
    if [ -z "$ehpc_pid" ] || [ "$ehpc_host" != "$ehpc_here" ]; then say state unseen
    elif kill -0 "$ehpc_pid" 2>/dev/null; then say state running
    elif [ ! -f "$ehpc_folder/submit.err" ]; then say state unsent
    else say state broken
    fi
  fi
} 2>/dev/null
"""


def submit_program(plan: Plan, scheduler: Scheduler) -> str:
    """The program, for ``SHELL``. Read its output with ``parse_outcome``."""
    job = plan.submission
    quote = shlex.quote
    base = job.folder.rpartition("/")[0]
    lines = [
        _FUNCTIONS,
        FUNCTIONS,
        f"ehpc_folder={quote(job.folder)}",
        "ehpc_lines=",
        '[ -d "$ehpc_folder" ] && { report; exit 0; }',
    ]
    lines += check_lines(plan.submission, plan.user_script) + _after_lines(plan.submission, scheduler)
    lines += [
        '[ -z "$ehpc_bad" ] || exit 0',
        f'[ -d {quote(base)} ] || mkdir -p {quote(base)} 2>/dev/null || {{ say refused "the folder "{quote(base)}'
        '" cannot be made: is the disk full, or the place not yours?"; exit 0; }',
        # Private by its mode and not by umask, which the job would inherit.
        'mkdir -m 700 "$ehpc_folder" 2>/dev/null || { if [ -d "$ehpc_folder" ]; then report; else say refused '
        '"the folder $ehpc_folder cannot be made: is the disk full?"; fi; exit 0; }',
        'cd "$ehpc_folder" || exit 1',
        "read -r ehpc_here </proc/sys/kernel/hostname 2>/dev/null || ehpc_here=",
        'printf "%s %s\\n" "$$" "$ehpc_here" >pid',
    ]
    write = " && ".join(f"printf %s {quote(text)} >{name}" for name, text in sorted(plan.files.items()))
    copy = f" && cp -- {quote(plan.user_script)} script && chmod u+rx script" if plan.user_script else ""
    if "script" in plan.files:
        copy = " && chmod u+rx script"
    lines += [
        f"ehpc_line=$({{ {write}{copy} && {_print_script(plan)} >job.sh; }} 2>&1) || {{ "
        'say refused "the job\'s files cannot be written to $ehpc_folder: $ehpc_line"; : >void; exit 0; }',
        # Without a working folder of its own the job starts in the home, where the scheduler starts what is submitted there.
        f"cd {quote(job.work_dir)} || exit 1",
        # Before the scheduler is asked: a run that stopped without it asked nobody and never will.
        ': >"$ehpc_folder/submit.err"',
        f"ehpc_out=$({_surroundings(scheduler)}"
        f'{command_line(scheduler.submit_command(job))} 2>"$ehpc_folder/submit.err" </dev/null)',
        "ehpc_code=$?",
        'printf "%s\\n%s\\n" "$ehpc_code" "$ehpc_out" >"$ehpc_folder/receipt"',
        "say state new",
        'say code "$ehpc_code"',
        'say out "$ehpc_out"',
        'while IFS= read -r ehpc_line || [ -n "$ehpc_line" ]; do say err "$ehpc_line"; done <"$ehpc_folder/submit.err"',
    ]
    return "\n".join(lines) + "\n"


def _after_lines(job: Submission, scheduler: Scheduler) -> list[str]:
    """Refuse to wait for a job that the scheduler does not know, where it would not do so itself."""
    lines = []
    for condition, job_id in job.spec.after.jobs if job.spec.after else ():
        if (argv := scheduler.knows_command(job_id)) is not None:
            text = f"the cluster does not know job {job_id}, so nobody can wait for {condition}:{job_id}"
            # It says something and fails; a scheduler that does not answer is told of by the submission itself.
            lines.append(
                f"case $({command_line(argv)} 2>&1) in *'nvalid job id'*) problem JobSpec.After {shlex.quote(text)} ;; esac"
            )
    return lines


def _surroundings(scheduler: Scheduler) -> str:
    """The job inherits what the scheduler's command sees: the account's own locale, and nothing that asks for more than the
    request does."""
    unset = f"unset {' '.join(scheduler.unwanted)}; " if scheduler.unwanted else ""
    return f'LC_ALL=$ehpc_locale; [ "$LC_ALL" ] || unset LC_ALL; {unset}'


def _print_script(plan: Plan) -> str:
    quote = shlex.quote
    return f"printf '#!/bin/sh\\n%s# Request %s\\n%s' \"$ehpc_lines\" {quote(plan.request_id)} {quote(plan.body)}"


def script_text(plan: Plan) -> str:
    """The batch script as ``submit_program`` writes it; the directives of a script on the cluster are not known here."""
    lines = "".join(line + "\n" for line in directives(plan.submission.spec.script or ""))
    return f"#!/bin/sh\n{lines}# Request {plan.request_id}\n{plan.body}"


def test_program(plan: Plan, scheduler: Scheduler, argv: Argv | None) -> str:
    """Run the checks, then a command that only asks the scheduler, if one is given. Read its output with ``parse_outcome``."""
    lines = [_FUNCTIONS, FUNCTIONS, "ehpc_lines=", *check_lines(plan.submission, plan.user_script)]
    lines += _after_lines(plan.submission, scheduler)
    lines.append('[ -z "$ehpc_bad" ] || exit 0')
    if argv is None:
        lines.append("say state untested")
    else:
        lines += [
            f"cd {shlex.quote(plan.submission.work_dir)} || exit 1",
            # Both of its outputs, since nothing may be written to the disk here; schedulers speak on either.
            f"ehpc_out=$({_print_script(plan)} | {{ {_surroundings(scheduler)}{command_line(argv)} 2>&1; }})",
            "ehpc_code=$?",
            "say state new",
            'say code "$ehpc_code"',
            'say out "$ehpc_out"',
        ]
    return "\n".join(lines) + "\n"


def probe_program(folder: str) -> str:
    """Find out what became of a submission whose answer was lost. If nothing did yet, nothing ever will: see the module."""
    base = folder.rpartition("/")[0]
    return "\n".join(
        [
            _FUNCTIONS,
            f"ehpc_folder={shlex.quote(folder)}",
            f"[ -d {shlex.quote(base)} ] || mkdir -p {shlex.quote(base)} 2>/dev/null",
            'if mkdir -m 700 "$ehpc_folder" 2>/dev/null; then : >"$ehpc_folder/void"; say state void',
            'elif [ -d "$ehpc_folder" ]; then report',
            'else say refused "the folder $ehpc_folder cannot be made"; fi',
            "",
        ]
    )


def parse_outcome(stdout: str, submit_argv: Argv) -> Outcome | None:
    """What a submit or probe program said; None if it did not come to its end."""
    found: dict[str, list[str]] = {}
    for line in stdout.split(_SAY)[1:]:
        # A value may hold line ends of its own: the record ends where the next begins.
        word, separator, text = line.partition(_SEP)
        if separator:
            found.setdefault(word, []).append(text[:-1] if text.endswith("\n") else text)
    problems = tuple(Problem(*text.split(" ", 1)) for text in found.get("problem", []))
    if problems:
        return Outcome(problems=problems)
    if "refused" in found:
        return Outcome(refused=found["refused"][0])
    state = found.get("state", [""])[-1]
    if state in ("new", "known"):
        code = found.get("code", [""])[0]
        if not re.fullmatch(r"\d{1,3}", code):
            return Outcome(state="broken") if state == "known" else None
        submit = CommandResult(submit_argv, int(code), found.get("out", [""])[0], "\n".join(found.get("err", [])))
        return Outcome(submit=submit, state=state)
    return Outcome(state=state) if state else None
