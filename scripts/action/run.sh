#!/usr/bin/env bash
# The action's second step: runs the command under AGXRUN, says what came of it, and exits as agxrun does.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
# shellcheck source=scripts/action/common.sh
. "$here/common.sh"

cd "${INPUT_WORKING_DIRECTORY:-.}" || die "there is no folder \`$INPUT_WORKING_DIRECTORY\`"
command=() arguments=()
words command "$INPUT_COMMAND" "the input command"
words arguments "${INPUT_ARGS-}" "the input args"
[ "${#command[@]}" -gt 0 ] || die "the input command is empty"

# Not there yet, perhaps; agxrun makes it for its first report.
archive=${INPUT_ARCHIVE:-crash_logs}
case $archive in
/*) ;;
*) archive=$PWD/$archive ;;
esac
record=$(mktemp "$RUNNER_TEMP/agxrun-record.XXXXXX")

options=(--github --json "$record" --archive "$archive")
case ${INPUT_FIX-} in
'') ;;
none) options+=(--no-fix) ;;
*) options+=(--fix "$INPUT_FIX") ;;
esac
[ -z "${INPUT_BASELINE-}" ] || options+=(--baseline "$INPUT_BASELINE")
if [ -n "${INPUT_JUNIT-}" ]; then
    mkdir -p "$(dirname "$INPUT_JUNIT")"
    options+=(--junit "$INPUT_JUNIT")
fi

verdict=0
"$AGXRUN" run "${options[@]}" ${arguments[@]+"${arguments[@]}"} -- "${command[@]}" || verdict=$?

output verdict "$verdict"
output archive "$archive"
# A name of its own for every job of a matrix: a second artifact of the same name is refused.
name=${INPUT_ARTIFACT_NAME:-agxrun-crash-logs-${GITHUB_JOB:-job}-$(od -An -N4 -tx1 /dev/urandom | tr -d ' \n')}
output artifact-name "$name"
if [ -s "$record" ]; then
    output record "$record"
    facts=$(python3 "$here/facts.py" "$record") || die "agxrun's record cannot be read: $record"
    printf '%s\n' "$facts" >>"$GITHUB_OUTPUT"
else
    printf '%s\n' record= crashes=0 known=0 reports=0 flaky=false >>"$GITHUB_OUTPUT"
fi
exit "$verdict"
