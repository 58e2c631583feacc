#!/usr/bin/env bash
# Does any damage to a program make its reader panic, or read without bound? Damages made files, and those that
# real-binaries.sh has fetched, at the places that are read. Any system.
#
#   fuzz-images.sh [--seconds N]
#
#   --seconds N    how long [600]
set -euo pipefail
cd "$(dirname "$0")/.."

die() { printf 'fuzz-images: error: %s\n' "$*" >&2; exit 1; }

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

real=${XDG_CACHE_HOME:-$HOME/.cache}/agxrun/real-binaries
if [ -d "$real" ]; then
    export AGXRUN_REAL_BINARIES=$real
fi
AGXRUN_FUZZ_SECONDS=$seconds cargo test --quiet --locked --test target_images damage_for_a_while -- --ignored --nocapture
