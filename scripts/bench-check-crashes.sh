#!/usr/bin/env bash
# How long `agxrun check-crashes` takes over many reports: copies of the public reports in tests/data/reports, each with an
# incident and a time of its own.
#
#   scripts/bench-check-crashes.sh [N=10000] [AGXRUN=target/release/agxrun]
#
# Prints the best wall-clock time of five runs, and the processor time of that run. Elsewhere on the machine's processors nothing
# should run meanwhile; where it does, the processor time tells more. `COLD=1`, as root, empties the page cache before each run.
set -euo pipefail
cd "$(dirname "$0")/.."
count=${1:-10000}
agxrun=$(realpath "${2:-target/release/agxrun}")
[[ -x $agxrun ]] || { echo "no $agxrun: cargo build --release" >&2; exit 1; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/reports" "$folder/archive"

python3 - "$count" "$folder/reports" <<'EOF'
import pathlib
import re
import sys

count, folder = int(sys.argv[1]), pathlib.Path(sys.argv[2])
sources = []
for path in sorted(pathlib.Path("tests/data/reports").glob("*.ips")):
    text = path.read_text(errors="replace")
    found = re.search(r'"incident_id"\s*:\s*"([^"]+)"', text.split("\n", 1)[0])
    if found and '"bug_type":"309"' in text.split("\n", 1)[0]:
        sources.append((path.stem.split("_", 1)[1], text, found[1]))
written = 0
for number in range(count):
    name, text, incident = sources[number % len(sources)]
    text = text.replace(incident, f"{number:08X}-0000-4000-8000-000000000000")
    seconds = number % 86400
    stamp = f"2026-01-{1 + number % 28:02}-{seconds // 3600:02}{seconds // 60 % 60:02}{seconds % 60:02}"
    data = text.encode()
    written += len(data)
    (folder / f"{name}-{stamp}.{number:05}.ips").write_bytes(data)
print(f"{count} reports of {len(sources)} kinds, {written / 1e6:.0f} MB")
EOF

measure() {
    python3 - "$folder" "$agxrun" "$@" <<'EOF'
import os
import resource
import subprocess
import sys
import time

folder, agxrun, *options = sys.argv[1:]
command = [agxrun, "check-crashes", "--reports-dir", f"{folder}/reports", "--archive", f"{folder}/archive", *options]
best = None
for _ in range(5):
    if os.environ.get("COLD"):
        subprocess.run(["sync"], check=True)
        with open("/proc/sys/vm/drop_caches", "w") as caches:
            caches.write("3")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    lines = subprocess.run(command, check=True, capture_output=True).stdout.count(b"\n")
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    best = min(best or (wall, used, lines), (wall, used, lines))
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(f"{' '.join(options):42} {best[0] * 1000:7.0f} ms, processor {best[1] * 1000:7.0f} ms, peak {peak // 1024} MB, {best[2]} lines")
EOF
}

measure --since 2000-01-01 --count
measure --since 2000-01-01 --group
measure --since 2000-01-01
measure --latest
