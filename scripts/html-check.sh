#!/usr/bin/env bash
# Looks at the pages of `agxrun report` and `agxrun compare` as a browser shows them: headless Chromium at the widths of a desktop and
# of a phone, in light and dark, without scripts; no sideways scrolling, no request, no console message, and axe-core finds nothing to complain about.
# Screenshots and the printed page are left in target/html-check/.
#
#   html-check.sh [--require] [PAGE]...     check these pages, or else some made from the public reports in tests/data
#   html-check.sh --selftest                show that it notices mistakes, planted in a copy
#
# Exits 77 where no browser, or nothing to drive it with, can be had; with --require that is exit 1.
#
# playwright-core and axe-core come from npm, in the versions and with the hashes of html-check/package-lock.json, and no script of
# theirs is run to install them. The browser is a Chromium or Chrome that is here ($AGXRUN_CHROMIUM names another one), else Debian's.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
here=$root/scripts/html-check
out=${CARGO_TARGET_DIR:-$root/target}/html-check
kept=${XDG_CACHE_HOME:-$HOME/.cache}/agxrun-html-check
require=

say() { printf 'html-check: %s\n' "$*" >&2; }
fail() {
    say "$*"
    exit 1
}
# skip WHAT-IS-MISSING HOW-TO-GET-IT
skip() {
    [ -z "$require" ] || fail "$1 (hint: $2)"
    say "skipped: $1 (hint: $2; --require makes this a failure)"
    exit 77
}

find_browser() {
    local name
    if [ -n "${AGXRUN_CHROMIUM:-}" ]; then
        [ -x "$AGXRUN_CHROMIUM" ] || fail "AGXRUN_CHROMIUM names \`$AGXRUN_CHROMIUM\`, which cannot be executed"
        browser=$AGXRUN_CHROMIUM
        return 0
    fi
    for name in chromium chromium-browser google-chrome "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" \
        /Applications/Chromium.app/Contents/MacOS/Chromium; do
        if browser=$(command -v "$name"); then return 0; fi
    done
    return 1
}

get_browser() {
    find_browser && return
    if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" -eq 0 ]; then
        say "installing Debian's chromium"
        apt-get update -qq >/dev/null 2>&1 || say "apt-get update failed; trying without"
        apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core >/dev/null 2>&1 || say "apt-get could not install it"
        find_browser && return
    fi
    skip "there is no Chromium or Chrome" "install one, or name it in AGXRUN_CHROMIUM"
}

# Puts what drives it where it is kept: a folder a lock file, which appears by a rename, whole or not at all.
get_modules() {
    local sum folder
    command -v npm >/dev/null 2>&1 || skip "there is no npm to fetch playwright-core and axe-core with" "install Node.js"
    sum=$(cksum <"$here/package-lock.json" | tr -c '0-9\n' -)
    modules=$kept/$sum
    [ ! -d "$modules" ] || return 0
    mkdir -p "$kept"
    folder=$(mktemp -d "$kept/new.XXXXXX")
    cp "$here/package.json" "$here/package-lock.json" "$folder"
    (cd "$folder" && npm ci --ignore-scripts --no-audit --no-fund >log 2>&1) || {
        cat "$folder/log" >&2
        ! grep -q EINTEGRITY "$folder/log" || fail "npm's packages are not the files that they were"
        rm -rf "$folder"
        skip "npm cannot fetch playwright-core and axe-core" "allow this machine to reach npm once"
    }
    # Another run may have been faster, and its folder holds the same.
    if [ -d "$modules" ]; then rm -rf "$folder"; else mv "$folder" "$modules"; fi
}

# Pages of public reports, of a season of the published crashes, of hostile reports, and of none.
make_pages() {
    local folder=$1 agxrun record kind
    (cd "$root" && cargo build --quiet --bin agxrun)
    agxrun=${CARGO_TARGET_DIR:-$root/target}/debug/agxrun
    mkdir -p "$folder/none" "$folder/runs"
    for record in 1 2 3 4 5 6 7 8 9 10 11 12; do record "$record" >"$folder/runs/$record.json"; done
    for kind in hostile season; do
        python3 "$here/reports.py" "$kind" "$root/tests/data/reports/001_Python.ips" "$folder/$kind"
    done
    page() {
        local name=$1 reports=$2
        shift 2
        "$agxrun" report --force --output "$folder/$name.html" --reports-dir "$reports" --archive "$folder/no-archive" "$@" >/dev/null
    }
    page public "$root/tests/data/reports"
    page season "$folder/season" --runs "$folder"/runs/*.json
    page hostile "$folder/hostile" --title '<script>alert("title")</script>'
    page none "$folder/none"
    # Runs that fail and runs that do not, with a number that is compared.
    # shellcheck disable=SC2016 # the runs' shell expands it
    "$agxrun" compare --quiet --arm none --arm 'other=none,env:CODE=1' -n 12 --seed 1 --metric 'speed: ([0-9]+)' --no-history \
        --reports-dir "$folder/none" --archive "$folder/no-archive" --html "$folder/compare.html" \
        -- sh -c 'echo "speed: $((40 + ${CODE:-0} * ($$ % 7)))"; exit $((${CODE:-0} * ($$ % 2)))' 2>/dev/null || [ $? -eq 1 ]
}

# record NUMBER: a run as `agxrun run --json` tells it; every third crashed without the fix.
record() {
    local code=0 reason=target fix='{"policy": "v3", "throttle": null, "lock_scope": null, "loaded": 1}'
    if [ $(($1 % 2)) -eq 0 ]; then fix=null; fi
    if [ $(($1 % 6)) -eq 0 ]; then code=86 reason=new_reports; fi
    cat <<END
{"schema": 1, "command": "python3 examples/train_several_models_on_threads.py --threads 8", "started": "2026-01-01T10:00:00+00:00",
 "pid": $1, "ending": {"how": "exited", "code": 0}, "fix": $fix,
 "verdict": {"exit_code": $code, "applied": [{"code": $code, "reason": "$reason"}]}}
END
}

check() { node "$here/check.mjs" "$modules" "$browser" "$@"; }

# planted NAME KIND SED: whether the mistake that SED makes in the page is found, as one of that KIND.
planted() {
    local name=$1 kind=$2 script=$3 said
    sed "$script" "$scratch/season.html" >"$scratch/$name.html"
    ! cmp -s "$scratch/season.html" "$scratch/$name.html" || fail "selftest: $name: nothing was planted"
    if said=$(check "$scratch" "$scratch/$name.html"); then fail "selftest: $name: not noticed"; fi
    grep -q " $kind: " <<<"$said" || fail "selftest: $name: noticed for another reason:"$'\n'"$said"
    say "selftest: $name is noticed: $(grep -m 1 " $kind: " <<<"$said")"
}

selftest() {
    local policy='s/<meta http-equiv="Content-Security-Policy"[^>]*>//'
    planted wide overflow "s|</h1>|</h1><nobr>$(printf 'x%.0s' {1..200})</nobr>|"
    planted request network "$policy; s|</h1>|</h1><img alt=\"\" src=\"http://127.0.0.1:9/x.png\">|"
    planted script console 's|</h1>|</h1><script>document.title</script>|'
    planted dialog dialog "$policy; s|</h1>|</h1><script>alert(1)</script>|"
    planted pale accessibility "$policy; s|--soft: #565c66|--soft: #c0c4cc|"
    planted nameless accessibility 's|</h1>|</h1><a href="#x"></a>|'
    planted folded unreadable 's|<p class="result">|<p class="result" hidden>|'
}

mode=check
pages=()
for argument; do
    case $argument in
    --require) require=1 ;;
    --selftest) mode=selftest ;;
    -*)
        say "\`$argument\` is not an option (hint: html-check.sh [--require] [--selftest] [PAGE]...)"
        exit 2
        ;;
    *) pages+=("$argument") ;;
    esac
done
get_browser
get_modules
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$out"
if [ "$mode" = selftest ]; then
    make_pages "$scratch"
    selftest
    exit
fi
if [ ${#pages[@]} -eq 0 ]; then
    make_pages "$out"
    pages=("$out"/public.html "$out"/season.html "$out"/hostile.html "$out"/none.html "$out"/compare.html)
fi
check "$out" "${pages[@]}" || fail "the pages above are to be mended; screenshots are in $out"
say "ok: ${#pages[@]} pages at 1280 and 360 pixels, light and dark, without scripts; screenshots are in $out"
