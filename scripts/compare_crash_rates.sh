#!/usr/bin/env bash
# Compares the crash rate of a command without and with the fix.
#
#   compare_crash_rates.sh [N] [CMD [ARGS...]]
#
#   N         runs of each arm (20)
#   CMD       what is run (python3 scripts/mps/test_transformer_shared.py)
#   AGXRUN    the program agxrun
#
#   Exit codes: those of `agxrun compare`.
#
# Otherwise than the published script: the arms are interleaved at random, only crashes are called crashes, rates have intervals,
# the difference is tested, and no arm is called better where the control did not crash.
set -euo pipefail
# shellcheck source=scripts/compat.sh
. "$(dirname "${BASH_SOURCE[0]}")/compat.sh"

runs=${1:-20}
[ "$#" -eq 0 ] || shift
[ "$#" -gt 0 ] || set -- python3 "$ROOT/scripts/mps/test_transformer_shared.py"
find_agxrun
exec "$AGXRUN" compare --arm none --arm v3 -n "$runs" --archive "$ROOT/crash_logs" -- "$@"
