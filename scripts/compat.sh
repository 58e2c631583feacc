# shellcheck shell=bash
# What the scripts by the published names share. To be sourced; also by bash 3.2, which macOS has.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

# usage: prints what the script's head says of its use, and ends with 2.
usage() {
    [ "$#" -eq 0 ] || say "$*"
    sed -n 's/^#   //p' "$0" >&2
    exit 2
}

# Puts the path of agxrun into $AGXRUN: what that names, else the one that this checkout built, else the one beside it, else on PATH.
find_agxrun() {
    if [ -n "${AGXRUN:-}" ]; then
        [ -x "$AGXRUN" ] && [ ! -d "$AGXRUN" ] && return
        say "AGXRUN names \`$AGXRUN\`, which is no program (hint: let it name agxrun, or unset it)"
        exit 125
    fi
    local place
    for place in "$ROOT/target/release/agxrun" "$ROOT/agxrun"; do
        if [ -x "$place" ] && [ ! -d "$place" ]; then
            AGXRUN=$place
            return
        fi
    done
    AGXRUN=$(command -v agxrun) || {
        say "agxrun was not found in target/release, beside these scripts, or on PATH (hint: cargo build --release, or set AGXRUN)"
        exit 125
    }
}

# switch NAME DEFAULT: 1 or 0, the value of a variable of the published scripts; anything else ends with 2.
switch() {
    local value=${!1:-$2}
    case $value in
    0 | 1) SWITCH=$value ;;
    *)
        say "$1=$value: expected 0 or 1"
        exit 2
        ;;
    esac
}

# Ends with 2 where a library that is to be inserted does not exist: dyld would end every process, ld.so would go on without it.
check_libraries() {
    local list=${DYLD_INSERT_LIBRARIES:-} library
    # ld.so takes blanks as well.
    [ "$(uname -s)" = Darwin ] || list=$(printf '%s' "${LD_PRELOAD:-}" | tr ' ' ':')
    local IFS=:
    set -f
    for library in ${AGX_FIX_DYLIB:+"$AGX_FIX_DYLIB"} $list; do
        # A name without a folder is looked for by the loader.
        [[ $library == */* || $library == "${AGX_FIX_DYLIB:-}" ]] || continue
        if [ ! -f "$library" ]; then
            say "the library \`$library\` does not exist (AGX_FIX_DYLIB, DYLD_INSERT_LIBRARIES, on Linux LD_PRELOAD)"
            exit 2
        fi
    done
    set +f
}

# What every run of these scripts has: the published archive, and the wait, into ${RUN[@]}.
run_options() {
    local wait=${MPS_TEST_CRASH_WAIT_SECS:-}
    # shellcheck disable=SC2034 # the sourcing script uses it
    RUN=(--archive "$ROOT/crash_logs" --settle "${wait:-6}" ${wait:+--report-wait "$wait"})
}

# Ends with 77 on a Mac without a Metal device, where a run would show nothing.
metal_preflight() {
    switch MPS_TEST_METAL_PREFLIGHT 1
    [ "$SWITCH" = 1 ] && [ "$(uname -s)" = Darwin ] || return 0
    local seen
    # doctor's own exit code tells of other things as well; what cannot be told is no reason to skip.
    seen=$({ "$AGXRUN" doctor --color never 2>/dev/null || true; } | sed -n 's/^[a-z]*  *metal  *//p')
    case $seen in
    *'no Metal'* | *'no GPU'*)
        say "skipped: $seen (hint: MPS_TEST_METAL_PREFLIGHT=0 runs it nevertheless)"
        exit 77
        ;;
    esac
}
