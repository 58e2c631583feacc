#!/usr/bin/env bash
# A Rust toolchain that knows macOS, on Debian.
#
#   toolchain.sh [--require] [packages|lint-std|lint]
#
#   packages   Debian's compiler and its source, through apt (root only)
#   lint-std   the standard library's metadata for macOS: enough to check, not to link
#   lint       both: what lint.sh needs (default)
#
# Every part is done once and then found in place. Exits 77 where this machine
# cannot have a part, and says how to get it; with --require that is exit 1.
#
# Debian's packages, because they bring the library's source in exactly the
# version of their compiler: only that compiler accepts it. They install into
# /usr/bin and leave a rustup toolchain, which stands earlier on the path, alone.
set -euo pipefail
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
# shellcheck source=scripts/macos/common.sh
. "$here/common.sh"
# shellcheck source=scripts/macos/rust.sh
. "$here/rust.sh"

install_packages() {
    local package pinned=()
    for package in "${RUST_PACKAGES[@]}"; do
        pinned+=("$package=$RUST_VERSION+*")
    done
    export DEBIAN_FRONTEND=noninteractive
    # A foreign source that is down need not matter: the installation decides.
    apt-get update -q || echo "apt-get update failed; trying the lists at hand"
    # --no-remove: rustc-web conflicts with Debian's older rustc, which its owner may need.
    apt-get install -q -y --no-remove --no-install-recommends \
        -o DPkg::Lock::Timeout=300 "${pinned[@]}"
}

packages() {
    local missing
    missing=$(missing_packages)
    [ -n "$missing" ] || return 0
    command -v apt-get >/dev/null ||
        skip "the Debian packages $missing are missing, and there is no apt-get" \
            "run this on Debian 12 or later, or in a container of it"
    [ "$(id -u)" -eq 0 ] ||
        skip "the Debian packages $missing are missing, and only root installs packages" \
            "run \`sudo $here/toolchain.sh packages\`"
    step packages install_packages
    [ "$STEP_STATUS" -eq 0 ] ||
        skip "apt-get could not install $missing in version $RUST_VERSION" \
            "check the network and the security archive in apt's sources; where Debian has moved on, raise RUST_VERSION in $here/rust.sh"
    missing=$(missing_packages)
    [ -z "$missing" ] || fail "apt-get reported success, but $missing is not installed in version $RUST_VERSION"
}

# std_cargo COMMAND [ARGS...]: cargo on the library's own workspace, which is
# configured by nothing but itself. --locked: the crates its release was tested with.
std_cargo() {
    local command=$1
    shift
    cd "$CACHE"
    RUSTC_BOOTSTRAP=1 cargo_web "$command" --locked \
        --manifest-path "$RUST_SOURCE/library/sysroot/Cargo.toml" --target "$TARGET" "$@"
}

# As rust's bootstrap builds it, but for the metadata only. The features are those of
# a released library; the metadata tag keeps its crates apart from a program's own copies.
check_std() {
    local out=$1 built=$CACHE/std-lint/build
    rm -rf "$built" "$out"
    export CARGO_TARGET_DIR=$built __CARGO_DEFAULT_LIB_METADATA=agxrun-lint
    # Marks what std's dependencies export as unstable, so that programs cannot name it.
    export CARGO_ENCODED_RUSTFLAGS=-Zforce-unstable-if-unmarked
    std_cargo check --lib --release --features "panic-unwind backtrace"
    mkdir -p "$out/lib/rustlib/$TARGET/lib"
    cp "$built/$TARGET"/release/deps/lib*.rmeta "$out/lib/rustlib/$TARGET/lib/"
    # The package that only ties the library together is no part of it.
    rm "$out/lib/rustlib/$TARGET"/lib/libsysroot-*.rmeta
    std_inventory "$out" >"$out/inventory"
    rm -rf "$built"
}

lint_std() {
    local sysroot
    [ -z "$(missing_packages)" ] ||
        skip "the Debian packages $(missing_packages) are missing" "run \`sudo $here/toolchain.sh packages\`"
    [ "$(rust_release)" = "$RUST_VERSION" ] ||
        fail "$RUSTC_WEB is version $(rust_release), not $RUST_VERSION (hint: reinstall the package rustc-web)"
    [ -e "$RUST_SOURCE/library/sysroot/Cargo.toml" ] ||
        fail "$RUST_SOURCE has no library source (hint: reinstall the package rust-web-src)"

    mkdir -p "$CACHE/std-lint"
    # Two checkouts may ask at once: the second waits, and finds the first one's work.
    exec 9>"$CACHE/std-lint/lock"
    flock 9
    sysroot=$(lint_sysroot)
    if std_is_complete "$sysroot"; then
        return
    fi
    [ ! -e "$sysroot" ] || say "$sysroot is not complete; it is built again"
    step std-fetch std_cargo fetch
    [ "$STEP_STATUS" -eq 0 ] ||
        skip "the standard library's crates could not be fetched" \
            "allow this machine to reach index.crates.io and static.crates.io once"
    step std-metadata check_std "$sysroot.partial"
    [ "$STEP_STATUS" -eq 0 ] || fail "the standard library for $TARGET could not be checked"
    rm -rf "$sysroot"
    mv -T "$sysroot.partial" "$sysroot"
    exec 9>&-
}

what=lint
for argument; do
    case $argument in
    --require) REQUIRE=1 ;;
    packages | lint-std | lint) what=$argument ;;
    *)
        say "\`$argument\` is not an argument (hint: toolchain.sh [--require] [packages|lint-std|lint])"
        exit 2
        ;;
    esac
done
case $what in
packages) packages ;;
lint-std) lint_std ;;
lint)
    packages
    lint_std
    ;;
esac
