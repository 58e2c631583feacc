#!/usr/bin/env bash
# Executes the arm64 library on this machine: see tests/machine/README.md, and run.sh there for options.
set -euo pipefail
exec "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../tests/machine/run.sh" "$@"
