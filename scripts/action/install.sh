#!/usr/bin/env bash
# The action's first step: gets agxrun, and says where it is. Inputs: INPUT_SOURCE, INPUT_VERSION, INPUT_PATH.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
# shellcheck source=scripts/action/common.sh
. "$here/common.sh"
root=$(dirname "$(dirname "$here")")

# From the commit that `uses:` names, into a folder that a cache can keep.
build() {
    local target=${CARGO_TARGET_DIR:-$RUNNER_TEMP/agxrun-target} packages=(-p agxrun -p agx-fix)
    command -v cargo >/dev/null 2>&1 ||
        die "there is no cargo to build agxrun with (hint: install Rust first, or use source pypi or path)"
    # Elsewhere the system writes the reports.
    [ "$(uname -s)" != Linux ] || packages+=(-p agx-rehearsal-reporter)
    cargo build --release --locked --manifest-path "$root/Cargo.toml" --target-dir "$target" "${packages[@]}" >&2 ||
        die "agxrun could not be built (the step's log has cargo's words)"
    agxrun=$target/release/agxrun
}

pypi() {
    local venv=$RUNNER_TEMP/agxrun-venv what=agxrun${INPUT_VERSION:+==$INPUT_VERSION}
    python3 -m venv "$venv" >&2 || die "python3 cannot make a virtual environment for $what"
    "$venv/bin/python" -m pip install --disable-pip-version-check --no-input "$what" >&2 ||
        die "pip could not install $what"
    agxrun=$venv/bin/agxrun
}

path() {
    agxrun=$(command -v "${INPUT_PATH:-agxrun}") ||
        die "\`${INPUT_PATH:-agxrun}\` was not found (hint: the input path names the executable)"
}

case ${INPUT_SOURCE:-build} in
build | pypi | path) "${INPUT_SOURCE:-build}" ;;
*) die "the input source is build, pypi or path, and not \`$INPUT_SOURCE\`" ;;
esac

"$agxrun" --version >&2 || die "\`$agxrun\` does not run"
output agxrun "$agxrun"
