"""The accounts of a cluster: one connection each, and the password of each in memory only."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from ehpc_jupyter.errors import InvalidParams, Problem
from ehpc_jupyter.transport.base import LoginRefused
from ehpc_jupyter.transport.local import LocalTransport

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import SecretStr

    from ehpc_jupyter.models.cluster import ClusterProfile
    from ehpc_jupyter.transport.base import Transport


class Accounts:
    """Opens connections and finds them again. Safe to use from several threads.

    Args:
        profile: the cluster.
        connect: makes the transport of an account, the profile's own for None.
    """

    def __init__(
        self, profile: ClusterProfile, connect: Callable[[ClusterProfile, str | None, SecretStr | None], Transport]
    ) -> None:
        self._profile = profile
        self._connect = connect
        self._sessions: dict[str, Transport] = {}
        self._passwords: dict[str, SecretStr] = {}
        self._lock = threading.Lock()

    def login(self, user: str | None, password: SecretStr | None) -> str:
        """See ``Cluster.login``. A password that differs from the last one is tried anew."""
        own = self.session("")
        if not user or user == own.user:
            return own.user
        with self._lock:
            session, known = self._sessions.get(user), self._passwords.get(user)
        if session is None or (password is not None and password != known):
            session = self._connect(self._profile, user, password)
        try:
            # Without the lock: an account whose login hangs is no other's concern.
            _ = session.home
        except LoginRefused as error:
            field = "RunasUserPassword" if password is not None else "RunasUser"
            raise InvalidParams(Problem(f"JobSpec.{field}", error.detail)) from None
        with self._lock:
            self._sessions[user] = session
            if password is not None:
                self._passwords[user] = password
        return user

    def session(self, user: str) -> Transport:
        """The connection of an account; of the profile's own if empty."""
        with self._lock:
            own = self._sessions.get("")
            if own is None:
                own = self._sessions[""] = self._connect(self._profile, None, None)
        if not user or user == own.user:
            return own
        with self._lock:
            if user not in self._sessions:
                # After a restart the password is gone: a key or an agent may still open the account.
                self._sessions[user] = self._connect(self._profile, user, None)
            return self._sessions[user]

    def close(self) -> None:
        """Close all connections."""
        with self._lock:
            sessions, self._sessions = list(self._sessions.values()), {}
        for session in sessions:
            session.close()


def connect_account(profile: ClusterProfile, user: str | None, password: SecretStr | None) -> Transport:
    """SSH, or this machine if the profile has no host. Raises InvalidParams: this machine has no other account for us."""
    if profile.host is None:
        local = LocalTransport(command_timeout_s=profile.command_timeout_s)
        if user and user != local.user:
            raise InvalidParams(
                Problem("JobSpec.RunasUser", f"cluster {profile.name} runs jobs as {local.user} only; leave it empty")
            )
        return local
    from ehpc_jupyter.transport.ssh import SSHTransport

    return SSHTransport(profile, user=user, password=password)
