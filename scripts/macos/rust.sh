# shellcheck shell=bash
# The compiler: which one, where it is, and how it is called. To be sourced after common.sh.

# Compiler, library source and clippy come from Debian in one version. It need not be
# the workspace's own: it must only be as new, and clippy's lints may differ a little.
# shellcheck disable=SC2034 # these are read by the scripts that source this file
RUST_VERSION=1.96.0
RUST_PACKAGES=(rustc-web cargo-web rust-web-src rust-web-clippy)
RUST_SOURCE=/usr/src/rustc-$RUST_VERSION
RUSTC_WEB=/usr/bin/rustc

# The packages that are not installed in the pinned version, separated by spaces.
missing_packages() {
    local package version missing=()
    for package in "${RUST_PACKAGES[@]}"; do
        version=$(dpkg-query -W -f '${db:Status-Status} ${Version}' "$package" 2>/dev/null || true)
        [[ $version == "installed $RUST_VERSION+"* ]] || missing+=("$package")
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

# Where the library's metadata belongs: one folder for each state of compiler, source
# and recipe. Debian's revision counts, as metadata is not portable between builds.
lint_sysroot() {
    local key
    key=$({
        "$RUSTC_WEB" -vV
        # shellcheck disable=SC2016 # dpkg-query's own variables
        dpkg-query -W -f '${Package} ${Version}\n' rustc-web rust-web-src
        cat "$(dirname "${BASH_SOURCE[0]}")/toolchain.sh"
    } | sha256sum)
    printf '%s\n' "$CACHE/std-lint/${key:0:16}"
}

# std_inventory SYSROOT: size and name of each library file.
std_inventory() {
    (cd "$1/lib/rustlib/$TARGET/lib" && stat -c '%s %n' -- *.rmeta)
}

# std_is_complete SYSROOT: whether every file that was built is still there, whole.
# The inventory is written last, so an interrupted build has none.
std_is_complete() {
    [ -s "$1/inventory" ] && [ "$(std_inventory "$1" 2>/dev/null)" = "$(cat "$1/inventory")" ]
}
