#!/usr/bin/env bash
# What is given away: a release archive and wheels, in target/dist.
#
#   package.sh [--require] [--check] [all|macos|linux]
#
#   macos      from what build.sh makes: agxrun-VERSION-macos.tar.gz with its .sha256, and wheels for
#              macosx_11_0_arm64 and macosx_11_0_universal2
#   linux      a wheel for this machine, to try and to test the packing with
#   all        both (default)
#   Each has the shells' completions and the manual pages below `share`, where a package's prefix has them.
#
#   --check    look into what was made; install the wheels, and run the one for this machine
#   --require  fail, rather than skip (exit 77), where something cannot be had
#
# The same commit gives the same bytes: times and orders are fixed. Each file appears whole or not at all.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
# shellcheck source=scripts/macos/common.sh
. "$here/common.sh"
# shellcheck source=scripts/macos/maturin.sh
. "$here/maturin.sh"
root=$(dirname "$(dirname "$here")")

usage() {
    say "$1 (hint: package.sh [--require] [--check] [all|macos|linux])"
    exit 2
}

what='' check=
for argument; do
    case $argument in
    --require) REQUIRE=1 ;;
    --check) check=1 ;;
    all | macos | linux)
        [ -z "$what" ] || usage "$what or $argument, not both"
        what=$argument
        ;;
    *) usage "\`$argument\` is not an argument" ;;
    esac
done
what=${what:-all}

cd "$root"
[ "$(uname -s)" = Linux ] || skip "packing is done on Linux" "run this on Linux, or take a release"
command -v cargo >/dev/null || fail "cargo was not found (hint: install Rust from https://rustup.rs)"

dist=$root/target/dist
work=$root/target/package
macos=$root/target/macos
# Of this checkout, which is not the only one that may be packed just now.
LOGS=$work/log
version=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)
[ -n "$version" ] || fail "Cargo.toml says no version under [workspace.package]"
# The time of everything that is packed: the commit's.
if [ -z "${SOURCE_DATE_EPOCH:-}" ]; then
    SOURCE_DATE_EPOCH=$(git log -1 --format=%ct 2>/dev/null || true)
    # 1980 is where zip begins, and what maturin gives its files.
    SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-315532800}
fi
export SOURCE_DATE_EPOCH
# What leaves this machine does not name a folder of it (build.rs).
export AGXRUN_PORTABLE=1

mkdir -p "$dist" "$work"
# One packing at a time in a checkout.
exec 7>"$work/lock"
flock 7

# write_help PREFIX: completions and manual pages, which the program prints alike on every system.
write_help() {
    local agxrun=$work/cargo/release/agxrun share=$1/share
    mkdir -p "$share/man/man1" "$share/bash-completion/completions" "$share/zsh/site-functions" \
        "$share/fish/vendor_completions.d"
    "$agxrun" man "$share/man/man1"
    "$agxrun" completions bash >"$share/bash-completion/completions/agxrun"
    "$agxrun" completions zsh >"$share/zsh/site-functions/_agxrun"
    "$agxrun" completions fish >"$share/fish/vendor_completions.d/agxrun.fish"
    find "$share" -type f -exec chmod 644 {} +
}

# stage_wheel FOLDER LIBRARY: what maturin reads, with a `.data` folder as wheels define it
# (Binary distribution format, "The .data directory"). Where agxrun looks, src/inject/locate.rs says.
stage_wheel() {
    rm -rf "$1"
    mkdir -p "$1/agxrun.data/data/libexec/agxrun" "$1/agxrun.data/data/include" "$1/agxrun.data/purelib"
    cp README.md LICENSE "$1"
    # With what its links point to, and without what an interpreter left there.
    (cd python && find . -name '*.py' -exec install -D -m 644 {} "$1/python/{}" \;)
    sed "s|^\[tool.maturin\]\$|&\nmanifest-path = \"$root/Cargo.toml\"|" pyproject.toml >"$1/pyproject.toml"
    install -m 755 "$2" "$1/agxrun.data/data/libexec/agxrun/"
    install -m 644 fixdylib/include/agx_fix.h "$1/agxrun.data/data/include/"
    install -m 644 scripts/agx_fix_check.py "$1/agxrun.data/purelib/"
    write_help "$1/agxrun.data/data"
}

# pack_wheel TRIPLE PRODUCTS LIBRARY OPTIONS...: one wheel, from PRODUCTS/TRIPLE/agxrun.
pack_wheel() {
    local triple=$1 products=$2 library=$3 stage=$work/wheel
    shift 3
    stage_wheel "$stage" "$library"
    mkdir "$stage/bin" "$stage/out"
    ln -s "$here/prebuilt_cargo.py" "$stage/bin/cargo"
    (
        cd "$stage"
        AGXRUN_PACK_CARGO=$(PATH=$PATH command -v cargo) AGXRUN_PACK_PRODUCTS=$products PATH=$stage/bin:$PATH \
            "$MATURIN_VENV/bin/maturin" build --release --locked --target "$triple" --out "$stage/out" "$@"
    )
    mv -f "$stage/out/"*.whl "$dist/"
    rm -rf "$stage"
}

# Also for macOS alone: what write_help writes is printed here.
build_linux() {
    local home=${CARGO_HOME:-$HOME/.cargo}
    RUSTFLAGS="--remap-path-prefix=$root=. --remap-path-prefix=$home/registry/src=registry" \
        CARGO_TARGET_DIR=$work/cargo cargo build --release --locked -p agxrun -p agx-fix
}

# The tag is plain `linux`: no package index takes that, and none should get it.
pack_linux() {
    local host
    host=$(rustc -vV | sed -n 's/^host: //p')
    rm -rf "$work/linux"
    mkdir -p "$work/linux/$host"
    cp "$work/cargo/release/agxrun" "$work/linux/$host/"
    cp "$work/cargo/release/libagx_fix.so" "$work/linux/"
    pack_wheel "$host" "$work/linux" "$work/linux/libagx_fix.so" --compatibility linux
}

# maturin takes the least macOS from this variable, as compilers do.
pack_macos() {
    export MACOSX_DEPLOYMENT_TARGET=11.0
    local products=$work/macos library=$macos/universal/libagx_fix.dylib
    rm -rf "$products"
    mkdir -p "$products"
    ln -s "$macos/arm64" "$products/aarch64-apple-darwin"
    ln -s "$macos/x86_64" "$products/x86_64-apple-darwin"
    pack_wheel aarch64-apple-darwin "$products" "$library"
    pack_wheel universal2-apple-darwin "$products" "$library"
    pack_archive
}

# Everything in one folder: agxrun looks for its library beside itself.
pack_archive() {
    local name=agxrun-$version-macos
    local folder=$work/archive/$name
    rm -rf "$work/archive"
    mkdir -p "$folder/include" "$folder/scripts"
    install -m 755 "$macos/universal/agxrun" "$macos/universal/libagx_fix.dylib" "$folder"
    install -m 644 README.md LICENSE LIMITATIONS.md CHANGELOG.md "$folder"
    install -m 755 scripts/agx_fix_check.py "$folder/scripts"
    install -m 644 fixdylib/include/agx_fix.h "$folder/include"
    write_help "$folder"
    (
        cd "$work/archive"
        tar --format=ustar --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner \
            --mode=u+w,go-w -cf - "$name" | gzip -n -9 >"$name.tar.gz"
        sha256sum "$name.tar.gz" >"$name.tar.gz.sha256"
        # The sum last: an archive that has one is whole.
        rm -f "$dist/$name.tar.gz.sha256"
        mv -f "$name.tar.gz" "$dist/"
        mv "$name.tar.gz.sha256" "$dist/"
    )
    rm -rf "$work/archive"
}

# do_step NAME COMMAND...: a step that must succeed.
do_step() {
    step "$@"
    [ "$STEP_STATUS" -eq 0 ] || exit 1
}

find_maturin "$(maturin_pin pyproject.toml)"

# Everything again, which must give the same bytes.
pack_again() {
    local first=$dist file
    dist=$work/again
    rm -rf "$dist"
    mkdir "$dist"
    [ "$what" = linux ] || pack_macos
    [ "$what" = macos ] || pack_linux
    for file in "$dist"/*; do
        cmp "$first/${file##*/}" "$file"
    done
    rm -rf "$dist"
}

if [ "$what" != linux ]; then
    # 77: this machine cannot cross-compile, and build.sh has said what is missing.
    "$here/build.sh" ${REQUIRE:+--require} || exit $?
fi
do_step build-linux build_linux
[ "$what" = linux ] || do_step pack-macos pack_macos
[ "$what" = macos ] || do_step pack-linux pack_linux
for file in "$dist"/*; do
    say "$(stat -c '%s bytes' "$file")  $file"
done

if [ -n "$check" ]; then
    do_step pack-again pack_again
    AGXRUN_DIST=$dist AGXRUN_MACOS=$macos AGXRUN_VERSION=$version AGXRUN_PACKED=$what \
        "$MATURIN_VENV/bin/python" "$root/tests/packages/check.py"
fi
