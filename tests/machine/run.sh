#!/usr/bin/env bash
# The machine test: executes the arm64 library that scripts/macos/build.sh makes, on this machine.
#
#   run.sh [--require] [--library PATH] [PYTEST ARGUMENTS...]
#
#   --require        fail, rather than skip (exit 77), where something cannot be had
#   --library PATH   this library, rather than target/macos/arm64/libagx_fix.dylib, which is
#                    built where it is missing or older than its sources
#
# Needs Python 3.11 or later with venv, and the package registry once: what it gets there is
# kept in ~/.cache/agxrun-cross, one environment for each state of requirements.txt.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
root=$(dirname "$(dirname "$here")")
# shellcheck source=scripts/macos/common.sh
. "$root/scripts/macos/common.sh"

# The last file that is made in an environment: without it, the environment is not whole.
readonly STAMP=complete

library=
arguments=()
while [ $# -gt 0 ]; do
    case $1 in
    --require) REQUIRE=1 ;;
    --library)
        [ $# -gt 1 ] || { say "--library needs a path"; exit 2; }
        library=$2
        shift
        ;;
    *) arguments+=("$1") ;;
    esac
    shift
done
if [ -n "$library" ]; then
    [ -f "$library" ] || fail "there is no $library (hint: --library takes the arm64 dylib)"
    library=$(readlink -f "$library")
fi

checksum() { if command -v sha256sum >/dev/null; then sha256sum; else shasum -a 256; fi; }

# The first Python that is new enough; a distribution's plain `python3` may be older.
find_python() {
    local name
    for name in python3 python3.14 python3.13 python3.12 python3.11; do
        if command -v "$name" >/dev/null && "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$name"
            return
        fi
    done
    return 1
}

# venv_is_complete FOLDER: it was finished, and what is in it can be loaded: a system's upgrade
# takes the Python away from under an environment.
venv_is_complete() {
    [ -e "$1/$STAMP" ] && "$1/bin/python" -c 'import greenlet, lief, pytest, unicorn' >/dev/null 2>&1
}

# Only wheels: nothing of what is fetched is run to install it. pip checks every hash.
make_venv() {
    rm -rf "$1"
    "$python" -m venv "$1"
    "$1/bin/python" -m pip install --disable-pip-version-check --no-input --require-hashes \
        --only-binary :all: -r "$here/requirements.txt"
    "$1/bin/python" -c 'import greenlet, lief, pytest, unicorn'
    touch "$1/$STAMP"
}

prepare_venv() {
    venv_is_complete "$venv" && return
    mkdir -p "$CACHE"
    # Two checkouts may ask at once: the second waits, and finds the first one's work.
    if command -v flock >/dev/null; then
        exec 9>"$venv.lock"
        flock 9
        if venv_is_complete "$venv"; then
            exec 9>&-
            return
        fi
    fi
    [ ! -e "$venv" ] || say "$venv is not complete; it is made again"
    "$python" -c 'import venv, ensurepip' 2>/dev/null ||
        skip "$python has no venv" "install it: \`apt-get install python3-venv\` on Debian"
    step machine-venv make_venv "$venv"
    exec 9>&-
    [ "$STEP_STATUS" -eq 0 ] && return
    # What is half made would only be made again.
    rm -rf "$venv"
    local log gone
    log=$(step_log machine-venv)
    # pip says the same of a registry that it cannot reach, but knows no version then.
    gone=$(sed -n 's/.*satisfies the requirement \([^ ]*\) (from versions: [^n].*/\1/p' "$log")
    if [ -n "$gone" ] && ! grep -q 'after connection broken' "$log"; then
        fail "$gone of $here/requirements.txt has gone from the registry, or has no wheel for this system (hint: take a version that is there, and its hashes)"
    fi
    if grep -qE 'HASHES|hashes are required' "$log"; then
        fail "a package is not the one whose hash is in $here/requirements.txt"
    fi
    skip "the packages of $here/requirements.txt could not be fetched" "allow this machine to reach pypi.org and files.pythonhosted.org once"
}

# Whether the library has to be built: missing, or older than something it is made from.
library_is_stale() {
    [ ! -e "$built" ] || [ -n "$(find "$root"/fixdylib/{src,include,build.rs,Cargo.toml} "$root"/fixdylib/{ledger,policy}/{src,Cargo.toml} \
        "$root/Cargo.lock" "$root/Cargo.toml" -newer "$built" -print -quit)" ]
}

python=$(find_python) || skip "there is no Python 3.11 or later" "install python3 (Debian 12 has 3.11)"
key=$({
    cat "$here/requirements.txt"
    "$python" -c 'import platform, sys; print(sys.version, sys.executable, platform.machine())'
} | checksum)
venv=$CACHE/venv-${key:0:16}
prepare_venv

if [ -z "$library" ]; then
    built=$root/target/macos/arm64/libagx_fix.dylib
    if library_is_stale; then
        "$root/scripts/macos/build.sh" ${REQUIRE:+--require} --target arm64 -p agx-fix || exit $?
    fi
    library=$built
fi

cd "$root"
cargo build --quiet --locked -p agx-ledger --example ledger_json
reader=${CARGO_TARGET_DIR:-$root/target}/debug/examples/ledger_json
# Without LLVM's assembler and linker it makes none, and says so; the scenarios that need them are skipped.
images=${CARGO_TARGET_DIR:-$root/target}/machine/patch
rm -rf "$images"
AGX_PATCH_IMAGES=$images cargo test --quiet --locked --workspace --test patch -- --exact written::images_for_the_machine
cd "$here"
exec "$venv/bin/python" -B -m pytest --library="$library" --ledger-reader="$reader" --patch-images="$images" ${arguments[0]+"${arguments[@]}"}
