"""This machine: commands as child processes, files as files."""

from __future__ import annotations

import getpass
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from ehpc_jupyter.errors import AgentError
from ehpc_jupyter.localq.environment import is_dropped
from ehpc_jupyter.transport.base import Completed, FileInfo, LostAnswer, NoSuchFile, Transport, Unreachable, is_regular

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class LocalTransport(Transport):
    """The account that Jupyter runs as, on Jupyter's own machine.

    Args:
        command_timeout_s: default time-out of a command, seconds.
        environment: of the commands; that of this process, without Jupyter's secrets, if None. A scheduler on this machine
            hands it on to the job.
    """

    def __init__(self, *, command_timeout_s: float = 60.0, environment: Mapping[str, str] | None = None) -> None:
        self._timeout_s = command_timeout_s
        self._environment = environment

    @property
    def home(self) -> str:
        """``$HOME``."""
        return str(Path.home())

    @property
    def user(self) -> str:
        """The account of this process."""
        return getpass.getuser()

    def run(
        self, argv: Sequence[str], *, stdin: bytes = b"", timeout_s: float | None = None, again: bool = False
    ) -> Completed:
        """See ``Transport.run``; a command that passes its time-out is killed."""
        try:
            done = subprocess.run(
                list(argv),
                input=stdin,
                capture_output=True,
                timeout=timeout_s or self._timeout_s,
                cwd=self.home,
                env=_inherited() if self._environment is None else dict(self._environment),
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise LostAnswer(f"{argv[0]} did not answer within {timeout_s or self._timeout_s:g} s") from None
        except OSError as error:
            raise Unreachable(f"{argv[0]} cannot be run: {error.strerror}") from None
        return Completed(tuple(argv), done.returncode, done.stdout, done.stderr)

    def read(self, path: str, offset: int = 0, size: int = 65536) -> tuple[bytes, int]:
        """See ``Transport.read``."""
        try:
            # Opening a FIFO would wait for its writer.
            if not is_regular(path, Path(path).stat().st_mode):
                return b"", 0
            with Path(path).open("rb") as file:
                total = file.seek(0, 2)
                file.seek(min(offset, total))
                return file.read(size), total
        except OSError as error:
            raise _failure(error, path) from None

    def list(self, path: str) -> list[FileInfo]:
        """See ``Transport.list``."""
        try:
            # A link that leads nowhere is there, too.
            return [
                _info(child.name, child.stat() if child.exists() else child.lstat())
                for child in sorted(Path(path).iterdir())
            ]
        except OSError as error:
            raise _failure(error, path) from None

    def stat(self, path: str) -> FileInfo:
        """See ``Transport.stat``."""
        try:
            return _info(path, Path(path).stat())
        except OSError as error:
            raise _failure(error, path) from None

    def close(self) -> None:
        """Nothing is held open."""


def _inherited() -> dict[bytes, bytes]:
    return {name: value for name, value in os.environb.items() if not is_dropped(name, value)}


def _info(name: str, found: os.stat_result) -> FileInfo:
    return FileInfo(name, found.st_size, int(found.st_mtime), (found.st_mode & 0o170000) == 0o040000)


def _failure(error: OSError, path: str) -> AgentError:
    text = f"{path}: {error.strerror}"
    return NoSuchFile(text) if isinstance(error, (FileNotFoundError, NotADirectoryError)) else AgentError(text)
