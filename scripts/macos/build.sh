#!/usr/bin/env bash
# Builds what runs on a Mac: on Linux by cross-compiling, on a Mac with its own tools.
#
#   build.sh [--require] [--target arm64|x86_64|all] [-p PACKAGE]...
#
#   --require    fail, rather than skip (exit 77), where the toolchain cannot be had
#   --target     one architecture only; both, which is the default, are also joined
#   -p PACKAGE   only these packages, for instance agx-fix for the library alone
#
# The products go to target/macos/{arm64,x86_64,universal}/, each of them whole or not at all.
# The first run on Linux sets up toolchain.sh's compiler and linker; see there for what that needs.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
# shellcheck source=scripts/macos/common.sh
. "$here/common.sh"
root=$(dirname "$(dirname "$here")")
if [ "$(uname -s)" = Darwin ]; then
    # shellcheck source=scripts/macos/build-native.sh
    . "$here/build-native.sh"
else
    # shellcheck source=scripts/macos/build-cross.sh
    . "$here/build-cross.sh"
fi

# The library apart from the programs: it is linked against its own list of imports, and its
# dependencies are not compiled with what the programs want of the same crates.
LIBRARY_PACKAGE=agx-fix
PROGRAM_PACKAGES=(agxrun agx-rehearsal agx-rehearsal-reporter)

usage() {
    say "$1 (hint: build.sh [--require] [--target arm64|x86_64|all] [-p PACKAGE]...)"
    exit 2
}

architectures=(arm64 x86_64)
packages=()
while [ $# -gt 0 ]; do
    case $1 in
    --require) REQUIRE=1 ;;
    --target)
        case ${2:-} in
        arm64 | x86_64) architectures=("$2") ;;
        all) architectures=(arm64 x86_64) ;;
        *) usage "--target takes arm64, x86_64 or all" ;;
        esac
        shift
        ;;
    -p)
        [ $# -gt 1 ] || usage "-p needs a package's name"
        [[ " $LIBRARY_PACKAGE ${PROGRAM_PACKAGES[*]} " == *" $2 "* ]] ||
            usage "\`$2\` is not one of $LIBRARY_PACKAGE ${PROGRAM_PACKAGES[*]}"
        packages+=("$2")
        shift
        ;;
    *) usage "\`$1\` is not an option" ;;
    esac
    shift
done
[ ${#packages[@]} -gt 0 ] || packages=("$LIBRARY_PACKAGE" "${PROGRAM_PACKAGES[@]}")

# products PACKAGE: the files that a package makes.
products() {
    case $1 in
    agx-fix) echo libagx_fix.dylib ;;
    agxrun) echo agxrun ;;
    agx-rehearsal) echo libagx_rehearsal.dylib agx-rehearsal-workload ;;
    agx-rehearsal-reporter) echo libagx_rehearsal_reporter.dylib agx-rehearsal-reporter ;;
    esac
}

rust_target() {
    case $1 in
    arm64) echo aarch64-apple-darwin ;;
    x86_64) echo x86_64-apple-darwin ;;
    esac
}

# The linker's words for an import that no list has.
explain() {
    grep -q 'undefined symbol' "$1" || return 0
    say "a symbol is imported that scripts/macos/imports/ does not list (hint: if macOS $MACOS_MINIMUM has it and \
there is a reason to import it, add it there)"
}

# rust_flags KIND: what the products are compiled with everywhere, as cargo wants it: no debug symbols, no library
# that nothing is used of, dyld's older kind of fix-ups, which both linkers write, no path of this machine. The
# library has no local symbols; the programs keep theirs, as crash reports name the rehearsal's methods by them.
rust_flags() {
    local locals=
    [ "$1" != library ] || locals=-x,
    local flags=(
        # The linker strips. What does so afterwards would have to sign again, and Debian does not bring rustc's tool for it.
        -Cstrip=none
        "-Clink-arg=-Wl,$locals-S,-dead_strip_dylibs,-no_fixup_chains"
        "--remap-path-prefix=$root=/agxrun"
        "--remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}/registry/src=/crates"
    )
    local IFS=$'\x1f'
    printf '%s\n' "${flags[*]}"
}

# make KIND ARCHITECTURE PACKAGE...: compiles, signs, and puts the products to where they are looked for.
make() {
    local name=$1-$2 target package product selected=()
    target=$(rust_target "$2")
    for package in "${@:3}"; do selected+=(-p "$package"); done
    # Whole-program, the library is 30 KiB smaller; the programs would take three times as long.
    if [ "$1" = library ]; then export CARGO_PROFILE_RELEASE_LTO=fat; else unset CARGO_PROFILE_RELEASE_LTO; fi
    step "$name" build_packages "$1" "$target" "${selected[@]}"
    [ "$STEP_STATUS" -eq 0 ] || {
        explain "$(step_log "$name")"
        exit 1
    }
    for package in "${@:3}"; do
        for product in $(products "$package"); do
            cp "$CARGO_TARGET_DIR/$target/release/$product" "$scratch/$product"
            sign "$scratch/$product"
            put "$product" "$2"
        done
    done
}

# put PRODUCT FOLDER: by rename, so that who reads meanwhile gets the old file or the new one.
put() {
    mkdir -p "$out/$2"
    mv -f "$scratch/$1" "$out/$2/$1"
}

cd "$root"
started=$(now_ms)
targets=()
for architecture in "${architectures[@]}"; do targets+=("$(rust_target "$architecture")"); done
prepare "${targets[@]}"

out=$root/target/macos
scratch=$out/unfinished
# Of this checkout, which is not the only one that may be built just now.
LOGS=$out/log
mkdir -p "$scratch"
lock "$out/lock"
export CARGO_TARGET_DIR=$out/build MACOSX_DEPLOYMENT_TARGET=$MACOS_MINIMUM
export CARGO_PROFILE_RELEASE_DEBUG=0
# Says to build scripts that the products leave this machine.
export AGXRUN_PORTABLE=1

library=() programs=()
for package in "${packages[@]}"; do
    if [ "$package" = "$LIBRARY_PACKAGE" ]; then library=("$package"); else programs+=("$package"); fi
done
for architecture in "${architectures[@]}"; do
    [ ${#library[@]} -eq 0 ] || make library "$architecture" "${library[@]}"
    [ ${#programs[@]} -eq 0 ] || make programs "$architecture" "${programs[@]}"
done
if [ ${#architectures[@]} -gt 1 ]; then
    for package in "${packages[@]}"; do
        for product in $(products "$package"); do
            join "$scratch/$product" "$out"/{x86_64,arm64}/"$product"
            put "$product" universal
        done
    done
fi
took total "$started"
