#!/usr/bin/env bash
# From a fresh clone to a crash and its cure: installs what is missing, builds, rehearses.
set -euo pipefail
cd "$(dirname "$0")/.."

step() { printf '\n\033[1m== %s\033[0m\n' "$*"; }

step "1 of 3: what is missing"
./scripts/setup.sh
echo "everything is here"

step "2 of 3: building"
cargo build --release --locked

agxrun=target/release/agxrun
step "3 of 3: $agxrun rehearse"
"$agxrun" rehearse

cat <<'END'

Now put it in front of your own command:

    target/release/agxrun -- python3 test.py
    target/release/agxrun check-crashes --latest

`cargo install --path .` puts agxrun on your PATH. The README says the rest.
END
