#!/usr/bin/env bash
# Shows that lint.sh sees macOS-only code: mistakes planted in a copy of this checkout
# must fail it, each with its own error, and Linux-only mistakes must not.
#
#   lint-selftest.sh [--require]
#
# Also damages copies of the cached library, which must be noticed.
# The checkout itself must pass. Exits 77 where lint.sh would.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
# shellcheck source=scripts/macos/common.sh
. "$here/common.sh"
# shellcheck source=scripts/macos/rust.sh
. "$here/rust.sh"
# shellcheck source=scripts/macos/std.sh
. "$here/std.sh"
root=$(dirname "$(dirname "$here")")
required=()
case ${1:-} in
--require) REQUIRE=1 required=(--require) ;;
'') ;;
*)
    say "\`$1\` is not an option (hint: lint-selftest.sh [--require])"
    exit 2
    ;;
esac

# A fixed place: the copy's packages keep their identity, and so their objects, from run to run.
scratch=$root/target/macos-lint-selftest
copy=$scratch/checkout
output=$scratch/output
# The dependencies that lint.sh has checked for the checkout serve the copy too.
export MACOS_LINT_TARGET_DIR=$root/target/macos-lint
mkdir -p "$scratch"
exec 8>"$scratch/lock"
flock 8

# What git would show, committed or not, so that a change is tested before its commit.
copy_checkout() {
    rm -rf "$copy"
    mkdir -p "$copy"
    (
        cd "$root"
        git ls-files -z --cached --others --exclude-standard |
            while IFS= read -r -d '' file; do
                # A file deleted but not yet staged is still listed.
                [ ! -f "$file" ] || printf '%s\0' "$file"
            done | tar --null --files-from=- -cf -
    ) | tar -xf - -C "$copy"
}

lint_copy() { "$copy/scripts/macos/lint.sh" "${required[@]}" >"$output" 2>&1; }

wrong() {
    cat "$output" >&2
    fail "$*"
}

# plant FILE CODE: appends CODE to the copy's FILE for one lint, whose status is left in $status.
plant() {
    local file=$copy/$1
    [ -f "$file" ] || fail "$1 is no longer there (hint: plant the mistake in another file)"
    cp "$file" "$scratch/original"
    printf '\n%s\n' "$2" >>"$file"
    status=0
    lint_copy || status=$?
    cp "$scratch/original" "$file"
}

# rejects NAME FILE CODE ERROR: the lint fails, for this reason and in this file.
rejects() {
    local start
    start=$(now_ms)
    plant "$2" "$3"
    [ "$status" -ne 0 ] || wrong "$1: the lint passed with the mistake in $2"
    grep -qF -- "$4" "$output" || wrong "$1: the lint failed, but does not say \`$4\`"
    grep -qF -- "--> $2:" "$output" || wrong "$1: the lint failed, but does not point at $2"
    took "$1" "$start"
}

# accepts NAME FILE CODE
accepts() {
    local start
    start=$(now_ms)
    plant "$2" "$3"
    [ "$status" -eq 0 ] || wrong "$1: the lint failed with status $status"
    took "$1" "$start"
}

copy_checkout
start=$(now_ms)
status=0
lint_copy || status=$?
if [ "$status" -eq "$EXIT_SKIPPED" ]; then
    cat "$output" >&2
    exit "$EXIT_SKIPPED"
fi
[ "$status" -eq 0 ] || wrong "the checkout itself does not pass (hint: mend it first)"
took "clean copy" "$start"

rejects "type error" src/lib.rs \
    '#[cfg(target_os = "macos")] fn planted() -> u32 { "not a number" }
#[cfg(target_os = "macos")] const _: fn() -> u32 = planted;' \
    'error[E0308]: mismatched types'
rejects "missing function" fixdylib/src/lib.rs \
    '#[cfg(target_vendor = "apple")] const _: fn() = std::planted;' \
    'error[E0425]'
rejects "clippy lint" src/lib.rs \
    '#[cfg(target_os = "macos")] const _: fn(u32) -> bool = |n| { return n > 1; };' \
    'clippy::needless_return'
rejects "in a test" src/lib.rs \
    '#[cfg(all(test, target_os = "macos"))] #[test] fn planted() { let _: u32 = "not a number"; }' \
    'error[E0308]: mismatched types'
rejects "in a program" src/main.rs \
    '#[cfg(target_os = "macos")] const _: u32 = "not a number";' \
    'error[E0308]: mismatched types'
accepts "Linux only" src/lib.rs \
    '#[cfg(target_os = "linux")] const _: u32 = "not a number";'

# notices NAME COMMAND: a copy of the library, good at first, is incomplete after COMMAND among its files.
notices() {
    local name=$1 damage=$2 library=$scratch/library
    rm -rf "$library"
    cp -r "$(std_sysroot lint "$TARGET")" "$library"
    std_is_complete "$library" "$TARGET" || fail "$name: an undamaged copy of the library is not taken for complete"
    (cd "$(std_files "$library" "$TARGET")" && bash -ec "$damage")
    ! std_is_complete "$library" "$TARGET" || fail "$name: the damaged library is taken for complete"
    rm -rf "$library"
}

start=$(now_ms)
notices "file missing" 'rm libtest-*.rmeta'
notices "file truncated" 'truncate -s -1 libstd-[0-9a-f]*.rmeta'
notices "build interrupted" 'rm ../../../../inventory'
took "damaged library" "$start"
say "all mistakes were found"
