#!/usr/bin/env bash
# How long `agxrun audit` takes, and how much memory, over a driver of 20 MB that is made here and over the largest binaries that
# `scripts/real-audit.sh --torch` has fetched.
#
#   scripts/bench-audit.sh [AGXRUN=target/release/agxrun]
#
# Prints the best wall-clock time of five runs with the processor time and the peak memory of that run. Making the driver takes a minute; it
# is kept in ${XDG_CACHE_HOME:-~/.cache}/agxrun/bench-audit. Needs llvm-mc and ld64.lld of LLVM 19 or later for it.
set -euo pipefail
cd "$(dirname "$0")/.."
agxrun=$(realpath "${1:-target/release/agxrun}")
[[ -x $agxrun ]] || { echo "bench-audit: error: no $agxrun (hint: cargo build --release)" >&2; exit 1; }

cache=${XDG_CACHE_HOME:-$HOME/.cache}/agxrun
dump=tests/rehearsal/data/driver-classes.tsv
# Made anew when what it is made of has changed.
made_of=$(cat "$dump" scripts/bench-audit/driver.py | sha256sum | cut -c1-16)
driver=$cache/bench-audit/driver-$made_of

make_driver() {
    local llvm='' version folder
    for version in 22 21 20 19; do
        [[ -x /usr/lib/llvm-$version/bin/llvm-mc ]] && { llvm=/usr/lib/llvm-$version/bin; break; }
    done
    [[ $llvm ]] || { echo "bench-audit: no driver: llvm-mc is not installed (hint: scripts/macos/toolchain.sh packages)" >&2; return 1; }
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' RETURN
    python3 scripts/bench-audit/driver.py "$dump" 18 >"$folder/driver.s"
    {
        printf '%s\n' '--- !tapi-tbd' 'tbd-version: 4' 'targets: [ arm64-macos ]' "install-name: '/usr/lib/libobjc.A.dylib'" \
            exports: '  - targets: [ arm64-macos ]' '    symbols: [ _objc_msgSend, __objc_empty_cache, dyld_stub_binder ]'
        awk -F'\t' '/^AGX/ { printf "%s%s", sep, $2; sep = ", " }' "$dump" |
            sed 's/^/    objc-classes: [ NSObject, /; s/$/ ]\n...\n/'
    } >"$folder/libobjc.tbd"
    "$llvm/llvm-mc" -filetype=obj -triple arm64-apple-macos12 "$folder/driver.s" -o "$folder/driver.o"
    "$llvm/ld64.lld" -arch arm64 -dylib -platform_version macos 12.0 12.0 -fixup_chains -objc_relative_method_lists \
        "$folder/libobjc.tbd" "$folder/driver.o" -o "$folder/driver"
    mkdir -p "$cache/bench-audit"
    rm -f "$cache/bench-audit"/driver-*
    mv "$folder/driver" "$driver"
}

files=()
if [[ -f $driver ]] || make_driver; then files+=("$driver"); fi
for name in libmlx.dylib libtorch_cpu.dylib; do
    found=$(find "$cache/real-audit" -name "$name" -print -quit 2>/dev/null || true)
    if [[ $found ]]; then
        files+=("$found")
    else
        echo "bench-audit: no $name (hint: scripts/real-audit.sh --torch)" >&2
    fi
done
[[ ${#files[@]} -gt 0 ]] || exit 1

python3 - "$agxrun" "${files[@]}" <<'EOF'
import os
import pathlib
import subprocess
import sys
import time

agxrun, files = sys.argv[1], sys.argv[2:]
for path in files:
    best = None
    for _ in range(5):
        start = time.monotonic()
        process = subprocess.Popen(
            [agxrun, "audit", "--json", path], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        told = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        took = time.monotonic() - start
        code = os.waitstatus_to_exitcode(status)
        if code not in (0, 1):
            sys.exit(f"bench-audit: error: {path} ended with {code}: {told.decode()}")
        if best is None or took < best[0]:
            best = (took, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)
    size = pathlib.Path(path).stat().st_size / 1e6
    print(f"{pathlib.Path(path).name}: {size:.0f} MB in {best[0]:.2f} s ({best[1]:.2f} s of a processor), {best[2]:.0f} MB of memory")
EOF
