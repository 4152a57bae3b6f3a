"""The server extension as it is, with ``GET ehpc/stall``: the event loop's longest stall since somebody last asked."""

from __future__ import annotations

from ehpc_jupyter.server.extension import EhpcExtension
from tests.api.fake import FakeExtension


class Metered(FakeExtension):
    """Its clusters are the configured ones."""

    make_service = EhpcExtension.make_service


def _jupyter_server_extension_points():
    return [{"module": "tests.benchmarks.metered", "app": Metered}]
