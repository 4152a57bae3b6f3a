"""``python -m ehpc_jupyter.localq``, or better ``python -I -S …/ehpc_jupyter/localq/__main__.py``.

With ``-m`` Python looks for modules in the current folder first, so a user's ``sqlite3.py`` or ``ehpc_jupyter/`` there
would be imported. With ``-I`` and this file's path it looks only into its standard library, and into the folder of this
package after that; ``-S`` leaves the site's ``.pth`` files out, whose number nobody knows.
"""

import sys

if __package__ in (None, ""):
    sys.path.append(__file__.removesuffix("/ehpc_jupyter/localq/__main__.py"))


def main() -> int:
    """Run what the arguments ask for; the two daemons have entries of their own, the rest is the command line."""
    kind, rest = (sys.argv[1:2] or [""])[0], sys.argv[2:]
    if kind == "_manager":
        from ehpc_jupyter.localq.manager import main as manager

        return manager()
    if kind == "_shepherd":
        from ehpc_jupyter.localq.shepherd import main as shepherd

        return shepherd(int(rest[0]), int(rest[1]))
    from ehpc_jupyter.localq.cli import main as command

    return command(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
