# shellcheck shell=bash
# build.sh's part for a Mac: its own linker, system libraries and signing tool. To be sourced after common.sh.

# prepare TARGET...: everything that a build needs and that may be missing.
prepare() {
    local tool target
    for tool in cargo rustc; do
        command -v "$tool" >/dev/null || skip "\`$tool\` is not there" "install Rust from https://rustup.rs"
    done
    xcrun --find ld >/dev/null 2>&1 ||
        skip "Apple's command line tools are not there" "run \`xcode-select --install\`"
    for target; do
        [ -d "$(rustc --print target-libdir --target "$target")" ] ||
            skip "the standard library for $target is not there" "run \`rustup target add $target\`"
    done
}

# One build at a time in a checkout: cargo sees to that, and a Mac has no flock.
lock() { :; }

# build_packages KIND TARGET CARGO-ARGUMENTS...
build_packages() {
    local kind=$1 target=$2
    shift 2
    CARGO_ENCODED_RUSTFLAGS=$(rust_flags "$kind")
    export CARGO_ENCODED_RUSTFLAGS
    cargo build --release --locked --target "$target" "$@"
}

# Ad hoc: Apple's linker does so for arm64 only.
sign() { codesign --force --sign - "$1"; }

# join OUT FILE...: one file with the code of all.
join() {
    lipo -create "${@:2}" -output "$1"
}
