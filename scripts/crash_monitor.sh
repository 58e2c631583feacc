#!/usr/bin/env bash
# Keeps a copy of every crash report in crash_logs, in the background.
#
#   crash_monitor.sh start | stop | status | check
#
#   check    the crashes of the last hour; exit 86 where there are any
#   AGXRUN   the program agxrun
#
#   Exit codes: those of `agxrun monitor` (status: 0 it runs, 3 it does not) and `agxrun check-crashes`.
#
# Otherwise than the published script: unfinished reports are waited for, nothing that comes during a scan is lost, the list is written
# whole or not at all, and a second start says that a monitor runs already.
set -euo pipefail
# shellcheck source=scripts/compat.sh
. "$(dirname "${BASH_SOURCE[0]}")/compat.sh"

[ "$#" -eq 1 ] || usage
case $1 in
start | stop | status)
    find_agxrun
    exec "$AGXRUN" monitor "$1" --archive "$ROOT/crash_logs"
    ;;
check)
    find_agxrun
    exec "$AGXRUN" check-crashes --hours 1 --fail --archive "$ROOT/crash_logs"
    ;;
*) usage "\`$1\` is not an argument" ;;
esac
