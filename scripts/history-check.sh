#!/bin/sh
# Asks of a history what README.md and docs/history.md promise of it, with DuckDB and pandas: scripts/history-check.sh [--install] [--require] FILE/runs.jsonl
# Where python3 has no duckdb, the virtual environment $AGXRUN_VENV or target/history-venv is asked; --install makes it, from PyPI.
# What is not there is skipped, with a word, and exit code 77; --require makes that a failure.
set -eu

say() { printf '%s\n' "$*" >&2; }

install=
require=
while :; do
    case "${1-}" in
    --install) install=yes ;;
    --require) require=yes ;;
    *) break ;;
    esac
    shift
done
[ $# = 1 ] || { say "usage: $0 [--install] [--require] FILE"; exit 2; }

here=$(cd "$(dirname "$0")/.." && pwd)

skip() {
    if [ -n "$require" ]; then
        say "$1"
        exit 1
    fi
    say "skipped: $1 (--require makes this a failure)"
    exit 77
}

has() { "$1" -c "import duckdb" 2>/dev/null; }

command -v python3 >/dev/null || skip "there is no python3"
if has python3; then
    python=python3
else
    venv=${AGXRUN_VENV:-$here/target/history-venv}
    python=$venv/bin/python
    if ! has "$python"; then
        [ -n "$install" ] || skip "python3 has no duckdb (hint: --install gets it from PyPI)"
        python3 -m venv "$venv" || skip "python3 makes no virtual environment"
        "$python" -m pip install --quiet --disable-pip-version-check --retries 1 --timeout 20 duckdb >&2 || skip "duckdb cannot be installed from PyPI"
        # Large, and the smaller part of the question.
        "$python" -m pip install --quiet --disable-pip-version-check --retries 1 --timeout 20 pandas >&2 || say "pandas cannot be installed"
    fi
fi
exec "$python" "$here/scripts/history-check.py" "$1" "$here/docs/history.md" "$here/README.md"
