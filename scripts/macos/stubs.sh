#!/usr/bin/env bash
# Writes link stubs of the system's libraries, laid out as in Apple's SDK, from lists of symbols.
#
#   stubs.sh OUT LIST...
#
# What a stub does not name cannot be linked: the lists in imports/ are all that products may import.
set -euo pipefail
[ $# -ge 2 ] || {
    echo "${0##*/}: an output folder and lists are needed (hint: stubs.sh OUT LIST...)" >&2
    exit 2
}
out=$1
shift

# Symbols of a library ($1) on an architecture ($2), or on all of them (''), separated by commas.
symbols() {
    local library=$1 architecture=$2
    shift 2
    awk -v wanted="$library" -v architecture="$architecture" '
        /^[[:space:]]*(#|$)/ { next }
        /^\[/ { library = substr($1, 2, length($1) - 2); next }
        library == wanted && $2 == architecture { print "\047" $1 "\047" }
    ' "$@" | sort -u | paste -sd,
}

# group TARGETS SYMBOLS: one entry of a stub's export list.
group() {
    [ -z "$2" ] || printf '  - targets: [ %s ]\n    symbols: [ %s ]\n' "$1" "$2"
}

# exports LIBRARY LIST...
exports() {
    local groups
    groups=$(
        group 'x86_64-macos, arm64-macos' "$(symbols "$1" '' "${@:2}")"
        for architecture in x86_64 arm64; do
            group "$architecture-macos" "$(symbols "$1" "$architecture" "${@:2}")"
        done
    )
    [ -z "$groups" ] || printf 'exports:\n%s\n' "$groups"
}

# Where the linker looks for a library that a product names so at run time.
stub_path() {
    local name=${1##*/}
    case $1 in
    */Frameworks/*) printf '%s/%s.tbd\n' "${1%%.framework/*}.framework" "$name" ;;
    *) printf '/usr/lib/%s.tbd\n' "${name%%.*}" ;;
    esac
}

rm -rf "$out"
mkdir -p "$out"
libraries=$(sed -n 's/^\[\(.*\)\][[:space:]]*$/\1/p' "$@" | sort -u)
for library in $libraries; do
    stub=$out$(stub_path "$library")
    mkdir -p "${stub%/*}"
    {
        printf -- '--- !tapi-tbd\ntbd-version: 4\n'
        printf 'targets: [ x86_64-macos, arm64-macos ]\n'
        printf "install-name: '%s'\n" "$library"
        exports "$library" "$@"
        printf '...\n'
    } >"$stub"
done
# Names of libSystem's parts, by which rustc asks for it.
for part in c m; do
    ln -s libSystem.tbd "$out/usr/lib/lib$part.tbd"
done
