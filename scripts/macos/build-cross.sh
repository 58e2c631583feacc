# shellcheck shell=bash
# build.sh's part for Linux: LLVM's linker, link stubs of our own, a standard library made here.
# To be sourced after common.sh.

# shellcheck source=scripts/macos/rust.sh
. "$SCRIPTS/rust.sh"
# shellcheck source=scripts/macos/std.sh
. "$SCRIPTS/std.sh"

# The version of macOS that the products say they were built against: systems compare it with the
# versions in which a behaviour of theirs changed.
readonly MACOS_SDK=11.3

# prepare TARGET...: everything that a build needs and that may be missing.
prepare() {
    "$SCRIPTS/toolchain.sh" ${REQUIRE:+--require} build "$@" || exit $?
    fetch_crates "$@"
}

# One build at a time in a checkout.
lock() {
    exec 8>"$1"
    flock 8
}

# build_packages KIND TARGET CARGO-ARGUMENTS...
build_packages() {
    local kind=$1 target=$2 stubs=$CARGO_TARGET_DIR/stubs-$1 lists=("$SCRIPTS/imports/library.txt")
    shift 2
    [ "$kind" = library ] || lists+=("$SCRIPTS/imports/programs.txt")
    "$SCRIPTS/stubs.sh" "$stubs" "${lists[@]}"
    export MACOS_LINK_LD=$LLVM_BIN/ld64.lld MACOS_LINK_STUBS=$stubs MACOS_LINK_SDK=$MACOS_SDK
    export "$(target_variable "$target" LINKER)=$SCRIPTS/link-cc.sh"
    # rustc asks `xcrun` for a folder if it is not told one; the linker is told by link-cc.sh.
    export SDKROOT=$stubs
    CARGO_ENCODED_RUSTFLAGS=--sysroot=$(std_sysroot link "$target")$'\x1f'$(rust_flags "$kind")
    export CARGO_ENCODED_RUSTFLAGS
    cargo_web build --release --locked --target "$target" "$@"
}

# The linker has signed its output already.
sign() { :; }

# join OUT FILE...: one file with the code of all.
join() {
    "$LLVM_BIN/llvm-lipo" -create "${@:2}" -output "$1"
}
