#!/usr/bin/env bash
# Does any damage to a driver make `agxrun patch` panic, work without bound, or write what it should not? Needs LLVM (tests/patch).
#
#   fuzz-patch.sh [--seconds N]
#
#   --seconds N    how long [600]
set -euo pipefail
cd "$(dirname "$0")/.."

die() { printf 'fuzz-patch: error: %s\n' "$*" >&2; exit 1; }

seconds=600
while [ $# -gt 0 ]; do
    [ $# -gt 1 ] || die "$1 needs a value (hint: see the head of $0)"
    case $1 in
    --seconds) seconds=$2 ;;
    *) die "\`$1\` is not an option (hint: see the head of $0)" ;;
    esac
    shift 2
done
case $seconds in '' | *[!0-9]*) die "--seconds takes a whole number" ;; esac

AGXRUN_FUZZ_SECONDS=$seconds cargo test --quiet --locked --test patch damage_for_a_while -- --ignored --nocapture
