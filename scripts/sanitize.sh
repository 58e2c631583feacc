#!/usr/bin/env bash
# The library and the rehearsal driver under tools that see what a run that "worked" hides: reads of freed or uninitialised memory,
# writes past an end, and data races. Linux.
#
#   sanitize.sh [--quick] [TOOL]...
#
#   memcheck   valgrind's; needs nothing but valgrind, which is installed if it is missing
#   address    AddressSanitizer  } need a nightly toolchain, because a stable rustc has no sanitizers;
#   thread     ThreadSanitizer   } left out, and said so, where there is none
#   --quick    memcheck alone, on a short run
#
# Valgrind's helgrind and drd are not used: they know the locks of pthreads only, and neither atomics nor futexes, of which every lock
# here and in std is made (measured: 8,819 errors in a run of 840 dispatches that is correct, most of them in std).
# What is suppressed, and why, stands in sanitize/thread.supp; nothing else is.
set -euo pipefail
cd "$(dirname "$0")/.."
here=$PWD/scripts

say() { printf 'sanitize: %s\n' "$*" >&2; }
die() { say "error: $*"; exit 1; }

[ "$(uname -s)" = Linux ] || die "for Linux: on a Mac set DYLD_INSERT_LIBRARIES yourself (hint: libgmalloc, or Xcode's sanitizers)"

quick=
tools=()
for argument; do
    case $argument in
    --quick) quick=1 ;;
    memcheck | address | thread) tools+=("$argument") ;;
    *) die "\`$argument\` is not a tool or option (hint: sanitize.sh [--quick] [memcheck] [address] [thread])" ;;
    esac
done
if [ ${#tools[@]} -eq 0 ]; then
    tools=(memcheck)
    [ -n "$quick" ] || tools+=(address thread)
fi

"$here/setup.sh"
host=$(rustc -vV | sed -n 's/^host: //p')
target=${CARGO_TARGET_DIR:-$PWD/target}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failed=()

nightly() { rustup toolchain list 2>/dev/null | sed -n 's/^\(nightly[^ ]*\).*/\1/p' | head -n 1; }

# A line each: fault, threads, command buffers of each, and variables of the library. With the fault `none` the driver is correct; the
# others are the published races, which the library must cure.
runs() {
    if [ -n "$quick" ]; then
        echo "none 4 10"
        return
    fi
    local each=400
    [ "$1" != memcheck ] || each=40
    cat <<END
none 8 $each
impl 8 $each
uaf 8 $each
any 16 $((each / 2)) AGX_FIX_DEADLOCK_DETECT=1
impl 8 $each AGX_FIX_LOCK_SCOPE=queue
any 8 $each AGX_FIX_LOCK_SCOPE=buffer
impl 8 $((each / 4)) AGX_FIX_MAX_INFLIGHT=2
any 8 $((each / 2)) AGX_FIX_CENSUS=1
END
}

# run TOOL FOLDER COMMAND...: each of the tool's runs, with the workload in FOLDER as the command's argument.
run() {
    local tool=$1 folder=$2 line fault threads each variables status
    shift 2
    while read -r line; do
        read -r fault threads each variables <<<"$line"
        status=0
        # shellcheck disable=SC2086 # one word each
        env $variables AGX_REHEARSAL_DRIVER="$folder/libagx_rehearsal.so" timeout 600 "$@" "$folder/agx-rehearsal-workload" \
            --fault "$fault" --threads "$threads" --iterations "$each" >"$scratch/log" 2>&1 </dev/null || status=$?
        if [ "$status" -eq 0 ]; then
            say "$tool: ok: $line: $(sed -n 's/^iterations=[0-9]* //p' "$scratch/log")"
        else
            say "$tool: FAILED with status $status: $line"
            tail -n 200 "$scratch/log" >&2
            failed+=("$tool: $line;")
        fi
    done < <(runs "$tool")
}

memcheck() {
    command -v valgrind >/dev/null 2>&1 || install_valgrind
    cargo build --quiet --locked -p agx-fix -p agx-rehearsal
    # Threads in turn: valgrind runs one at a time, and without this one may keep the others out for seconds.
    LD_PRELOAD=$target/debug/libagx_fix.so AGX_FIX_LEDGER_DIR=$scratch \
        run memcheck "$target/debug" env valgrind --quiet --fair-sched=yes --error-exitcode=99 --track-origins=yes
}

install_valgrind() {
    local as_root=()
    [ "$(id -u)" -eq 0 ] || as_root=(sudo)
    command -v apt-get >/dev/null 2>&1 || die "valgrind was not found, and there is no apt-get here: install it with this system's package manager"
    say "installing valgrind"
    "${as_root[@]}" apt-get install -y -qq --no-install-recommends valgrind libc6-dbg >/dev/null 2>&1 || {
        "${as_root[@]}" apt-get update -qq
        "${as_root[@]}" apt-get install -y -qq --no-install-recommends valgrind libc6-dbg >/dev/null
    }
}

# sanitizer NAME: builds with it and runs.
sanitizer() {
    local name=$1 toolchain folder loader
    toolchain=$(nightly)
    if [ -z "$toolchain" ]; then
        say "$name: left out: no nightly toolchain (hint: rustup toolchain install nightly --profile minimal)"
        return
    fi
    # The library takes the sanitizer's functions from the program, which has to export them.
    RUSTFLAGS="-Zsanitizer=$name -Cunsafe-allow-abi-mismatch=sanitizer -Cforce-frame-pointers=yes -Clink-arg=-Wl,--export-dynamic" \
        cargo "+$toolchain" build --quiet --locked --target "$host" --target-dir "$target/sanitize/$name" -p agx-fix -p agx-rehearsal
    folder=$target/sanitize/$name/$host/debug
    # Not through LD_PRELOAD, which the symbolizer would inherit, and could not load a library with a sanitizer in it.
    loader=$(sed -n 's/.*interpreter: \(.*\)\]/\1/p' < <(readelf -l "$folder/agx-rehearsal-workload"))
    [ "$name" != thread ] || sees_races "$folder" "$loader"
    # Leaks: the runtime keeps classes and the driver poisons what is freed, for good.
    ASAN_OPTIONS=detect_leaks=0 \
        TSAN_OPTIONS="suppressions=$here/sanitize/thread.supp exitcode=66" \
        AGX_FIX_LEDGER_DIR=$scratch \
        run "$name" "$folder" "$loader" --preload "$folder/libagx_fix.so"
}

# What follows means something only if a race that is there is seen: the driver's, with the library switched off.
sees_races() {
    local folder=$1 loader=$2
    AGX_FIX_DISABLE=1 TSAN_OPTIONS="suppressions=$here/sanitize/thread.supp exitcode=66" AGX_REHEARSAL_DRIVER=$folder/libagx_rehearsal.so \
        "$loader" --preload "$folder/libagx_fix.so" "$folder/agx-rehearsal-workload" --fault impl --threads 8 --iterations 400 \
        >"$scratch/log" 2>&1 </dev/null || true # it crashes, most often
    grep -q 'ThreadSanitizer: data race' "$scratch/log" || die "thread: the driver's own race was not seen"
    say "thread: the driver's race is seen where the library is switched off"
}

for tool in "${tools[@]}"; do
    case $tool in
    memcheck) memcheck ;;
    address | thread) sanitizer "$tool" ;;
    esac
done
[ ${#failed[@]} -eq 0 ] || die "${failed[*]}"
