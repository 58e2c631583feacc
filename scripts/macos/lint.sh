#!/usr/bin/env bash
# Lints the workspace as macOS would compile it, on Linux, so that code only a Mac
# builds cannot rot. On a Mac it is plain clippy.
#
#   lint.sh [--require] [-p PACKAGE]...
#
#   --require    fail, rather than skip (exit 77), where the toolchain cannot be had
#   -p PACKAGE   only these packages, not the whole workspace
#
# The first run sets up toolchain.sh's compiler; see there for what that needs.
# Objects go to target/macos-lint, apart from those of ordinary builds.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
# shellcheck source=scripts/macos/common.sh
. "$here/common.sh"
# shellcheck source=scripts/macos/rust.sh
. "$here/rust.sh"
# shellcheck source=scripts/macos/std.sh
. "$here/std.sh"
root=$(dirname "$(dirname "$here")")

packages=()
while [ $# -gt 0 ]; do
    case $1 in
    --require) REQUIRE=1 ;;
    -p)
        [ $# -gt 1 ] || { say "-p needs a package's name"; exit 2; }
        packages+=(-p "$2")
        shift
        ;;
    *)
        say "\`$1\` is not an option (hint: lint.sh [--require] [-p PACKAGE]...)"
        exit 2
        ;;
    esac
    shift
done
[ ${#packages[@]} -gt 0 ] || packages=(--workspace)

cd "$root"
if [ "$(uname -s)" = Darwin ]; then
    exec cargo clippy "${packages[@]}" --all-targets --locked -- -D warnings
fi

started=$(now_ms)
"$here/toolchain.sh" ${REQUIRE:+--require} lint || exit $?

# The selftest lints copies into one folder of its own.
export CARGO_TARGET_DIR=${MACOS_LINT_TARGET_DIR:-$root/target/macos-lint}
# Of this checkout, which is not the only one that may be linted just now.
LOGS=$CARGO_TARGET_DIR/log
# With --target these reach macOS code only, not build scripts and procedural macros.
CARGO_ENCODED_RUSTFLAGS=--sysroot=$(std_sysroot lint "$TARGET")
export CARGO_ENCODED_RUSTFLAGS
export CC_aarch64_apple_darwin=$here/no-cc.sh CXX_aarch64_apple_darwin=$here/no-cc.sh
# Where cc looks for headers; without it `xcrun` is asked, which only a Mac has.
export SDKROOT=$here

fetch_crates "$TARGET"

clippy_started=$(now_ms)
status=0
cargo_web clippy "${packages[@]}" --all-targets --target "$TARGET" --locked -- -D warnings || status=$?
took clippy "$clippy_started"
took total "$started"
[ "$status" -eq 0 ] || say "clippy for $TARGET ended with status $status"
exit "$status"
