"""All I/O towards a cluster: run a command, read, write and list files. Everything has a time-out."""

from __future__ import annotations

import abc
import posixpath
import shlex
import stat as modes
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ehpc_jupyter.errors import AgentError, ServiceUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from typing_extensions import Self


class Unreachable(ServiceUnavailable):
    """The cluster cannot be reached; nothing was sent."""


class LostAnswer(ServiceUnavailable):
    """The command was sent and its answer did not come: it may or may not have run, or may still run."""


class LoginRefused(AgentError):
    """The cluster refused the login, or its host key is not the known one; trying again does not help."""


class NoSuchFile(AgentError):
    """The file or folder does not exist."""


@dataclass(frozen=True)
class Completed:
    """A command that ended.

    Attributes:
        argv: the command.
        exit_code: its exit status; -1 when the other side did not say (killed by a signal).
        stdout: raw output.
        stderr: raw error output.
    """

    argv: tuple[str, ...]
    exit_code: int
    stdout: bytes
    stderr: bytes


@dataclass(frozen=True)
class FileInfo:
    """A file or folder.

    Attributes:
        name: its name in the folder that was listed, or its path.
        size: bytes.
        modified: UNIX seconds.
        is_folder: whether it is a folder.
    """

    name: str
    size: int
    modified: int
    is_folder: bool


def is_regular(path: str, mode: int) -> bool:
    """Whether a file can be read from any place and at any time; False for a device, which reads as empty.

    Raises:
        AgentError: it is a folder, or a FIFO or socket, whose reader waits until somebody writes.
    """
    if modes.S_ISDIR(mode):
        raise AgentError(f"{path}: it is a folder")
    if modes.S_ISFIFO(mode) or modes.S_ISSOCK(mode):
        raise AgentError(f"{path}: it is a pipe, which has no text to show")
    return not (modes.S_ISCHR(mode) or modes.S_ISBLK(mode))


def command_line(argv: Sequence[str]) -> str:
    """The one place where an argv becomes a line for a shell."""
    return shlex.join(argv)


class Transport(abc.ABC):
    """A way to one account on one cluster. Safe to use from several threads at once."""

    @property
    @abc.abstractmethod
    def home(self) -> str:
        """The account's home, absolute. Connects if need be."""

    @property
    @abc.abstractmethod
    def user(self) -> str:
        """The account's name."""

    @abc.abstractmethod
    def run(
        self, argv: Sequence[str], *, stdin: bytes = b"", timeout_s: float | None = None, again: bool = False
    ) -> Completed:
        """Run a command and wait for its end.

        Args:
            argv: the command; quoted here.
            stdin: its input.
            timeout_s: the cluster's command time-out if None.
            again: whether it only reads, so that it may be sent a second time after a dropped connection.

        Raises:
            Unreachable: nothing was sent.
            LostAnswer: it was sent, but its end is not known.
            LoginRefused: the login failed.
        """

    @abc.abstractmethod
    def read(self, path: str, offset: int = 0, size: int = 65536) -> tuple[bytes, int]:
        """At most ``size`` bytes of a file from ``offset`` on, and the file's whole size. Raises NoSuchFile."""

    @abc.abstractmethod
    def list(self, path: str) -> list[FileInfo]:
        """What is in a folder, sorted by name. Raises NoSuchFile."""

    @abc.abstractmethod
    def stat(self, path: str) -> FileInfo:
        """A file's size and time. Raises NoSuchFile."""

    @abc.abstractmethod
    def close(self) -> None:
        """Let go of everything; the next call would open it again."""

    def absolute(self, path: str) -> str:
        """A path of the cluster made absolute: ``~/x`` and ``x`` lie in the account's home."""
        if path == "~":
            return self.home
        return posixpath.join(self.home, path.removeprefix("~/"))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
