"""What stands between a request and an action: who asks, how often, and whether he may."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jupyter_server.auth import IdentityProvider, User

if TYPE_CHECKING:
    from ehpc_jupyter.jobs.service import JobService
    from ehpc_jupyter.server.lanes import Lanes
    from ehpc_jupyter.server.limits import Throttle
    from ehpc_jupyter.server.policy import Policy
    from ehpc_jupyter.server.signature import Verifier

#: The access key whose secret is Jupyter's own token.
JUPYTER_KEY = "jupyter"


@dataclass(frozen=True)
class Gate:
    """What all handlers share.

    Attributes:
        service: carries out the actions.
        lanes: threads for what waits for a cluster.
        verifier: checks signatures.
        policy: what is forbidden by configuration.
        throttle: counts requests.
        max_body: largest body, bytes.
        max_query: largest query, bytes.
    """

    service: JobService
    lanes: Lanes
    verifier: Verifier
    policy: Policy
    throttle: Throttle
    max_body: int
    max_query: int


class KeyIdentity(IdentityProvider):
    """Who signed with an access key of the configuration: a user of that name, in Jupyter's own terms.

    A signature proves the request itself, as a token does: the checks for requests that a browser was tricked into are skipped.
    """

    def __init__(self, key: str) -> None:
        super().__init__()
        self._key = key

    def get_user(self, handler: Any) -> User:
        """The key's name is the user's."""
        handler._token_authenticated = True  # noqa: SLF001 - Jupyter's own name; JupyterHub's check for XSRF reads it
        return User(username=self._key, name=self._key)

    def is_token_authenticated(self, handler: Any) -> bool:
        """See the class."""
        return True
