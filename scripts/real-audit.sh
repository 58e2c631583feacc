#!/usr/bin/env bash
# Is what agxrun reads of Objective-C metadata what LLVM reads? Fetches images that people run on Macs from PyPI, each by name and
# version, and compares every class and method. Any system; needs pip, the network, and llvm-objdump for the comparison. The places that
# the loader adjusts are held against LIEF's reader.
#
#   real-audit.sh [--torch]
#
#   --torch    PyTorch as well (some 90 MB to fetch, 250 MB unpacked)
#
# They are kept in ${XDG_CACHE_HOME:-~/.cache}/agxrun/real-audit. What cannot be fetched is skipped, with a word.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'real-audit: %s\n' "$*"; }
die() { printf 'real-audit: error: %s\n' "$*" >&2; exit 1; }

torch=
case ${1-} in
'') ;;
--torch) torch=yes ;;
*) die "\`$1\` is not an option (hint: see the head of $0)" ;;
esac

cache=${XDG_CACHE_HOME:-$HOME/.cache}/agxrun/real-audit
mkdir -p "$cache"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# fetch PACKAGE VERSION PLATFORM: its images, without what is not Mach-O, under its name and version once they are whole.
fetch() {
    local kept=$cache/$1-$2 folder=$scratch/$1
    [ ! -d "$kept" ] || return 0
    mkdir "$folder"
    if ! timeout 300 python3 -m pip download --quiet --no-deps --only-binary=:all: --python-version 3.12 --platform "$3" \
        --dest "$folder" "$1==$2" || ! python3 -m zipfile -e "$folder"/*.whl "$folder/wheel"; then
        say "skipped $1: version $2 could not be fetched from PyPI"
        return 0
    fi
    # Symbols for debuggers have no image.
    find "$folder/wheel" -type d -name '*.dSYM' -prune -exec rm -rf {} +
    find "$folder/wheel" -type f ! -name '*.so' ! -name '*.dylib' -delete
    rm -rf "$cache/$1"-*
    mv -T "$folder/wheel" "$kept"
}

fetch pyobjc-core 13.0 macosx_10_13_universal2
fetch pyobjc-framework-Metal 12.2.2 macosx_10_13_universal2
fetch mlx 0.32.4 macosx_14_0_arm64
fetch mlx-metal 0.32.4 macosx_14_0_arm64
[ -z "$torch" ] || fetch torch 2.9.1 macosx_11_0_arm64

[ -n "$(ls "$cache")" ] || { say "skipped: nothing could be fetched"; exit 0; }
# Its version and hashes are those of the machine test.
lief=
if python3 -m venv "$scratch/venv" && "$scratch/venv/bin/pip" install --quiet --disable-pip-version-check --only-binary=:all: \
    --require-hashes -r tests/machine/requirements.txt; then
    lief=$scratch/lief.tsv
    "$scratch/venv/bin/python" scripts/real-audit/lief_counts.py "$cache" >"$lief"
else
    say "skipped: LIEF could not be had"
fi

AGXRUN_REAL_AUDIT=$cache AGXRUN_REAL_AUDIT_LIEF=$lief cargo test --quiet --locked --test audit images_of_package_registries -- --ignored --nocapture
say "all as expected"
