"""Values that have a written form of their own: wall time, memory, a range of array tasks, a variable."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler, field_validator
from pydantic.alias_generators import to_pascal
from pydantic_core import CoreSchema, core_schema

#: Names the shell itself sets or checks on assignment: a value given to them would not arrive as given.
_SHELL_OWNED = frozenset(
    [
        "_",
        "BASHOPTS",
        "BASHPID",
        "BASH_ALIASES",
        "BASH_CMDS",
        "BASH_COMMAND",
        "BASH_XTRACEFD",
        "BASH_VERSINFO",
        "BASH_ARGC",
        "BASH_ARGV",
        "BASH_LINENO",
        "BASH_SOURCE",
        "BASH_SUBSHELL",
        "COMP_WORDBREAKS",
        "DIRSTACK",
        "EPOCHREALTIME",
        "EPOCHSECONDS",
        "EUID",
        "FUNCNAME",
        "GROUPS",
        "HISTCMD",
        "IFS",
        "LINENO",
        "OLDPWD",
        "OPTIND",
        "PPID",
        "PWD",
        "RANDOM",
        "SECONDS",
        "SHELLOPTS",
        "SHLVL",
        "SRANDOM",
        "UID",
    ]
)
#: Linux starts no program with an argument or a variable longer than this (MAX_ARG_STRLEN), nor with much more than
#: ``LONGEST_ALL`` of them together (a quarter of the usual stack), bytes.
LONGEST_WORD = 131_071
LONGEST_ALL = 1_500_000
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def plain_text(value: str, *, lines: bool = False) -> str:
    """Refuse text that cannot travel byte for byte.

    Args:
        value: what the user typed.
        lines: whether tabs and line ends may be in it.

    Raises:
        ValueError: NUL, a lone surrogate (no UTF-8 form), or a control character where none is allowed.
    """
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError("it has a character that cannot be written as UTF-8") from None
    for char in value:
        if (ord(char) < 32 or ord(char) == 127) and not (lines and char in "\t\n"):
            raise ValueError(f"it has a control character ({char!r}); remove it")
    return value


class Written:
    """A value with one written form: parsed from it, printed as it, a string in JSON."""

    pattern: str
    example: str

    @classmethod
    def parse(cls, text: Any) -> Any:
        """Read the written form. Raises ValueError."""
        raise NotImplementedError

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls.parse, serialization=core_schema.plain_serializer_function_ser_schema(str)
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "string", "pattern": cls.pattern, "examples": [cls.example]}


@dataclass(frozen=True, order=True)
class WallTime(Written):
    """How long a job may run: ``H:MM:SS``, hours may pass 24 (API: "hour: minute: second").

    Attributes:
        seconds: at least 1.
    """

    seconds: int
    pattern = r"^\s*\d{1,6}:[0-5]?\d:[0-5]?\d\s*$"
    example = "01:00:00"

    @classmethod
    def parse(cls, text: Any) -> WallTime:
        """Read ``"1:30:00"``, a ``datetime.timedelta`` or a ``WallTime``. Raises ValueError."""
        if isinstance(text, WallTime):
            return text
        if isinstance(text, datetime.timedelta):
            seconds = int(text.total_seconds())
        elif isinstance(text, str) and re.match(cls.pattern, text, re.ASCII):
            hours, minutes, rest = (int(part) for part in text.split(":"))
            seconds = hours * 3600 + minutes * 60 + rest
        else:
            raise ValueError(f"{text!r} is no wall time; write hours:minutes:seconds, for instance 1:30:00")
        if seconds < 1:
            raise ValueError("a wall time is at least one second; leave it empty for the queue's default")
        return cls(seconds)

    def __str__(self) -> str:
        return f"{self.seconds // 3600}:{self.seconds // 60 % 60:02}:{self.seconds % 60:02}"


_MB = {"": 0, "M": 1, "MB": 1, "G": 1024, "GB": 1024, "T": 1024**2, "TB": 1024**2}


@dataclass(frozen=True, order=True)
class Memory(Written):
    """Memory of each node: a number and ``MB`` or ``GB``, upper or lower case; 1 GB is 1024 MB, as schedulers count.

    Attributes:
        mb: at least 1.
    """

    mb: int
    pattern = r"^\s*\d{1,9}(\.\d{1,3})?\s*([mMgGtT][bB]?)\s*$"
    example = "4GB"

    @classmethod
    def parse(cls, text: Any) -> Memory:
        """Read ``"4gb"``, ``"512 MB"``, ``"1.5GB"`` or a ``Memory``. Raises ValueError."""
        if isinstance(text, Memory):
            return text
        match = (
            re.match(r"\s*(\d{1,9}(?:\.\d{1,3})?)\s*([A-Za-z]*)\s*$", text, re.ASCII) if isinstance(text, str) else None
        )
        if not match or not _MB.get(match[2].upper()):
            raise ValueError(f"{text!r} is no memory size; write a number and MB or GB, for instance 4GB")
        size = float(match[1]) * _MB[match[2].upper()]
        if size < 1:
            raise ValueError("memory is at least 1MB; leave it empty for the queue's default")
        if size != int(size):
            raise ValueError(f"{text!r} is not a whole number of MB")
        return cls(int(size))

    def __str__(self) -> str:
        return f"{self.mb // 1024}GB" if self.mb % 1024 == 0 else f"{self.mb}MB"


@dataclass(frozen=True)
class ArrayRange(Written):
    """The tasks of an array job: ``X-Y:Z`` (API), from X up to at most Y in steps of Z; ``:Z`` may be left out.

    It is never expanded: a range of three million costs what a range of three costs.
    """

    first: int
    last: int
    step: int = 1
    pattern = r"^\s*\d{1,9}-\d{1,9}(:\d{1,9})?\s*$"
    example = "1-5:2"

    @classmethod
    def parse(cls, text: Any) -> ArrayRange:
        """Read ``"1-5:2"`` or an ``ArrayRange``. Raises ValueError."""
        if isinstance(text, ArrayRange):
            return text
        if not isinstance(text, str) or not re.match(cls.pattern, text, re.ASCII):
            raise ValueError(f"{text!r} is no range of tasks; write first-last:step, for instance 1-5:2 for 1, 3, 5")
        first, last, step = (int(part) for part in [*re.split("[-:]", text), "1"][:3])
        if step < 1:
            raise ValueError("the step of a range is at least 1")
        if last < first:
            raise ValueError(f"the range {text!r} is empty: its last task {last} is below its first {first}")
        return cls(first, last, step)

    def __len__(self) -> int:
        return (self.last - self.first) // self.step + 1

    def __contains__(self, task: object) -> bool:
        return isinstance(task, int) and self.first <= task <= self.last and (task - self.first) % self.step == 0

    def __str__(self) -> str:
        return f"{self.first}-{self.last}" + (f":{self.step}" if self.step != 1 else "")


class Variable(BaseModel):
    """An environment variable of the job."""

    model_config = ConfigDict(
        alias_generator=to_pascal, populate_by_name=True, extra="forbid", frozen=True, use_attribute_docstrings=True
    )

    name: str
    """Letters, digits and underscores, not starting with a digit."""

    value: str
    """Any text but NUL; it arrives byte for byte."""

    @field_validator("name")
    @classmethod
    def _name(cls, name: str) -> str:
        if not _NAME.fullmatch(name) or len(name) > 255:
            raise ValueError(f"{name!r} cannot be the name of a variable; use letters, digits and _")
        if name in _SHELL_OWNED or name.startswith("ehpc_"):
            raise ValueError(f"{name} is set by the shell or the job's script itself; choose another name")
        return name

    @field_validator("value")
    @classmethod
    def _value(cls, value: str) -> str:
        if "\0" in value:
            raise ValueError("the value of a variable cannot hold NUL")
        try:
            size = len(value.encode())
        except UnicodeEncodeError:
            raise ValueError("the value has a character that cannot be written as UTF-8") from None
        if size > LONGEST_WORD - 300:
            raise ValueError(f"the value has {size} bytes, {LONGEST_WORD - 300} are the most; put it into a file")
        return value


def _as_text(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


#: A string that a number may stand for (the API sends numbers as strings).
NumberText = Annotated[str, BeforeValidator(_as_text)]


def _no_truth(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("it should be a whole number")  # noqa: TRY004 - pydantic takes ValueError
    return value


#: Of whole numbers: Python counts True as 1, a request does not. Behind the bounds, else these are not in the schema.
NO_TRUTH = BeforeValidator(_no_truth)
