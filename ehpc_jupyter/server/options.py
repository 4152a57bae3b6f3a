"""The settings that only a server has: who may do what, and how much."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from traitlets import Bool, Dict, Float, HasTraits, Int, TraitError, validate

from ehpc_jupyter.jobs.actions_table import ACTIONS
from ehpc_jupyter.server.gate import JUPYTER_KEY
from ehpc_jupyter.server.policy import Policy

if TYPE_CHECKING:
    from traitlets import Bunch

_KEY_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,127}")


class ServerOptions(HasTraits):
    """Mixed into the extension; a mistake is told at start."""

    threads = Int(
        32,
        min=4,
        help="How many requests may wait for clusters at once. A cluster that hangs holds one thread a request.",
    ).tag(config=True)

    access_keys = Dict(
        help="""Access keys for clients that sign their requests, id → secret. Who signs with one is a user of that name to
        Jupyter's authorizer. The key "jupyter" is always there: its secret is Jupyter's token.""",
    ).tag(config=True)

    policy = Dict(
        help="""What is allowed: {"ehpc:CreateJob": "deny"} for all clusters, {"my-hpc": {"ehpc:StopJobs": "deny"}} for one;
        "ehpc:*" stands for all actions. A cluster's rule goes before the general one, an action before "ehpc:*". What is not
        named is allowed.""",
    ).tag(config=True)

    root_endpoint = Bool(
        False,
        help="""Whether the server's root / answers the API, too (only requests that name an action), for the official SDK
        without a path.""",
    ).tag(config=True)

    max_body = Int(
        4 * 1024 * 1024, min=1024, help="Largest body of a request, bytes: a longer script belongs into a file."
    ).tag(config=True)

    max_query = Int(
        48 * 1024,
        min=1024,
        help="Largest query of a request, bytes. Beyond 256 KiB more the connection is closed without an answer.",
    ).tag(config=True)

    rate_limit = Float(
        200.0,
        min=0,
        help="Requests a second one user may make, on average over ten seconds; more are answered 429. 0: no limit.",
    ).tag(config=True)

    @validate("access_keys")
    def _check_keys(self, proposal: Bunch) -> Any:
        for key, secret in proposal["value"].items():
            # Messages name the key and never its secret.
            if key == JUPYTER_KEY:
                raise TraitError(
                    f"access_keys: the key {JUPYTER_KEY!r} has Jupyter's token as its secret; choose another id"
                )
            if not isinstance(key, str) or not _KEY_ID.fullmatch(key):
                raise TraitError(f"access_keys: {key!r} cannot be an id; use letters, digits and . _ @ -")
            if not isinstance(secret, str) or len(secret) < 16:
                raise TraitError(f"access_keys: the secret of {key!r} must be a text of at least 16 characters")
        return proposal["value"]

    @validate("policy")
    def _check_policy(self, proposal: Bunch) -> Any:
        rules = proposal["value"]
        try:
            Policy(rules, ACTIONS, [name for name, value in rules.items() if isinstance(value, dict)])
        except ValueError as error:
            raise TraitError(f"policy: {error}") from None
        return rules
