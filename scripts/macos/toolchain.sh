#!/usr/bin/env bash
# A Rust toolchain that knows macOS, on Debian.
#
#   toolchain.sh [--require] [packages|lint|build] [TARGET...]
#
#   packages   Debian's compiler, its source and the linker, through apt (root only)
#   lint       what lint.sh needs: the compiler, and the standard library's metadata for macOS (default)
#   build      what build.sh needs: compiler, linker, and the standard library's code
#
# TARGET is aarch64-apple-darwin (default) or x86_64-apple-darwin.
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
# shellcheck source=scripts/macos/std.sh
. "$here/std.sh"

install_packages() {
    export DEBIAN_FRONTEND=noninteractive
    # A foreign source that is down need not matter: the installation decides.
    apt-get update -q || echo "apt-get update failed; trying the lists at hand"
    # --no-remove: rustc-web conflicts with Debian's older rustc, which its owner may need.
    apt-get install -q -y --no-remove --no-install-recommends \
        -o DPkg::Lock::Timeout=300 "$@"
}

# packages NAME=VERSION...
packages() {
    local missing
    missing=$(missing_packages "$@")
    [ -n "$missing" ] || return 0
    command -v apt-get >/dev/null ||
        skip "the Debian packages $missing are missing, and there is no apt-get" \
            "run this on Debian 12 or later, or in a container of it"
    [ "$(id -u)" -eq 0 ] ||
        skip "the Debian packages $missing are missing, and only root installs packages" \
            "run \`sudo $here/toolchain.sh packages\`"
    step packages install_packages "$@"
    [ "$STEP_STATUS" -eq 0 ] ||
        skip "apt-get could not install $missing" \
            "check the network and the security archive in apt's sources; where Debian has moved on, raise the version in $here/rust.sh"
    missing=$(missing_packages "$@")
    [ -z "$missing" ] || fail "apt-get reported success, but $missing is not installed"
}

# std KIND TARGET: the standard library, made if it is not there whole.
std() {
    local kind=$1 target=$2 sysroot
    [ "$(rust_release)" = "$RUST_VERSION" ] ||
        fail "$RUSTC_WEB is version $(rust_release), not $RUST_VERSION (hint: reinstall the package rustc-web)"
    [ -e "$RUST_SOURCE/library/sysroot/Cargo.toml" ] ||
        fail "$RUST_SOURCE has no library source (hint: reinstall the package rust-web-src)"

    mkdir -p "$CACHE/std-$kind"
    # Two checkouts may ask at once: the second waits, and finds the first one's work.
    exec 9>"$CACHE/std-$kind/lock"
    flock 9
    sysroot=$(std_sysroot "$kind" "$target")
    if std_is_complete "$sysroot" "$target"; then
        exec 9>&-
        return
    fi
    [ ! -e "$sysroot" ] || say "$sysroot is not complete; it is built again"
    step std-fetch std_cargo "$target" fetch
    [ "$STEP_STATUS" -eq 0 ] ||
        skip "the standard library's crates could not be fetched" \
            "allow this machine to reach index.crates.io and static.crates.io once"
    step "std-$kind-${target%%-*}" make_std "$kind" "$target" "$sysroot.partial"
    [ "$STEP_STATUS" -eq 0 ] || fail "the standard library for $target could not be made"
    rm -rf "$sysroot"
    mv -T "$sysroot.partial" "$sysroot"
    exec 9>&-
}

what=lint
targets=()
for argument; do
    case $argument in
    --require) REQUIRE=1 ;;
    packages | lint | build) what=$argument ;;
    aarch64-apple-darwin | x86_64-apple-darwin) targets+=("$argument") ;;
    *)
        say "\`$argument\` is not an argument (hint: toolchain.sh [--require] [packages|lint|build] [TARGET...])"
        exit 2
        ;;
    esac
done
[ ${#targets[@]} -gt 0 ] || targets=("$TARGET")
case $what in
packages) packages "${RUST_PACKAGES[@]}" "${LLVM_PACKAGES[@]}" ;;
lint)
    packages "${RUST_PACKAGES[@]}"
    for target in "${targets[@]}"; do std lint "$target"; done
    ;;
build)
    packages "${RUST_PACKAGES[@]}" "${LLVM_PACKAGES[@]}"
    for target in "${targets[@]}"; do std link "$target"; done
    ;;
esac
