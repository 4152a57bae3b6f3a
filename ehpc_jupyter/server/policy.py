"""Who configured what to be forbidden: ``c.EhpcExtension.policy``, in the form of the API page's authorization table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ehpc_jupyter.errors import NoPermission
from ehpc_jupyter.models.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_PREFIX = "ehpc:"
_EVERY = f"{_PREFIX}*"


class Policy:
    """Rules ``"ehpc:<Action>": "allow" | "deny"``, for all clusters or, in a dictionary under its name, for one.

    What is said of one cluster goes before what is said of all, an action before ``ehpc:*``; what nothing is said of is allowed.

    Args:
        rules: as configured.
        actions: the actions there are.
        clusters: the clusters there are.

    Raises:
        ValueError: a rule that could never hold, so that no mistake passes for a ban.
    """

    def __init__(self, rules: Mapping[str, Any], actions: Collection[str], clusters: Collection[str]) -> None:
        self._all: dict[str, bool] = {}
        self._of: dict[str, dict[str, bool]] = {}
        for name, value in rules.items():
            if isinstance(value, dict):
                if name not in clusters:
                    raise ValueError(f"there is no cluster {name!r}{did_you_mean(name, clusters)}")
                self._of[name] = {inner: _rule(inner, word, actions) for inner, word in value.items()}
            else:
                self._all[name] = _rule(name, value, actions)

    def check(self, action: str, clusters: Collection[Any]) -> None:
        """Let pass or not.

        Args:
            action: what is to be done.
            clusters: whatever the request may take for the cluster's name; one that denies is enough.

        Raises:
            NoPermission: it is denied.
        """
        for cluster in [name for name in clusters if isinstance(name, str)] or [""]:
            own = self._of.get(cluster, {})
            for rules, name in (
                (own, _PREFIX + action),
                (own, _EVERY),
                (self._all, _PREFIX + action),
                (self._all, _EVERY),
            ):
                if name in rules:
                    if not rules[name]:
                        where = f" on cluster {cluster}" if rules is own else ""
                        raise NoPermission(f"{_PREFIX}{action} is denied{where} by this server's configuration")
                    break


def _rule(name: str, word: Any, actions: Collection[str]) -> bool:
    if name != _EVERY and name.removeprefix(_PREFIX) not in actions:
        raise ValueError(f"{name!r} is no action{did_you_mean(name, [_PREFIX + action for action in actions])}")
    if not name.startswith(_PREFIX):
        raise ValueError(f"write {_PREFIX}{name}")
    if word not in ("allow", "deny"):
        raise ValueError(f"{name}: {word!r} is neither 'allow' nor 'deny'")
    return bool(word == "allow")
