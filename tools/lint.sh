#!/usr/bin/env bash
# All checks that run no code of ours. Each tool's own words say what is wrong.
set -euo pipefail
cd "$(dirname "$0")/.."
step() { echo "- $*"; "$@"; }
step ruff check .
step ruff format --check --quiet .
step mypy
step python tools/generate_types.py --check
(cd labextension && step jlpm lint)
