"""What only the cluster can check before a job is submitted, as lines for the submit program's shell. Pure.

Slurm accepts a missing output folder, a missing working folder or a script that cannot run, and fails the job later.
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from ehpc_jupyter.models.spec import DIRECTIVES, directive_conflict, directives

if TYPE_CHECKING:
    from ehpc_jupyter.models.spec import JobSpec
    from ehpc_jupyter.schedulers.base import Submission

_ARRAY_DIRECTIVE = re.compile(r"#SBATCH\b.*(?:\s--array\b|\s-a[\s=\d])|#PBS\s.*-J")
#: The shell function that says what is wrong with an output file.
FUNCTIONS = r"""writable() {
  if [ ! -d "$2" ]; then problem "$1" "the folder $2 does not exist; make it first"
  elif [ ! -w "$2" ] || [ ! -x "$2" ]; then problem "$1" "you may not write into the folder $2"
  elif [ -d "$3" ]; then problem "$1" "$3 is a folder; name a file in it"
  elif [ -e "$3" ] && [ ! -w "$3" ]; then problem "$1" "you may not write to $3"
  fi
}
"""
_ARRAY_WORDS = (
    "it asks for an array in a directive; give the range in ArrayRequest, so that each task's output is found"
)


def check_lines(job: Submission, user_script: str | None) -> list[str]:
    """Shell lines that call ``problem FIELD TEXT`` for each thing that is wrong, and set ``lines`` to the directives.

    Args:
        job: what will be submitted.
        user_script: absolute path of the user's script on the cluster, when the command line names one.
    """
    spec, quote = job.spec, shlex.quote
    checks = []
    for name, path, pattern in (
        ("JobSpec.StdoutPath", spec.stdout_path, job.stdout),
        ("JobSpec.StderrPath", spec.stderr_path, job.stderr),
    ):
        if path is not None:
            plain = pattern.replace("%%", "%")
            folder = plain.rpartition("/")[0] or "/"
            if "%" not in folder:
                checks.append(f"writable {name} {quote(folder)} {quote(plain)}")
    if spec.work_dir:
        where = quote(job.work_dir)
        text = quote(f"the folder {job.work_dir} does not exist, or you may not enter it")
        checks.append(f"{{ [ -d {where} ] && [ -x {where} ]; }} || problem JobSpec.WorkDir {text}")
    if spec.runs_command:
        word = quote(spec.words[0])
        # It may exist on the compute nodes only; a folder or a plain file is surely wrong.
        text = quote(f"{spec.words[0]} is there but cannot be executed")
        checks.append(
            f"if [ -e {word} ] && {{ [ -d {word} ] || [ ! -x {word} ]; }}; then problem JobSpec.CommandLine {text}; fi"
        )
    if user_script:
        checks += _script_checks(user_script, spec)
    elif spec.script and any(_ARRAY_DIRECTIVE.match(line) for line in directives(spec.script)):
        checks.append(f"problem JobSpec.Script {quote(_ARRAY_WORDS)}")
    if spec.script:
        found = "".join(line + "\n" for line in directives(spec.script))
        checks.append(f"ehpc_lines={quote(found)}")
    return checks


def _script_checks(path: str, spec: JobSpec) -> list[str]:
    script, field_name = shlex.quote(path), "JobSpec.CommandLine"
    hint = shlex.quote(f"{path} does not start with #!; to run a program write: -- {path}")
    collect = "|".join(f"'{word}'*" for word in DIRECTIVES)
    conflict = shlex.quote(directive_conflict(f"the script {path}", "#")).replace("(#)", "('\"${ehpc_lines%%?}\"')")
    lines = [
        f"if [ ! -e {script} ]; then problem {field_name} {shlex.quote(f'there is no file {path} on the cluster')}",
        f"elif [ ! -f {script} ] || [ ! -r {script} ]; then problem {field_name} {shlex.quote(f'{path} is no readable file')}",
        f"elif [ ! -x {script} ]; then problem {field_name} {shlex.quote(f'{path} is not executable; run chmod +x on it')}",
        "else",
        "  ehpc_first=yes",
        '  while IFS= read -r ehpc_line || [ -n "$ehpc_line" ]; do',
        f"    if [ $ehpc_first ]; then ehpc_first=; case $ehpc_line in '#!'*) ;; *) problem {field_name} {hint}; break ;; esac; fi",
        f'    case $ehpc_line in {collect}) ehpc_lines="$ehpc_lines$ehpc_line\n" ;; \'#\'*|"") ;; *) break ;; esac',
        f"  done <{script}",
        "fi",
    ]
    if spec.resources:
        lines.append(f'[ -z "$ehpc_lines" ] || problem JobSpec.Resources {conflict}')
    lines.append(
        "case $ehpc_lines in *'#SBATCH'*'--array'*|*'#SBATCH'*' -a'*|*'#PBS'*'-J'*) "
        f"problem {field_name} {shlex.quote(_ARRAY_WORDS)} ;; esac"
    )
    return lines
