# shellcheck shell=bash
# Rust's standard library for macOS, made from Debian's copy of its source: as metadata, which
# is enough to check programs, and as code, which they link. To be sourced after rust.sh.

# std_sysroot KIND TARGET: where the library belongs, KIND being `lint` or `link`. One folder
# for each state of compiler, source and recipe. Debian's revision counts, as metadata is not
# portable between builds.
std_sysroot() {
    local key
    key=$({
        "$RUSTC_WEB" -vV
        # shellcheck disable=SC2016 # dpkg-query's own variables
        dpkg-query -W -f '${Package} ${Version}\n' rustc-web rust-web-src
        printf "%s\n" "$MACOS_MINIMUM"
        cat "${BASH_SOURCE[0]}"
    } | sha256sum)
    printf '%s\n' "$CACHE/std-$1/$2-${key:0:16}"
}

# std_files SYSROOT TARGET: the folder with the library's files.
std_files() { printf '%s\n' "$1/lib/rustlib/$2/lib"; }

# std_inventory SYSROOT TARGET: size and name of each library file.
std_inventory() {
    (cd "$(std_files "$1" "$2")" && stat -c '%s %n' -- *)
}

# std_is_complete SYSROOT TARGET: whether every file that was built is still there, whole.
# The inventory is written last, so an interrupted build has none.
std_is_complete() {
    [ -s "$1/inventory" ] && [ "$(std_inventory "$1" "$2" 2>/dev/null)" = "$(cat "$1/inventory")" ]
}

# std_cargo TARGET COMMAND [ARGS...]: cargo on the library's own workspace, which is
# configured by nothing but itself. --locked: the crates its release was tested with.
std_cargo() {
    local target=$1 command=$2
    shift 2
    cd "$CACHE"
    RUSTC_BOOTSTRAP=1 cargo_web "$command" --locked \
        --manifest-path "$RUST_SOURCE/library/sysroot/Cargo.toml" --target "$target" "$@"
}

# Of what cargo made in $1 for target $2, the files that match $3 become the library in $4.
std_collect() {
    local files
    files=$(std_files "$4" "$2")
    mkdir -p "$files"
    cp "$1/$2"/release/deps/$3 "$files/"
    # The package that only ties the library together is no part of it.
    rm -f "$files"/libsysroot-*
    std_inventory "$4" "$2" >"$4/inventory"
}

# make_std KIND TARGET OUT: builds the library into OUT, as Rust's bootstrap does. The features are
# those of a released library; the metadata tag keeps its crates apart from a program's own copies.
make_std() {
    local kind=$1 target=$2 out=$3 built=$CACHE/std-$1/build-$2 flags
    rm -rf "$built" "$out"
    # Marks what std's dependencies export as unstable, so that programs cannot name it.
    flags=-Zforce-unstable-if-unmarked
    export CARGO_TARGET_DIR=$built __CARGO_DEFAULT_LIB_METADATA=agxrun-$kind
    if [ "$kind" = lint ]; then
        export CARGO_ENCODED_RUSTFLAGS=$flags
        std_cargo "$target" check --lib --release --features "panic-unwind backtrace"
        std_collect "$built" "$target" 'lib*.rmeta' "$out"
    else
        # With bitcode, so that programs can be optimised together with it, and with the frame
        # pointers that Apple's tools walk. Its panics name places as a released library's do.
        flags+=$'\x1f'-Cembed-bitcode=yes$'\x1f'-Cforce-frame-pointers=yes
        flags+=$'\x1f'--remap-path-prefix=$RUST_SOURCE=/rustc/$RUST_VERSION
        flags+=$'\x1f'--remap-path-prefix=$(crates_folder)=/crates
        export CARGO_ENCODED_RUSTFLAGS=$flags
        export CARGO_PROFILE_RELEASE_DEBUG=0 CARGO_PROFILE_RELEASE_STRIP=none
        export MACOSX_DEPLOYMENT_TARGET=$MACOS_MINIMUM SDKROOT=$SCRIPTS
        # The library is also made as one dylib, which nobody uses: it is not linked.
        export "$(target_variable "$target" LINKER)=$SCRIPTS/no-cc.sh"
        std_cargo "$target" build --lib --release --features "panic-unwind backtrace"
        std_collect "$built" "$target" 'lib*.rlib' "$out"
    fi
    rm -rf "$built"
}
