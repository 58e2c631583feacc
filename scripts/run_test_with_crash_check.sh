#!/usr/bin/env bash
# Runs a command with the fix, and fails when a crash report appears, whatever the command returned.
#
#   run_test_with_crash_check.sh CMD [ARGS...]
#
#   AGX_FIX_DYLIB               the library to insert, before those of DYLD_INSERT_LIBRARIES (default: the one that agxrun finds)
#   MPS_TEST_CRASH_WAIT_SECS    how long to wait for reports at most (6); set, it also limits the wait for the report of a crash
#   MPS_TEST_METAL_PREFLIGHT    1: do not run where a Mac has no Metal device (1)
#   MPS_FORCE_GRAPH_PATH        handed to the command (1)
#   NO_COLOR                    no colours
#   AGXRUN                      the program agxrun
#
#   Exit codes: those of `agxrun run`: the command's own, 86 for crash reports, 88 where the library did not load, ...;
#   2 where a library that is to be inserted does not exist; 77 where the preflight found no Metal.
#
# Otherwise than the published script: reports are told by what they say, whatever the process is called, and copied whole; there is
# no wait where every process ended well, and up to 30 s for the report of one that crashed, unless the variable says less; a skip
# exits 77 and not 0; that the library loaded is proved (88).
set -euo pipefail
# shellcheck source=scripts/compat.sh
. "$(dirname "${BASH_SOURCE[0]}")/compat.sh"

[ "$#" -gt 0 ] || usage "no command"
find_agxrun
check_libraries
run_options
metal_preflight
export MPS_FORCE_GRAPH_PATH="${MPS_FORCE_GRAPH_PATH:-1}"
exec "$AGXRUN" run --require-fix "${RUN[@]}" -- "$@"
