#!/usr/bin/env bash
# Everything that must hold before a change lands. Installs what it needs.
set -euo pipefail
cd "$(dirname "$0")/.."

# With the seconds since the start.
step() { printf '\n== %s (%d s)\n' "$*" "$SECONDS"; }

./scripts/setup.sh

step "format"
cargo fmt --all --check

step "lint"
cargo clippy --workspace --all-targets --locked -- -D warnings

# For developers: private items have theirs too.
step "documentation"
RUSTDOCFLAGS="-D warnings -A rustdoc::private_intra_doc_links" cargo doc --workspace --no-deps --document-private-items --locked --quiet

# All at once: what tests and products have in common is then built with one set of features, once.
step "build"
cargo build --workspace --lib --bins --tests --locked
export AGX_PRODUCTS=built

step "tests"
cargo test --workspace --locked --no-fail-fast

# The whole of it is sanitize.sh. Valgrind is not installed for this: a fresh machine's first run is long enough.
step "memory"
if [ "$(uname -s)" = Linux ] && command -v valgrind >/dev/null 2>&1; then
    ./scripts/sanitize.sh --quick
else
    echo "left out: needs Linux and valgrind (hint: apt-get install valgrind libc6-dbg, or scripts/sanitize.sh, which installs it)"
fi

# 77: this machine cannot have what it takes, and the script has said what is missing.
where_possible() {
    local status=0
    "$@" || status=$?
    [ "$status" -eq 0 ] || [ "$status" -eq 77 ] || exit "$status"
    return "$status"
}

step "macOS lint"
where_possible ./scripts/macos/lint.sh || true

# The architecture of those who use it. The other, and what joins both: build.sh and inspect.sh without arguments.
step "macOS build"
if where_possible ./scripts/macos/build.sh --target arm64; then
    ./scripts/macos/inspect.sh arm64
    step "the library for macOS, executed"
    where_possible ./tests/machine/run.sh || true
fi

step "workflows"
where_possible ./scripts/workflows-lint.sh || true
where_possible ./scripts/workflows-lint.sh --selftest || true
./tests/mac/run.sh selftest build crash rehearse metal doctor
