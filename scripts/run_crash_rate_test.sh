#!/usr/bin/env bash
# The crash rate of a command, with the fix or without.
#
#   run_crash_rate_test.sh [N] [CMD [ARGS...]]
#
#   N                 runs (20)
#   CMD               what is run (python3 scripts/mps/test_transformer_shared.py)
#   MPS_USE_AGX_FIX   0: without the fix (1)
#   AGX_FIX_DYLIB     the library to insert (default: the one that agxrun finds)
#   AGXRUN            the program agxrun
#
#   Exit codes: those of `agxrun stress`: 0 no run crashed, 86 some did, ...
#
# Otherwise than the published script: a rate with its interval, of crashes alone; failures and runs without the fix are counted apart.
set -euo pipefail
# shellcheck source=scripts/compat.sh
. "$(dirname "${BASH_SOURCE[0]}")/compat.sh"

runs=${1:-20}
[ "$#" -eq 0 ] || shift
[ "$#" -gt 0 ] || set -- python3 "$ROOT/scripts/mps/test_transformer_shared.py"
find_agxrun
check_libraries
switch MPS_USE_AGX_FIX 1
fix=()
[ "$SWITCH" = 1 ] || fix=(--no-fix)
exec "$AGXRUN" stress -n "$runs" ${fix[@]+"${fix[@]}"} --archive "$ROOT/crash_logs" -- "$@"
