#!/usr/bin/env bash
# Does any damage to a report make a reader panic, contradict itself, or take memory or time without bound? Damages the
# reports under tests/data. Any system.
#
#   fuzz-reports.sh [--seconds N] [--reader json|text]
#
#   --seconds N    how long for each reader [600]
#   --reader R     only this reader [both, one after the other]
set -euo pipefail
cd "$(dirname "$0")/.."

die() { printf 'fuzz-reports: error: %s\n' "$*" >&2; exit 1; }

seconds=600
readers='json text'
while [ $# -gt 0 ]; do
    [ $# -gt 1 ] || die "$1 needs a value (hint: see the head of $0)"
    case $1 in
    --seconds) seconds=$2 ;;
    --reader) readers=$2 ;;
    *) die "\`$1\` is not an option (hint: see the head of $0)" ;;
    esac
    shift 2
done
case $seconds in '' | *[!0-9]*) die "--seconds takes a whole number" ;; esac
case $readers in json | text | 'json text') ;; *) die "--reader takes \`json\` or \`text\`" ;; esac

for reader in $readers; do
    AGXRUN_FUZZ_SECONDS=$seconds cargo test --quiet --locked --package agxrun --test reports_fuzz "${reader}_for_a_while" -- \
        --ignored --nocapture
done
