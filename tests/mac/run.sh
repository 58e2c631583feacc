#!/usr/bin/env bash
# What only a Mac can show, looked at on a Mac: agxrun, its library and the rehearsal on Apple's own runtime, a real crash that
# ReportCrash reports, and a program that uses Metal. On Linux the same steps run with what stands in for those there.
#
#   run.sh [--release] [--out FOLDER] [STAGE]...
#
#   --release      build and use the release profile, which is what ships (the tests use their own)
#   --out FOLDER   where reports, ledgers, records, logs and JUnit go, an empty or new one [target/mac/<time>]
#
# Stages, in this order; without one, all:
#   selftest   the programs of this folder that judge the rest find fault with what is wrong
#   build      agxrun, the library, the rehearsal
#   crash      a C program reads 0x5c8, itself and in a child: found, read, attributed, archived; exit codes 139 and 86
#   rehearse   `agxrun rehearse`: the six published crashes, each at its address and diagnosed, and their cure
#   matrix     the default policy in every scenario of a published failure
#   metal      python3 makes a Metal device and lets the GPU do something, with the library in it
#   doctor     `agxrun doctor` looks at everything and finds nothing in error
#   tests      `cargo test`: units everywhere; on a Mac besides what holds on both systems
#
# Exits 1 where a stage failed; one that cannot be done here says why and is not counted. The tests come last: hundreds of crashes
# are in them, and ReportCrash writes so many reports of a program and then no more.
#
# For bash 3.2, which is what macOS has.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)

readonly SKIPPED=77
ALL="selftest build crash rehearse matrix metal doctor tests"

say() { printf 'mac: %s\n' "$*"; }
die() {
    printf 'mac: error: %s\n' "$*" >&2
    exit 2
}

out=$root/target/mac/$(date +%Y%m%d-%H%M%S) profile=debug stages=
while [ $# -gt 0 ]; do
    case $1 in
    --release) profile=release ;;
    --out)
        [ $# -gt 1 ] || die "--out needs a folder"
        out=$2
        shift
        ;;
    *)
        case " $ALL " in
        *" $1 "*) stages="$stages $1" ;;
        *) die "\`$1\` is not a stage or option (hint: one of $ALL, --release, --out FOLDER)" ;;
        esac
        ;;
    esac
    shift
done
stages=${stages:-$ALL}

mkdir -p "$out"
out=$(cd "$out" && pwd)
[ -z "$(ls -A "$out")" ] || die "$out is not empty (hint: name another folder with --out)"
cd "$root"
./scripts/setup.sh

system=$(uname -s)
built=${CARGO_TARGET_DIR:-$root/target}/$profile
agxrun=$built/agxrun
export AGX_FIX_LEDGER_DIR=$out/ledgers
# Where the rehearsal's report writer and agxrun keep what they keep. A Mac's folders are the system's, and stay.
[ "$system" = Darwin ] || export XDG_STATE_HOME=$out/state

# expect CODE COMMAND...: runs it, which must exit with CODE.
expect() {
    local wanted=$1 status=0
    shift
    "$@" || status=$?
    if [ "$status" -ne "$wanted" ]; then
        say "$1 exited with $status, not with $wanted: $*"
        return 1
    fi
}

check() { python3 "$here/check.py" "$@"; }

selftest() {
    PYTHONDONTWRITEBYTECODE=1 python3 -m unittest discover --quiet --start-directory "$here"
}

build() {
    if [ "$profile" = release ]; then
        cargo build --locked --release
    else
        cargo build --locked
    fi
}

crash() {
    local crash_at=$out/crash_at
    cc -std=gnu11 -Wall -Wextra -Werror -O1 -o "$crash_at" "$here/crash_at.c"
    expect 139 "$agxrun" --require-fix --json "$out/crash.json" --archive "$out/archive" -- "$crash_at"
    check crash "$out/crash.json"
    expect 86 "$agxrun" --require-fix --json "$out/crash-in-child.json" --archive "$out/archive" -- "$crash_at" --in-child
    check crash "$out/crash-in-child.json" --in-child
    # Without the library nothing but the system tells of the crash; on Linux nothing does (LIMITATIONS.md).
    if [ "$system" = Darwin ]; then
        # No ledger says that a child crashed, so that only the folders can: watched for long enough, whatever the machine's load.
        expect 86 "$agxrun" --no-fix --settle 30s --archive "$out/archive" -- "$crash_at" --in-child
    fi
    # Where nothing crashes the program's own code is what counts.
    expect 2 "$agxrun" --require-fix -- "$crash_at" no-address
    expect 86 "$agxrun" check-crashes --hours 1 --json --fail --archive "$out/archive" >"$out/crashes.json"
    check listed "$out/crashes.json" "$out/crash-in-child.json"
    expect 86 "$agxrun" check-crashes --latest --fail --archive "$out/archive"
}

rehearse() {
    local fault address diagnosis answer
    mkdir -p "$out/archive"
    while read -r fault address diagnosis; do
        answer=$out/rehearsal-$fault.json
        "$agxrun" rehearse --fault "$fault" --json >"$answer" </dev/null || say "agxrun rehearse --fault $fault exited with $?"
        check rehearsal "$answer" --address "$address" --diagnosis "$diagnosis"
        check files "$answer" | while IFS= read -r file; do cp "$file" "$out/archive/"; done
        say "$fault: $diagnosis at $address, and cured"
    done <<'FAULTS'
impl 0x5c8 agx_null_pipeline
setBuffer 0x3b90 agx_null_buffer
dispatch 0x5f4 agx_null_dispatch
prepare 0x98 agx_null_prepare
spill 0x184 agx_null_spill
bind 0x1e0 agx_null_resource
FAULTS
    # The first again, for people.
    "$agxrun" rehearse
}

matrix() {
    "$agxrun" rehearse --matrix --policies v3 --runs 2
}

metal() {
    local record=$out/metal.json device=$out/metal-device.json status=0
    if [ "$system" = Darwin ]; then
        "$agxrun" --require-fix --json "$record" --archive "$out/archive" -- python3 "$here/metal_device.py" >"$device" || status=$?
        if [ "$status" -eq "$SKIPPED" ]; then
            say "skipped: this machine has no Metal device (hint: a virtual machine may have none; run this on a Mac)"
            return "$SKIPPED"
        fi
    else
        say "the rehearsal's driver stands in for Metal"
        "$agxrun" --require-fix --json "$record" --archive "$out/archive" -- \
            env AGX_REHEARSAL_DRIVER="$built/libagx_rehearsal.so" python3 tests/rehearsal/workload.py --threads 1 || status=$?
        echo '{"device": "the rehearsal", "classes": {"compute_encoder": "AGXG16XFamilyComputeContext"}}' >"$device"
    fi
    check metal "$record" "$device"
}

doctor() {
    # For people, in the log; its exit code is in the JSON, too.
    "$agxrun" doctor || true
    "$agxrun" doctor --json >"$out/doctor.json" || true
    check doctor "$out/doctor.json" "$system"
}

# test_suite NAME ARGUMENT...: cargo test, with JUnit.
test_suite() {
    local name=$1
    shift
    python3 "$here/junit.py" --name "$name" --output "$out/junit/$name.xml" -- cargo test --locked --no-fail-fast "$@"
}

# The end-to-end tests in tests/*.rs, tests/helpers/ and fixdylib/tests/ know LD_PRELOAD, /proc and the rehearsal's report writer, and
# are Linux's; the stages above are what a Mac has instead.
tests() {
    local failed=0
    # The rehearsal's libraries are no test programs; the report writer is Linux's.
    test_suite units --workspace --lib --bins --exclude agx-rehearsal --exclude agx-rehearsal-reporter || failed=1
    test_suite ledger-policy-models -p agx-ledger -p agx-policy -p agx-fix-models --tests || failed=1
    test_suite header -p agx-fix --test header || failed=1
    test_suite rehearsal -p agx-rehearsal --tests || failed=1
    return "$failed"
}

run_stage() {
    case $1 in
    selftest) selftest ;;
    build) build ;;
    crash) crash ;;
    rehearse) rehearse ;;
    matrix) matrix ;;
    metal) metal ;;
    doctor) doctor ;;
    tests) tests ;;
    esac
}

# stage NAME: runs it with its output in a log as well; notes how it ended.
stage() {
    local name=$1 status started=$SECONDS
    printf '\n== %s\n' "$name"
    # No `if` around it, which would switch errexit off inside.
    set +e
    (
        set -e
        run_stage "$name"
    ) 2>&1 | tee "$out/log/$name.log"
    status=${PIPESTATUS[0]}
    set -e
    printf '%s\t%s\t%s\n' "$name" "$status" $((SECONDS - started)) >>"$out/stages.tsv"
}

mkdir -p "$out/log" "$AGX_FIX_LEDGER_DIR"
# Whether system programs take the library depends on System Integrity Protection, which is off on GitHub's machines.
if [ "$system" = Darwin ]; then { sw_vers; csrutil status; } else uname -sr; fi | tee "$out/system.txt"
uname -m | tee -a "$out/system.txt"
rustc --version | tee -a "$out/system.txt"
for name in $stages; do
    stage "$name"
done

printf '\n== what came of it\n'
while IFS=$'\t' read -r name status seconds; do
    case $status in
    0) how=ok ;;
    "$SKIPPED") how=skipped ;;
    *) how="FAILED ($status)" ;;
    esac
    printf '%-10s %-14s %5d s\n' "$name" "$how" "$seconds"
done <"$out/stages.tsv" | tee "$out/summary.txt"
if [ -n "${GITHUB_STEP_SUMMARY:-}" ]; then
    {
        printf '```\n'
        cat "$out/system.txt" "$out/summary.txt"
        printf '```\n'
    } >>"$GITHUB_STEP_SUMMARY"
fi
! grep -q FAILED "$out/summary.txt"
