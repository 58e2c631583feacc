# shellcheck shell=bash
# What the scripts of this folder share: where things are kept, timed steps, and
# the difference between "cannot be done on this machine" and "is wrong".
# To be sourced under `set -euo pipefail`.

# Kept between runs and shared by every checkout of the user.
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/agxrun-cross
# This folder.
# shellcheck disable=SC2034 # these are read by the scripts that source this file
SCRIPTS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
# shellcheck disable=SC2034
TARGET=aarch64-apple-darwin
# The oldest macOS that the products run on: the first for arm64, and the standard library's own minimum.
# shellcheck disable=SC2034
MACOS_MINIMUM=11.0
# Each step's last output.
LOGS=$CACHE/log

# The status of a skipped test, as automake and meson read it.
readonly EXIT_SKIPPED=77
# Set by --require: what would be skipped is then a failure.
REQUIRE=${REQUIRE:-}

say() { printf '%s\n' "${0##*/}: $*" >&2; }

fail() {
    say "$*"
    exit 1
}

# skip WHAT-IS-MISSING HOW-TO-GET-IT
skip() {
    if [ -n "$REQUIRE" ]; then
        fail "$1 (hint: $2)"
    fi
    say "skipped: $1 (hint: $2; --require makes this a failure)"
    exit "$EXIT_SKIPPED"
}

now_ms() {
    local now
    now=$(date +%s%3N)
    # A Mac's date knows no fractions and leaves their letter in place.
    case $now in *[!0-9]*) now=$(date +%s)000 ;; esac
    printf '%s\n' "$now"
}

# took NAME START_MS: one line of timing.
took() {
    local ms=$(($(now_ms) - $2))
    printf '%-24s %4d.%d s\n' "$1" $((ms / 1000)) $((ms % 1000 / 100)) >&2
}

step_log() { printf '%s\n' "$LOGS/$1.log"; }

# step NAME COMMAND...: runs it with its output in a log, prints its time, and
# leaves its status in $STEP_STATUS. The status is not returned: `step ... || x`
# would switch errexit off inside COMMAND.
step() {
    local name=$1 start log
    shift
    log=$(step_log "$name")
    mkdir -p "${log%/*}"
    start=$(now_ms)
    set +e
    (
        set -e
        "$@"
    ) >"$log" 2>&1
    STEP_STATUS=$?
    set -e
    took "$name" "$start"
    if [ "$STEP_STATUS" -ne 0 ]; then
        tail -n 30 "$log" >&2
        say "$name ended with status $STEP_STATUS; its whole output is in $log"
    fi
}
