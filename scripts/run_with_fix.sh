#!/usr/bin/env bash
# Runs a command with the fix.
#
#   run_with_fix.sh CMD [ARGS...]
#
#   AGX_FIX_DYLIB    the library to insert (default: the one that agxrun finds)
#   AGXRUN           the program agxrun
#
#   Exit codes: those of `agxrun run`.
#
# Otherwise than the published script: crash reports that appear fail the run.
set -euo pipefail
# shellcheck source=scripts/compat.sh
. "$(dirname "${BASH_SOURCE[0]}")/compat.sh"

[ "$#" -gt 0 ] || usage "no command"
find_agxrun
check_libraries
exec "$AGXRUN" run --archive "$ROOT/crash_logs" -- "$@"
