"""What a user configures, in traitlets: ``c.EhpcExtension.… `` in any of Jupyter's server configuration files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_core.paths import jupyter_config_path, jupyter_data_dir
from traitlets import Dict, Float, TraitError, Unicode, validate
from traitlets.config import Configurable
from traitlets.config.loader import Config, ConfigFileNotFound, JSONFileConfigLoader, PyFileConfigLoader

from ehpc_jupyter.errors import InvalidParams
from ehpc_jupyter.models.actions import DEFAULT_CLUSTER
from ehpc_jupyter.models.cluster import ClusterProfile

if TYPE_CHECKING:
    from traitlets import Bunch

#: The section of Jupyter's configuration that the settings stand in.
SECTION = "EhpcExtension"


class Settings(Configurable):
    """The settings, shared by the server extension and a kernel without a server."""

    clusters = Dict(
        help="""Clusters by name. Each is a dictionary with any of: host (a name, or an alias of ~/.ssh/config), user, port,
        identity_file, known_hosts, ssh_config, password, scheduler ("auto", "slurm"), description, enabled, jobs_folder,
        priority_step, poll_interval_s, connect_timeout_s, command_timeout_s. The cluster "local", an embedded queue on
        this machine, is always there. For example: {"my-hpc": {"host": "login.example.org", "user": "me"}}""",
    ).tag(config=True)

    data_dir = Unicode(
        help="Folder of the database of jobs; by default `ehpc` in Jupyter's data folder.",
    ).tag(config=True)

    local_poll_interval_s = Float(
        0.5, min=0.2, help="Shortest time between two looks at the embedded queue, seconds."
    ).tag(config=True)

    @validate("clusters")
    def _check_clusters(self, proposal: Bunch) -> Any:
        # A mistake is told at start with the cluster's name, not at the first job.
        _profiles(proposal["value"])
        return proposal["value"]

    def profiles(self) -> dict[str, ClusterProfile]:
        """The clusters, ``local`` first."""
        local = ClusterProfile(
            name=DEFAULT_CLUSTER,
            description="Embedded queue on this machine",
            scheduler="local",
            poll_interval_s=self.local_poll_interval_s,
        )
        return {DEFAULT_CLUSTER: local, **_profiles(self.clusters)}

    def store_path(self) -> Path:
        """The file of the store."""
        folder = self.data_dir or str(Path(jupyter_data_dir()) / "ehpc")
        return Path(folder).expanduser() / "jobs.sqlite"


def _profiles(clusters: dict[str, Any]) -> dict[str, ClusterProfile]:
    made = {}
    for name, values in clusters.items():
        if not isinstance(values, dict):
            raise TraitError(f"{SECTION}.clusters[{name!r}] is no dictionary")
        try:
            profile = ClusterProfile.from_wire({"name": name, **values}, prefix=f"clusters[{name!r}].")
        except InvalidParams as error:
            raise TraitError("; ".join(f"{SECTION}.{p.field}: {p.message}" for p in error.problems)) from None
        if profile.host is None and profile.scheduler == "local" and name != DEFAULT_CLUSTER:
            raise TraitError(
                f"{SECTION}.clusters[{name!r}]: the embedded queue has the name {DEFAULT_CLUSTER!r}; give a host"
            )
        made[name] = profile
    return made


def load_settings() -> Settings:
    """The settings as Jupyter Server would read them, for a kernel that has no server.

    Reads ``jupyter_config`` and ``jupyter_server_config`` (``.json``, ``.py``) of every folder of Jupyter's configuration path,
    the user's last.
    """
    merged = Config()
    for folder in reversed(jupyter_config_path()):
        for base in ("jupyter_config", "jupyter_server_config"):
            for loader in (JSONFileConfigLoader, PyFileConfigLoader):
                suffix = ".json" if loader is JSONFileConfigLoader else ".py"
                try:
                    merged.merge(loader(base + suffix, path=folder).load_config())
                except ConfigFileNotFound:
                    continue
    own = merged.get(SECTION, {})
    known = {name: value for name, value in own.items() if name in Settings.class_trait_names(config=True)}
    return Settings(config=Config({"Settings": known}))
