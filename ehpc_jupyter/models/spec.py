"""What a job is: the one description that the form, the magic, the panel and the API share.

Field names, formats and examples follow the API page of CreateJob (2024-07-30). Extensions of ours: ``Script``, ``WorkDir``,
``After``.
Each field's ``x-ehpc`` entry in the JSON schema says where forms show it: ``group`` and ``widget``.
"""

from __future__ import annotations

import json
import re
import shlex
from typing import Annotated, Any

from pydantic import (
    BeforeValidator,
    Field,
    PlainSerializer,
    SecretStr,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)

from ehpc_jupyter.models.after import After
from ehpc_jupyter.models.base import WireModel
from ehpc_jupyter.models.values import (
    LONGEST_ALL,
    LONGEST_WORD,
    NO_TRUTH,
    ArrayRange,
    Memory,
    Variable,
    WallTime,
    plain_text,
)

#: First words of the comment lines by which a script speaks to a scheduler.
DIRECTIVES = ("#SBATCH", "#PBS")
#: ``%`` escapes that an output path may hold on every cluster: job id, array job id, task index, a per cent sign.
_ESCAPE = re.compile(r"%(?![jAa])")
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@-]{0,63}")


def form(group: str, widget: str = "text", **more: Any) -> dict[str, Any]:
    """The ``x-ehpc`` entry of a field: which group of a form shows it, and how."""
    return {"x-ehpc": {"group": group, "widget": widget, **more}}


def _priority(value: Any) -> int:
    if (
        isinstance(value, (int, str))
        and not isinstance(value, bool)
        and re.fullmatch(r"[0-9]", str(value).strip(), re.ASCII)
    ):
        return int(value)
    raise ValueError(f"{value!r} is no priority; write a number from 0 to 9, larger is sooner")


def _variables(value: Any) -> Any:
    if isinstance(value, str):
        try:
            value = json.loads(value) if value.strip() else []
        except ValueError as error:
            raise ValueError(f'it is no JSON ({error}); write [{{"Name": "x", "Value": "y"}}]') from None
    if isinstance(value, dict):
        value = [{"Name": name, "Value": text} for name, text in value.items()]
    if not isinstance(value, (list, tuple)):
        raise ValueError('write a JSON array, [{"Name": "x", "Value": "y"}]')  # noqa: TRY004 - pydantic takes ValueError
    made: list[Variable] = []
    faults: list[str] = []
    for number, item in enumerate(value, 1):
        try:
            made.append(item if isinstance(item, Variable) else Variable.model_validate(item))
        except ValidationError as error:
            for fault in error.errors(include_url=False, include_input=False):
                where = ".".join(str(part) for part in fault["loc"])
                faults.append(f"variable {number} {where}: {fault['msg'].removeprefix('Value error, ')}")
    names = [variable.name for variable in made]
    faults += [f"{name} is given twice" for name in sorted({n for n in names if names.count(n) > 1})]
    if (size := sum(len(v.name) + len(v.value.encode()) + 2 for v in made)) > LONGEST_ALL:
        faults.append(f"they have {size} bytes together, {LONGEST_ALL} are the most; put them into a file")
    if faults:
        raise ValueError("; ".join(faults))
    return tuple(made)


def _variables_text(value: tuple[Variable, ...]) -> str:
    return json.dumps([v.model_dump(by_alias=True) for v in value], ensure_ascii=False)


Priority = Annotated[
    int,
    BeforeValidator(_priority),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "pattern": "^[0-9]$", "examples": ["1"]}),
]
Variables = Annotated[
    tuple[Variable, ...],
    BeforeValidator(_variables),
    PlainSerializer(_variables_text, return_type=str),
    WithJsonSchema({"type": "string", "examples": ['[{"Name":"x", "Value":"y"}]']}),
]
Count = Annotated[int, Field(ge=1, le=1_000_000), NO_TRUTH]


class Resources(WireModel):
    """What the job occupies. Nodes counts in all, the other three count on each node."""

    nodes: Count | None = Field(None, examples=[2], json_schema_extra=form("resources", "number"))
    """Compute nodes in all."""

    cores: Count | None = Field(None, examples=[2], json_schema_extra=form("resources", "number"))
    """CPU cores on each node."""

    memory: Memory | None = Field(None, json_schema_extra=form("resources"))
    """Memory on each node, in MB or GB, for instance 4GB."""

    gpus: Annotated[int, Field(ge=0, le=1_000_000), NO_TRUTH] | None = Field(
        None, title="GPUs", examples=[1], json_schema_extra=form("resources", "number")
    )
    """GPUs on each node."""

    def __bool__(self) -> bool:
        return any(value is not None for value in (self.nodes, self.cores, self.memory, self.gpus))


class JobSpec(WireModel):
    """A job's specification: what runs, as whom, where, with what and for how long."""

    script: str | None = Field(None, json_schema_extra=form("command", "code"))
    """The script's text itself, instead of a command line; its first line may name the interpreter (#!/bin/bash if not)."""

    command_line: str | None = Field(
        None, validate_default=True, examples=["/home/xxx/test.job"], json_schema_extra=form("command")
    )
    """A script on the cluster, relative to your home, with its arguments; or two hyphens and a command:
    -- /bin/ping -c 1 localhost."""

    job_queue: str | None = Field(None, title="Queue", examples=["comp"], json_schema_extra=form("command", "queue"))
    """The queue; the cluster's default if empty."""

    wall_time: WallTime | None = Field(None, json_schema_extra=form("resources"))
    """How long the job may run: hours:minutes:seconds."""

    resources: Resources | None = Field(None, json_schema_extra=form("resources", "group"))
    """What the job occupies on the cluster. Leave it empty when the script has #SBATCH or #PBS lines of its own."""

    array_request: ArrayRange | None = Field(None, title="Array", json_schema_extra=form("more"))
    """Run the job once for each index of a range, first-last:step; 1-5:2 runs tasks 1, 3 and 5."""

    after: After | None = Field(None, title="After job", json_schema_extra=form("more"))
    """Jobs of this cluster that must end first: ok:12 waits until job 12 ended well, any:12 until it ended, notok:12 until
    it ended and not well; several with commas."""

    variables: Variables | None = Field(None, json_schema_extra=form("more", "variables"))
    """Environment variables of the job, as a JSON array of objects with Name and Value."""

    priority: Priority | None = Field(None, json_schema_extra=form("more", "choice", choices=list("0123456789")))
    """0 to 9, larger is sooner."""

    work_dir: str | None = Field(
        None, title="Working folder", examples=["~/project"], json_schema_extra=form("more", "path")
    )
    """The folder the job starts in, a full path or ~/…; your home if empty."""

    stdout_path: str | None = Field(
        None, title="Standard output", examples=["/home/xxx/job.out"], json_schema_extra=form("output", "path")
    )
    """Full path of the file for standard output; in the job's own folder if empty. %j becomes the job id, %a the task
    (added for arrays if missing)."""

    stderr_path: str | None = Field(
        None, title="Standard error", examples=["/home/xxx/job.err"], json_schema_extra=form("output", "path")
    )
    """Full path of the file for standard error; like the standard output's."""

    post_cmd_line: str | None = Field(
        None, title="After the command", examples=["/bin/sleep 10"], json_schema_extra=form("more")
    )
    """A shell command that runs after the job's command ended, however it ended; EHPC_EXIT_CODE holds its exit code."""

    runas_user: str | None = Field(None, title="Run as user", examples=["testuser"], json_schema_extra=form("more"))
    """The cluster's account that submits and runs the job; the one you log in with if empty."""

    runas_user_password: SecretStr | None = Field(
        None, title="Password of that user", exclude=True, repr=False, json_schema_extra=form("more", "password")
    )
    """The password of the account in Run as user; used to log in, never stored."""

    @field_validator("*", mode="before")
    @classmethod
    def _empty_is_absent(cls, value: Any) -> Any:
        return None if isinstance(value, str) and not value.strip() else value

    @field_validator("script")
    @classmethod
    def _script(cls, text: str | None) -> str | None:
        if text is None:
            return None
        if "\0" in text:
            raise ValueError("a script cannot hold NUL")
        if "\r" in text:
            raise ValueError(
                "it has Windows line ends (\\r\\n); a shell would take \\r as part of each line: convert it"
            )
        try:
            text.encode()
        except UnicodeEncodeError:
            raise ValueError("it has a character that cannot be written as UTF-8") from None
        return text

    @field_validator("command_line")
    @classmethod
    def _command_line(cls, text: str | None, info: ValidationInfo) -> str | None:
        if "script" not in info.data:
            return text
        if text is None:
            if info.data["script"] is None:
                raise ValueError(
                    "say what to run: a script's path or '-- /full/path/of/a/command' here, or a text in Script"
                )
            return None
        if info.data["script"] is not None:
            raise ValueError("give either CommandLine or Script, not both")
        words = split_command(plain_text(text.strip(), lines=True))
        sizes = [len(word.encode()) for word in words]
        if max(sizes) > LONGEST_WORD or sum(sizes) > LONGEST_ALL:
            raise ValueError("it is longer than a program can be given; put the text into a file and name that")
        if is_command(text) and not words[0].startswith("/"):
            raise ValueError(f"a command needs its full path after '-- ', for instance -- /bin/{words[0].lstrip('/')}")
        return text.strip()

    @field_validator("job_queue")
    @classmethod
    def _queue(cls, text: str | None) -> str | None:
        if text is not None and not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.@,-]*", text.strip()):
            raise ValueError(f"{text!r} cannot be the name of a queue")
        return text and text.strip()

    @field_validator("stdout_path", "stderr_path", "work_dir")
    @classmethod
    def _path(cls, text: str | None, info: ValidationInfo) -> str | None:
        if text is None:
            return None
        plain_text(text)
        if not text.startswith(("/", "~/")) and not (text == "~" and info.field_name == "work_dir"):
            raise ValueError(f"{text!r} is no full path; start it with / or ~/")
        if info.field_name != "work_dir":
            if text.endswith("/"):
                raise ValueError(f"{text!r} is a folder; name a file in it")
            if any(len(part.encode()) > 250 for part in text.split("/")) or len(text.encode()) > 4000:
                raise ValueError("it is too long for a file's name: 250 bytes for each part of a path are the most")
            # Slurm reads a backslash as "take every % as it stands" (sbatch(1), filename pattern).
            if "\\" in text or _ESCAPE.search(text.replace("%%", "")):
                raise ValueError("schedulers give \\ and % a meaning in it; only %j, %A, %a and %% may be used")
        return text

    @field_validator("post_cmd_line")
    @classmethod
    def _post(cls, text: str | None) -> str | None:
        if text is not None and len(plain_text(text, lines=True).encode()) > LONGEST_WORD:
            raise ValueError(f"it is longer than {LONGEST_WORD} bytes; put it into a file and run that")
        return text

    @field_validator("runas_user")
    @classmethod
    def _user(cls, text: str | None) -> str | None:
        if text is not None and not _USER.fullmatch(text):
            raise ValueError(f"{text!r} cannot be the name of an account")
        return text

    @field_validator("runas_user_password")
    @classmethod
    def _password(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if value is not None and info.data.get("runas_user", "?") is None:
            raise ValueError("it belongs to RunasUser, which is empty")
        return value

    @field_validator("resources")
    @classmethod
    def _resources(cls, value: Resources | None, info: ValidationInfo) -> Resources | None:
        found = directives(info.data.get("script") or "")
        if value and found:
            raise ValueError(directive_conflict("Script", found[0]))
        return value

    @property
    def words(self) -> tuple[str, ...]:
        """The command line's words, without the two hyphens; empty when the job is a ``script``."""
        return split_command(self.command_line) if self.command_line else ()

    @property
    def runs_command(self) -> bool:
        """Whether the command line runs a command (``-- /abs/cmd``) and not a script."""
        return bool(self.command_line) and is_command(self.command_line or "")


def is_command(text: str) -> bool:
    """Whether a command line starts with two hyphens and white space."""
    return re.match(r"--(\s|$)", text) is not None


def split_command(text: str) -> tuple[str, ...]:
    """A command line's words: quotes and backslashes group, nothing is expanded, no shell is asked.

    Raises:
        ValueError: nothing is there to run, or a quote is left open.
    """
    try:
        words = shlex.split(text[2:] if is_command(text) else text)
    except ValueError as error:
        raise ValueError(f"it cannot be split into words: {str(error).lower()}") from None
    if not words or not words[0]:
        raise ValueError("it names nothing to run")
    if not is_command(text) and words[0].startswith("-"):
        raise ValueError(
            f"{words[0]!r} looks like an option; a command is written '-- /full/path', with a space after the hyphens"
        )
    return tuple(words)


def directives(script: str) -> list[str]:
    """The lines of a script that speak to a scheduler: they stand before its first command (sbatch(1))."""
    found = []
    for line in script.splitlines():
        if line.startswith(DIRECTIVES):
            found.append(line)
        elif line.strip() and not line.startswith("#"):
            break
    return found


def directive_conflict(field: str, line: str) -> str:
    """The sentence for a script that asks for resources in two places."""
    return f"{field} has directives of its own ({line[:60]}) and Resources are given too; say it in one place: Resources or {field}"
