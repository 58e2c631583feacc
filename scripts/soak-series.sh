#!/usr/bin/env bash
# Does a series take no more of anything, however many runs it has? A thousand runs in a row, looked at from within each. Linux.
#
#   soak-series.sh [--runs N] [--jobs N] [--grows-at-most KIB]
#
#   --runs N               runs of the series [1000]
#   --jobs N               at the same time [2]
#   --grows-at-most KIB    what the process that makes the series may grow by from the first fifth to the last [8192]
#
# Fails where the descriptors, children or memory of that process grow, where a process, file or folder is left behind, and where a run
# is missing from the answer or the history, or is there twice. `cargo test --test stress endurance` does the same of 200 runs.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'soak-series: %s\n' "$*"; }
die() { printf 'soak-series: error: %s\n' "$*" >&2; exit 1; }

runs=1000 jobs=2 at_most=8192
while [ $# -gt 0 ]; do
    [ $# -gt 1 ] || die "$1 needs a value (hint: see the head of $0)"
    case $1 in
    --runs) runs=$2 ;;
    --jobs) jobs=$2 ;;
    --grows-at-most) at_most=$2 ;;
    *) die "\`$1\` is not an option (hint: see the head of $0)" ;;
    esac
    shift 2
done
case $runs$jobs$at_most in *[!0-9]*) die "--runs, --jobs and --grows-at-most take whole numbers" ;; esac
[ "$runs" -ge 50 ] || die "fewer than 50 runs have no first and last fifth to speak of (hint: --runs 200)"
[ "$(uname -s)" = Linux ] || die "for Linux, whose /proc it reads"

./scripts/setup.sh
cargo build --release --quiet --locked
built=${CARGO_TARGET_DIR:-$PWD/target}/release
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/tmp" "$scratch/reports"

# The parent of a run's target is `agxrun run`, and that one's parent makes the series.
cat >"$scratch/look.sh" <<'LOOK'
read -r _ _ _ series _ <"/proc/$PPID/stat"
set -- "/proc/$series/fd/"*
descriptors=$#
while read -r name kib _; do
    [ "$name" != RssAnon: ] || memory=$kib
done <"/proc/$series/status"
read -r children <"/proc/$series/task/$series/children"
# shellcheck disable=SC2086 # each is a word
set -- $children
echo "$descriptors $# $memory" >>"$SIGHTS"
LOOK

status=0
SIGHTS=$scratch/sights TMPDIR=$scratch/tmp "$built/agxrun" stress -n "$runs" -j "$jobs" --quiet --json "$scratch/answer.json" --archive "$scratch/archive" \
    --reports-dir "$scratch/reports" -- sh "$scratch/look.sh" || status=$?
[ "$status" -eq 0 ] || die "agxrun ended with $status"

left=$(find "$scratch/tmp" "$scratch/archive/series" -mindepth 1 | head -5)
[ -z "$left" ] || die "left behind: $left"
if pgrep -f "$scratch/look.sh" >/dev/null; then die "a process of a run goes on"; fi

python3 - "$scratch" "$runs" "$at_most" <<'PYTHON'
import json, sys

scratch, runs, at_most = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
sights = [tuple(map(int, line.split())) for line in open(f"{scratch}/sights")]
answer = json.load(open(f"{scratch}/answer.json"))
slots = sorted(line["slot"] for line in answer["runs"])
history = sorted(json.loads(line)["slot"] for line in open(f"{scratch}/archive/runs.jsonl"))
if not len(sights) == runs or slots != list(range(runs)) or history != slots:
    sys.exit(f"soak-series: error: {len(sights)} runs looked, {len(slots)} in the answer, {len(history)} in the history, of {runs}")
fifth = runs // 5
first, last = sights[5:fifth], sights[-fifth:]
descriptors, children, memory = (
    (max(sight[at] for sight in first), max(sight[at] for sight in last)) for at in range(3)
)
print(f"soak-series: {runs} runs in {answer['seconds']:.1f} s; at most, in the first and in the last fifth: descriptors {descriptors}, "
      f"children {children}, memory {memory} KiB")
if descriptors[1] > descriptors[0] or children[1] > children[0]:
    sys.exit("soak-series: error: descriptors or children grow")
if memory[1] - memory[0] > at_most:
    sys.exit(f"soak-series: error: the process grew by {memory[1] - memory[0]} KiB, more than {at_most}")
PYTHON
