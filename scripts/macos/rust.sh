# shellcheck shell=bash
# The compiler: which one, where it is, and how it is called. To be sourced after common.sh.

# Compiler, library source and clippy come from Debian in one version. It need not be
# the workspace's own: it must only be as new, and clippy's lints may differ a little.
# shellcheck disable=SC2034 # these are read by the scripts that source this file
RUST_VERSION=1.96.0
RUST_PACKAGES=("rustc-web=$RUST_VERSION+*" "cargo-web=$RUST_VERSION+*" "rust-web-src=$RUST_VERSION+*"
    "rust-web-clippy=$RUST_VERSION+*")
RUST_SOURCE=/usr/src/rustc-$RUST_VERSION
RUSTC_WEB=/usr/bin/rustc

# The linker, and the tool for universal files: what a build needs beyond a lint.
LLVM_VERSION=22.1.8
LLVM_PACKAGES=("lld-${LLVM_VERSION%%.*}=1:$LLVM_VERSION-*" "llvm-${LLVM_VERSION%%.*}=1:$LLVM_VERSION-*")
LLVM_BIN=/usr/lib/llvm-${LLVM_VERSION%%.*}/bin

# missing_packages NAME=VERSION...: those that are not installed in their version, separated by spaces.
missing_packages() {
    local package version missing=()
    for package; do
        version=$(dpkg-query -W -f '${db:Status-Status} ${Version}' "${package%%=*}" 2>/dev/null || true)
        # shellcheck disable=SC2053 # the version is a pattern
        [[ $version == "installed "${package#*=} ]] || missing+=("$package")
    done
    printf '%s\n' "${missing[*]}"
}

rust_release() { "$RUSTC_WEB" -vV | sed -n 's/^release: //p'; }
rust_host() { "$RUSTC_WEB" -vV | sed -n 's/^host: //p'; }

# clean_env COMMAND...: runs it with Debian's toolchain, whatever a rustup proxy
# or the user's shell has set for another.
clean_env() {
    env -u RUSTUP_TOOLCHAIN -u RUSTFLAGS -u CARGO_BUILD_TARGET -u CARGO_BUILD_RUSTFLAGS \
        -u RUSTC_WORKSPACE_WRAPPER -u CLIPPY_ARGS -u CLIPPY_CONF_DIR \
        RUSTC_WRAPPER= CARGO=/usr/bin/cargo RUSTC="$RUSTC_WEB" RUSTDOC=/usr/bin/rustdoc "$@"
}

# cargo_web ARGS...: clippy by its path, since cargo would look for `cargo-clippy`
# in ~/.cargo/bin first and find rustup's, which drives another compiler.
cargo_web() {
    if [ "${1:-}" = clippy ]; then
        clean_env /usr/bin/cargo-clippy "$@"
    else
        clean_env /usr/bin/cargo "$@"
    fi
}

# target_variable TARGET NAME: the variable by which cargo is told something for one target.
target_variable() {
    local target=${1//-/_}
    printf 'CARGO_TARGET_%s_%s\n' "${target^^}" "$2"
}

# Where cargo unpacks the crates it fetches.
crates_folder() { printf '%s\n' "${CARGO_HOME:-$HOME/.cargo}/registry/src"; }

# fetch_crates TARGET...: what the workspace in the current folder depends on.
fetch_crates() {
    local target selected=(--target "$(rust_host)")
    for target; do selected+=(--target "$target"); done
    step crates cargo_web fetch --locked "${selected[@]}"
    [ "$STEP_STATUS" -ne 0 ] || return 0
    # A stale Cargo.lock is this workspace's fault, an unreachable registry is not.
    if grep -qE 'network error|failed to download|Could not resolve' "$(step_log crates)"; then
        skip "the workspace's crates could not be fetched" "allow this machine to reach index.crates.io and static.crates.io once"
    fi
    exit 1
}
