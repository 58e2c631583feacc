#!/usr/bin/env bash
# Shows and collects crash reports.
#
#   collect_crash_reports.sh [--last [N] | --watch | --copy | --parse FILE]
#
#   --last [N]    the N newest crashes in full (5); what is done without an argument
#   --watch       new crashes as they come, until Ctrl-C
#   --copy        copy the reports that there are into crash_logs
#   --parse FILE  one report as macOS translates it
#   AGXRUN        the program agxrun
#
#   Exit codes: those of `agxrun`: 0, 86 where --last found any, 125 where a folder or file could not be read.
#
# Otherwise than the published script: the reports of every process, not only of those named after Python; exit codes tell.
set -euo pipefail
# shellcheck source=scripts/compat.sh
. "$(dirname "${BASH_SOURCE[0]}")/compat.sh"

what=${1:---last}
[ "$#" -eq 0 ] || shift
archive=(--archive "$ROOT/crash_logs")
case $what in
--last)
    [ "$#" -le 1 ] || usage "--last takes one number"
    find_agxrun
    exec "$AGXRUN" check-crashes --latest "${1:-5}" --fail "${archive[@]}"
    ;;
--watch)
    [ "$#" -eq 0 ] || usage "--watch takes no argument"
    find_agxrun
    exec "$AGXRUN" check-crashes --watch "${archive[@]}"
    ;;
--copy)
    [ "$#" -eq 0 ] || usage "--copy takes no argument"
    find_agxrun
    # A monitor begins with what there is; one that runs has done so.
    "$AGXRUN" monitor status "${archive[@]}" >/dev/null && exit 0
    "$AGXRUN" monitor start "${archive[@]}"
    exec "$AGXRUN" monitor stop "${archive[@]}"
    ;;
--parse)
    [ "$#" -eq 1 ] || usage "--parse takes a file"
    find_agxrun
    exec "$AGXRUN" show "${archive[@]}" -- "$1"
    ;;
*) usage "\`$what\` is not an option" ;;
esac
