#!/usr/bin/env bash
# Does the library stay as small as it is? Millions of hooked calls in one process, and its memory on the way. Linux.
#
#   soak.sh [--seconds N] [--threads N] [--fault NAME] [--grows-at-most KIB]
#
#   --seconds N            length of the run [60]
#   --threads N            threads of the rehearsal's application [8]
#   --fault NAME           of the rehearsal driver, which the library must cure [impl]
#   --grows-at-most KIB    what the process may grow by after the first third, in which it warms up [1024]
#
# Fails, too, where fewer than ten million calls were made, work was lost, or encoders were not given back. Variables of the
# library (AGX_FIX_LOCK_SCOPE, AGX_FIX_MAX_INFLIGHT, ...) reach it.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'soak: %s\n' "$*"; }
die() { printf 'soak: error: %s\n' "$*" >&2; exit 1; }

seconds=60 threads=8 fault=impl at_most=1024
while [ $# -gt 0 ]; do
    [ $# -gt 1 ] || die "$1 needs a value (hint: see the head of $0)"
    case $1 in
    --seconds) seconds=$2 ;;
    --threads) threads=$2 ;;
    --fault) fault=$2 ;;
    --grows-at-most) at_most=$2 ;;
    *) die "\`$1\` is not an option (hint: see the head of $0)" ;;
    esac
    shift 2
done
case $seconds$threads$at_most in *[!0-9]*) die "--seconds, --threads and --grows-at-most take whole numbers" ;; esac
[ "$(uname -s)" = Linux ] || die "for Linux, whose /proc it reads"

./scripts/setup.sh
# All that `agxrun` looks for beside itself.
cargo build --release --quiet --locked
built=${CARGO_TARGET_DIR:-$PWD/target}/release
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

"$built/agxrun" --quiet --require-fix --json "$scratch/run.json" --archive "$scratch/archive" --reports-dir "$scratch" -- \
    "$built/agx-rehearsal-workload" --seconds "$seconds" --threads "$threads" --fault "$fault" &
launcher=$!

# The application is the launcher's only child.
application() { cat "/proc/$launcher/task/$launcher/children" 2>/dev/null; }
# Resident memory of its own, in KiB; shared pages of files come and go as the kernel likes.
resident() { sed -n 's/^RssAnon:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$1/status" 2>/dev/null; }

before='' after='' most=0
for ((second = 1; second < seconds; second++)); do
    sleep 1
    pid=$(application) || break
    now=$(resident "${pid%% *}") || break
    [ -n "$now" ] || break
    if [ -z "$before" ] && [ $((second * 3)) -ge "$seconds" ]; then
        before=$now
    fi
    after=$now
    [ "$now" -le "$most" ] || most=$now
done
status=0
wait "$launcher" || status=$?
[ "$status" -eq 0 ] || die "agxrun ended with $status"
[ -n "$before" ] || die "the application ended before it was measured (hint: a longer --seconds)"

read -r calls created released <<<"$(python3 - "$scratch/run.json" <<'PYTHON'
import json, sys

counters = json.load(open(sys.argv[1]))["processes"][0]["counters"]
print(*(counters[name] for name in ("method_calls", "encoders_created", "encoders_released")))
PYTHON
)"
say "$calls calls in $seconds s, $threads threads, fault $fault"
say "encoders: $created created, $released released"
say "memory, KiB: $before after $(((seconds + 2) / 3)) s, $after at the end, $most at most"
[ "$calls" -ge 10000000 ] || die "fewer than ten million calls (hint: a longer --seconds)"
[ "$created" -eq "$released" ] || die "encoders were not given back"
[ $((after - before)) -le "$at_most" ] || die "the process grew by $((after - before)) KiB, more than $at_most"
