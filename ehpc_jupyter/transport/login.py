"""Logging in by Fabric: ``~/.ssh/config`` and jump hosts as ssh has them, host keys verified on every hop."""

from __future__ import annotations

import contextlib
import re
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

import paramiko
from fabric import Config, Connection

from ehpc_jupyter.transport.base import LoginRefused, Unreachable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import SecretStr

    from ehpc_jupyter.models.cluster import ClusterProfile

_KEEPALIVE_S = 15
#: How long the other machine may leave what was sent to it unconfirmed before the connection counts as dead, seconds.
_SILENCE_S = 45
#: paramiko calls a login that was never answered a refused one.
_BROKE_OFF = re.compile("transport shut down or saw EOF|Authentication timeout")


def open_connection(profile: ClusterProfile, user: str | None, password: SecretStr | None) -> Connection:
    """Log in to a cluster.

    Args:
        profile: where and how.
        user: the account; that of ``~/.ssh/config`` or one's own name if None.
        password: of that account; then neither keys nor an agent are tried.

    Raises:
        LoginRefused: the account, the key or the password was refused, or the host is not the known one.
        Unreachable: nothing answers there.
    """
    where = f"{user}@{profile.host}" if user else str(profile.host)
    # Lazy: reads no fabric.yaml, no fabfile and no FABRIC_* variable; only ssh_config is wanted.
    config = Config(lazy=True, runtime_ssh_path=_expanded(profile.ssh_config))
    limits = dict.fromkeys(("banner_timeout", "auth_timeout", "channel_timeout"), profile.connect_timeout_s)
    # A queue of 10,000 jobs is a megabyte of text, which comes every two seconds while somebody looks; it shrinks to a third.
    kwargs: dict[str, Any] = {**limits, "compress": True}
    if password is not None:
        kwargs |= {"password": password.get_secret_value(), "look_for_keys": False, "allow_agent": False}
    if profile.identity_file and not (password is not None and user != profile.user):
        kwargs |= {"key_filename": [_expanded(profile.identity_file)], "look_for_keys": False}
    for setting, file in (("identity_file", profile.identity_file), ("ssh_config", profile.ssh_config)):
        if file and not Path(file).expanduser().is_file():
            raise LoginRefused(f"cluster {profile.name}: there is no file {file}, its {setting}")
    connection: Connection | None = None
    try:
        config.load_ssh_config()
        connection = Connection(
            str(profile.host),
            user=user,
            port=profile.port,
            config=config,
            connect_kwargs=kwargs,
            connect_timeout=max(1, round(profile.connect_timeout_s)),
        )
        for hop in _hops(connection):
            _trust_known_hosts(hop, profile)
            # Fabric gives a jump host no time-out at all.
            hop.connect_timeout = connection.connect_timeout
            hop.connect_kwargs = {**hop.connect_kwargs, **limits}
        connection.open()
        for hop in _hops(connection):
            _tune(hop.client.get_transport())
        opened, connection = connection, None
    except paramiko.BadHostKeyException:
        raise LoginRefused(
            f"the host key of {profile.host} is not the one in the known_hosts file: somebody may be in between. "
            "Ask the site; if the key was changed on purpose, remove the old line with ssh-keygen -R"
        ) from None
    except paramiko.AuthenticationException as error:
        if _BROKE_OFF.search(str(error)):
            raise Unreachable(
                f"{where}: the connection ended during the login. If it does so every time, the agent may offer more keys "
                "than the host lets one try: name one as identity_file"
            ) from None
        raise LoginRefused(
            f"login as {where} was refused ({words(error)}); check the user, the key or agent, the password"
        ) from None
    except paramiko.SSHException as error:
        if "known_hosts" in str(error):
            raise LoginRefused(
                f"the host key of {profile.host} is not known; log in once with ssh in a terminal "
                "and compare the fingerprint, or add the key to the known_hosts file"
            ) from None
        raise Unreachable(f"{where}: {words(error)}") from None
    except (OSError, EOFError) as error:
        raise Unreachable(f"{where} cannot be reached: {words(error)}") from None
    finally:
        if connection is not None:
            close_connection(connection)
    return opened


def _trust_known_hosts(connection: Connection, profile: ClusterProfile) -> None:
    """Fabric's own policy accepts any key; ours accepts the known ones and nothing else."""
    client: paramiko.SSHClient = connection.client
    client.set_missing_host_key_policy(paramiko.RejectPolicy())
    if profile.known_hosts:
        files = [_expanded(profile.known_hosts)]
    else:
        named = str(connection.ssh_config.get("userknownhostsfile", "~/.ssh/known_hosts ~/.ssh/known_hosts2"))
        files = [*(_expanded(name) for name in named.split()), "/etc/ssh/ssh_known_hosts"]
    for file in files:
        if file and Path(file).is_file():
            _load_known_hosts(client, Path(file))


def _hops(connection: Connection) -> Iterator[Connection]:
    while isinstance(connection, Connection):
        yield connection
        connection = connection.gateway


def _tune(transport: paramiko.Transport) -> None:
    transport.set_keepalive(_KEEPALIVE_S)
    if isinstance(transport.sock, socket.socket):
        # Without it each exchange waits for a delayed acknowledgement: 93 ms instead of 9 for one sbatch.
        transport.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            # A laptop that slept, a network that went: the kernel itself would go on trying for a quarter of an hour.
            transport.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _SILENCE_S * 1000)


def close_connection(connection: Connection) -> None:
    """Close a connection and those to its jump hosts, from the far end on."""
    for hop in _hops(connection):
        with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
            hop.client.close()


def _load_known_hosts(client: paramiko.SSHClient, file: Path) -> None:
    """As ssh does it: a line that cannot be read is no reason to refuse the others."""
    known = client.get_host_keys()
    for number, line in enumerate(file.read_bytes().decode(errors="replace").splitlines(), 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        with contextlib.suppress(paramiko.SSHException, paramiko.hostkeys.InvalidHostKey, ValueError, IndexError):
            entry = paramiko.hostkeys.HostKeyEntry.from_line(text, number)
            if entry is not None and entry.key is not None:
                kind = entry.key.get_name()
                for name in entry.hostnames:
                    if kind not in (known.lookup(name) or ()):
                        known.add(name, kind, entry.key)


def _expanded(path: str | None) -> str | None:
    return str(Path(path).expanduser()) if path else None


def words(error: BaseException) -> str:
    """What an error says, without numbers and class names where it has words."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__
