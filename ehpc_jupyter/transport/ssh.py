"""SSH: one open connection to one account, its channels and its files. With ``login.py`` all that knows of SSH."""

from __future__ import annotations

import contextlib
import errno
import stat as modes
import threading
import time
from typing import TYPE_CHECKING

import paramiko

from ehpc_jupyter.errors import AgentError, EhpcError
from ehpc_jupyter.transport.base import (
    Completed,
    FileInfo,
    LostAnswer,
    NoSuchFile,
    Transport,
    Unreachable,
    command_line,
    is_regular,
)
from ehpc_jupyter.transport.login import close_connection, open_connection, words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import TypeVar

    from fabric import Connection
    from pydantic import SecretStr

    from ehpc_jupyter.models.cluster import ClusterProfile

    T = TypeVar("T")

#: sshd's MaxSessions is 10, but it frees a session late: 4 channels at once never fail, 8 do. One of the 4 is for files.
_COMMAND_CHANNELS = 3
_CHUNK = 32768
#: Begins a command's own output: what a login profile printed before it is not the command's.
_MARK = b"\x1e\x1f\n"
#: Runs a command behind the mark. Plain enough for every login shell there is (csh and fish quote in their own ways).
_BEHIND_MARK = ("/bin/sh", "-c", "printf '\\036\\037\\n'; printf '\\036\\037\\n' >&2; exec \"$@\"", "sh")


class SSHTransport(Transport):
    """An account on a cluster's login node.

    Args:
        profile: where and how to log in.
        user: another account than the profile's.
        password: that account's; the profile's own if None.
    """

    def __init__(self, profile: ClusterProfile, *, user: str | None = None, password: SecretStr | None = None) -> None:
        self._profile = profile
        self._password = password if user else profile.password
        self._wanted_user = user or profile.user
        self._connection: Connection | None = None
        self._sftp: paramiko.SFTPClient | None = None
        self._home = ""
        self._user = user or profile.user or ""
        self._connect_lock = threading.Lock()
        self._failure: tuple[float, EhpcError] | None = None
        self._file_lock = threading.Lock()
        self._channels = threading.BoundedSemaphore(_COMMAND_CHANNELS)
        self._running: set[object] = set()

    @property
    def home(self) -> str:
        """The account's home, as the SFTP server starts in it."""
        if not self._home:
            self._home = self._with_files(lambda sftp: sftp.normalize("."))
        return self._home

    @property
    def user(self) -> str:
        """The account's name, from the profile or ``~/.ssh/config``."""
        if not self._user:
            self._open()
        return self._user

    def run(
        self, argv: Sequence[str], *, stdin: bytes = b"", timeout_s: float | None = None, again: bool = False
    ) -> Completed:
        """See ``Transport.run``. Waits for one of the connection's channels if all are in use."""
        limit = timeout_s or self._profile.command_timeout_s
        try:
            return self._run_once(tuple(argv), stdin, limit)
        except LostAnswer:
            if not again or self._is_open():
                raise
            return self._run_once(tuple(argv), stdin, limit)

    def _run_once(self, argv: tuple[str, ...], stdin: bytes, limit_s: float) -> Completed:
        deadline = time.monotonic() + limit_s
        if not self._channels.acquire(timeout=limit_s):
            raise Unreachable(f"all {_COMMAND_CHANNELS} channels to {self._where()} were busy for {limit_s:g} s")
        running = object()
        self._running.add(running)
        try:
            channel = self._channel(deadline)
            try:
                return _converse(channel, argv, stdin, deadline)
            except (OSError, EOFError, paramiko.SSHException) as error:
                why = f"no answer within {limit_s:g} s" if isinstance(error, TimeoutError) else words(error)
                raise LostAnswer(f"{argv[0]} on {self._where()}: {why}") from None
            finally:
                _end(channel)
        finally:
            self._running.discard(running)
            self._channels.release()

    def _channel(self, deadline: float) -> paramiko.Channel:
        """A new channel; a connection that turns out dead is opened again, since nothing was sent on it yet."""
        for attempt in (1, 2):
            transport = self._open()
            patience = min(self._profile.connect_timeout_s, deadline - time.monotonic())
            try:
                return transport.open_session(timeout=max(1.0, patience))
            except (OSError, EOFError, paramiko.SSHException) as error:
                # sshd keeps the place of a command that was given up until it ends: a connection full of those takes no
                # more. It is left only when nobody else waits for an answer on it.
                refused = isinstance(error, paramiko.ChannelException) or "Unable to open" in str(error)
                if attempt == 2 or (refused and len(self._running) > 1):
                    raise Unreachable(f"{self._where()} opens no channel: {words(error)}") from None
                self._drop(transport)
        raise AssertionError

    def read(self, path: str, offset: int = 0, size: int = 65536) -> tuple[bytes, int]:
        """See ``Transport.read``; costs the bytes asked for, whatever the file's size."""

        def piece(sftp: paramiko.SFTPClient) -> tuple[bytes, int]:
            # Opening a FIFO would wait for its writer.
            if not is_regular(path, sftp.stat(path).st_mode or 0):
                return b"", 0
            with sftp.open(path, "rb", bufsize=0) as file:
                total = file.stat().st_size or 0
                wanted = max(0, min(size, total - offset))
                if wanted > _CHUNK:
                    file.prefetch(offset + wanted, max_concurrent_requests=32) if offset == 0 else None
                file.seek(offset)
                parts = []
                while wanted > 0 and (part := file.read(min(wanted, _CHUNK))):
                    parts.append(part)
                    wanted -= len(part)
                return b"".join(parts), total

        return self._with_files(piece, path)

    def list(self, path: str) -> list[FileInfo]:
        """See ``Transport.list``."""

        def names(sftp: paramiko.SFTPClient) -> list[FileInfo]:
            return sorted((_info(item.filename, item) for item in sftp.listdir_attr(path)), key=lambda info: info.name)

        return self._with_files(names, path)

    def stat(self, path: str) -> FileInfo:
        """See ``Transport.stat``."""
        return self._with_files(lambda sftp: _info(path, sftp.stat(path)), path)

    def close(self) -> None:
        """Close the connection."""
        if self._connect_lock.acquire(timeout=2.0):
            try:
                self._let_go()
            finally:
                self._connect_lock.release()

    # --- the connection

    def _where(self) -> str:
        return f"{self._wanted_user}@{self._profile.host}" if self._wanted_user else str(self._profile.host)

    def _is_open(self) -> bool:
        return self._connection is not None and bool(self._connection.is_connected)

    def _open(self) -> paramiko.Transport:
        arrived = time.monotonic()
        if not self._connect_lock.acquire(timeout=4 * self._profile.connect_timeout_s):
            raise Unreachable(f"{self._where()} is still being connected to")
        try:
            connection = self._connection
            if connection is None or not connection.is_connected:
                self._let_go()
                if self._failure is not None and self._failure[0] >= arrived:
                    # The attempt that this call waited for: everybody trying in turn would make the last wait for all.
                    raise type(self._failure[1])(self._failure[1].detail)
                try:
                    connection = self._connection = open_connection(self._profile, self._wanted_user, self._password)
                except EhpcError as error:
                    self._failure = (time.monotonic(), error)
                    raise
                self._user = str(connection.user)
            transport: paramiko.Transport = connection.transport
            return transport
        finally:
            self._connect_lock.release()

    def _drop(self, transport: paramiko.Transport) -> None:
        """Let go of a connection that is of no use; not of another that somebody opened in its place."""
        with self._connect_lock:
            if self._connection is not None and self._connection.transport is transport:
                self._let_go()

    def _let_go(self) -> None:
        connection, self._connection, self._sftp = self._connection, None, None
        if connection is not None:
            close_connection(connection)

    # --- files

    def _with_files(self, work: Callable[[paramiko.SFTPClient], T], path: str = "") -> T:
        """Do something over the connection's one SFTP channel; it only reads, so a dropped connection is opened again."""
        if not self._file_lock.acquire(timeout=self._profile.command_timeout_s):
            raise Unreachable(f"files on {self._where()}: others were being read for too long")
        try:
            for attempt in (1, 2):
                transport = self._open()
                try:
                    with _file_errors(path):
                        if self._sftp is None:
                            self._sftp = _sftp(transport, self._profile.command_timeout_s)
                        return work(self._sftp)
                except paramiko.SFTPError as error:
                    hint = "does a login profile there, such as ~/.bashrc, print something?"
                    raise Unreachable(f"files on {self._where()}: {words(error)}; {hint}") from None
                except (EOFError, OSError, paramiko.SSHException) as error:
                    used, self._sftp = self._sftp, None
                    if used is not None:
                        # A channel that nobody reads keeps its place on the connection.
                        _end(used)
                    if attempt == 2 or (transport.is_active() and not isinstance(error, EOFError)):
                        raise Unreachable(f"files on {self._where()}: {words(error)}") from None
                    if not transport.is_active():
                        self._drop(transport)
        finally:
            self._file_lock.release()
        raise AssertionError


def _end(channel: paramiko.Channel | paramiko.SFTPClient) -> None:
    """Close it. On a connection that drops just now that fails, too, and would hide what was said before."""
    with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
        channel.close()


def _sftp(transport: paramiko.Transport, timeout_s: float) -> paramiko.SFTPClient:
    channel = transport.open_session(timeout=timeout_s)
    channel.settimeout(timeout_s)
    channel.invoke_subsystem("sftp")
    return paramiko.SFTPClient(channel)


def _converse(channel: paramiko.Channel, argv: tuple[str, ...], stdin: bytes, deadline: float) -> Completed:
    def patience() -> float:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    channel.settimeout(patience())
    channel.exec_command(command_line((*_BEHIND_MARK, *argv)))
    try:
        if stdin:
            channel.sendall(stdin)
        channel.shutdown_write()
    except TimeoutError:
        raise
    except OSError:
        pass  # It ended without reading all of it, and says below why.
    out: list[bytes] = []
    # Error output waits in the channel's window (2 MiB) meanwhile: far more than any command here writes.
    while part := channel.recv(_CHUNK):
        out.append(part)
        channel.settimeout(patience())
    errors: list[bytes] = []
    while part := channel.recv_stderr(_CHUNK):
        errors.append(part)
        channel.settimeout(patience())
    if not channel.status_event.wait(patience()):
        raise TimeoutError
    before, mark, stdout = b"".join(out).partition(_MARK)
    # paramiko ends the channels of a dropped connection before it calls the connection itself inactive.
    if channel.exit_status < 0 and not (mark and channel.get_transport().is_active()):
        raise EOFError("the connection dropped")
    if not mark:
        said = b" ".join((before, *errors)).decode(errors="replace").split()
        raise Unreachable(f"the account's login shell ran no command: {' '.join(said)[-500:] or 'it said nothing'}")
    return Completed(argv, channel.exit_status, stdout, b"".join(errors).rpartition(_MARK)[2])


@contextlib.contextmanager
def _file_errors(path: str) -> Iterator[None]:
    """SFTP's refusals as errors of ours; what is a fault of the connection passes through."""
    try:
        yield
    except UnicodeDecodeError:
        raise AgentError(f"{path}: it holds a name that is not written in UTF-8") from None
    except OSError as error:
        if error.errno == errno.ENOENT:
            raise NoSuchFile(f"{path}: no such file or folder") from None
        if error.errno == errno.EACCES:
            raise AgentError(f"{path}: permission denied") from None
        if error.errno is None and not isinstance(error, TimeoutError) and str(error) == "Failure":
            raise AgentError(f"{path}: the cluster's file server refused it") from None
        raise


def _info(name: str, found: paramiko.SFTPAttributes) -> FileInfo:
    return FileInfo(name, found.st_size or 0, int(found.st_mtime or 0), modes.S_ISDIR(found.st_mode or 0))
