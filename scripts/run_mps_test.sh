#!/usr/bin/env bash
# Runs `python3 ARGS` and fails when a crash report appears.
#
#   run_mps_test.sh ARGS...
#
#   MPS_USE_AGX_FIX             1: with the fix (0)
#   AGX_FIX_DYLIB               the library to insert then (default: the one that agxrun finds)
#   MPS_TEST_STRICT_CRASH_LOGS  0: reports are told and do not change the exit code (1)
#   MPS_TEST_PRINT_CRASH        0: say nothing of a run without findings (1)
#   MPS_TEST_MAX_RETRIES        how often a run that crashed is run again (3)
#   MPS_TEST_ALLOW_FLAKY        1: a crash whose retry ends well does not fail (0)
#   MPS_TEST_CRASH_WAIT_SECS    how long to wait for reports at most (6)
#   MPS_TEST_METAL_PREFLIGHT    1: do not run where a Mac has no Metal device (1)
#   MPS_FORCE_GRAPH_PATH        handed to the command (1)
#   AGXRUN                      the program agxrun
#
#   Exit codes: those of `agxrun run`: the command's own, 128+n for signal n, 86 for crash reports, ..., that of the crash where a retry
#   ended well; 2 where a library that is to be inserted does not exist; 77 where the preflight found no Metal.
#
# Otherwise than the published script: a crash followed by a good retry is called flaky, and fails unless MPS_TEST_ALLOW_FLAKY=1; every
# crash is tried again, not only exit 139; a crash is always told; a skip exits 77 and not 0.
set -euo pipefail
# shellcheck source=scripts/compat.sh
. "$(dirname "${BASH_SOURCE[0]}")/compat.sh"

[ "$#" -gt 0 ] || usage "no arguments for python3"
find_agxrun
check_libraries
metal_preflight
run_options
switch MPS_USE_AGX_FIX 0
if [ "$SWITCH" = 1 ]; then RUN+=(--require-fix); else RUN+=(--no-fix); fi
RUN+=(--retries "${MPS_TEST_MAX_RETRIES:-3}")
switch MPS_TEST_ALLOW_FLAKY 0
[ "$SWITCH" = 0 ] || RUN+=(--allow-flaky)
switch MPS_TEST_PRINT_CRASH 1
[ "$SWITCH" = 1 ] || RUN+=(--quiet)
switch MPS_TEST_STRICT_CRASH_LOGS 1
export MPS_FORCE_GRAPH_PATH="${MPS_FORCE_GRAPH_PATH:-1}"
[ "$SWITCH" = 0 ] || exec "$AGXRUN" run "${RUN[@]}" -- python3 "$@"

record=$(mktemp)
trap 'rm -f "$record"' EXIT
status=0
"$AGXRUN" run "${RUN[@]}" --json "$record" -- python3 "$@" || status=$?
# 86: nothing but reports. What the command itself said then stands in the record.
if [ "$status" -eq 86 ]; then
    status=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["ending"]["code"])' "$record")
    say "warning: crash reports appeared, and MPS_TEST_STRICT_CRASH_LOGS=0 says not to fail: exit $status"
fi
exit "$status"
