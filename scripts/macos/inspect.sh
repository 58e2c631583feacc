#!/usr/bin/env bash
# Inspects what build.sh made: it must be there, and be what it is meant to be.
#
#   inspect.sh [arm64|x86_64|universal]...
#
# Without arguments all three. tests/products holds what is looked at; it needs no tools of macOS.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
for folder; do
    case $folder in
    arm64 | x86_64 | universal) ;;
    *)
        echo "inspect.sh: \`$folder\` is not an argument (hint: inspect.sh [arm64|x86_64|universal]...)" >&2
        exit 2
        ;;
    esac
done
[ $# -gt 0 ] || set -- arm64 x86_64 universal
AGXRUN_REQUIRE_PRODUCTS=$(
    IFS=,
    echo "$*"
)
export AGXRUN_REQUIRE_PRODUCTS
exec cargo test --locked --quiet -p agx-products
