#!/usr/bin/env bash
# `make test`: installs the Debian packages it may, then runs every check and every test; ends with pytest's closing line.
set -euo pipefail
cd "$(dirname "$0")/.."
packages="slurm-wlm slurmdbd munge openssh-server mariadb-server iputils-ping tcsh fish chromium fonts-dejavu-core"

missing=$(for package in $packages; do dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q '^install ok' || echo "$package"; done)
if [ -n "$missing" ]; then
  as_root=
  if [ "$(id -u)" != 0 ]; then as_root='sudo -n'; fi
  if command -v apt-get >/dev/null && $as_root true 2>/dev/null; then
    echo "- Debian packages:" $missing
    export DEBIAN_FRONTEND=noninteractive
    $as_root apt-get update -qq
    # Services are started by the tests themselves, with settings of their own.
    $as_root apt-get install -y -qq --no-install-recommends $missing >.venv/apt.log 2>&1 || { tail -20 .venv/apt.log >&2; exit 1; }
  else
    echo "Not installed, and not to be installed without root:" $missing
  fi
fi
if [ "$(id -u)" != 0 ]; then
  echo 'Left out without root: tests/cluster, tests/ui and the Slurm half of tests/contract (they need two accounts, munge and slurmd).'
  if [ "${CI:-}" = true ]; then echo 'In CI nothing may be left out.' >&2; exit 1; fi
fi

tools/lint.sh
echo '- labextension tests'
(cd labextension && jlpm test)
echo '- pytest'
exec python -m pytest "$@"
