#!/usr/bin/env bash
# Installs what building, rehearsing and testing need and this machine lacks.
# Linux: GCC's Objective-C runtime (libobjc4), python3, a C compiler for linking, and less, through apt. macOS: nothing is installed;
# what is missing is named.
set -euo pipefail

say() { printf 'setup: %s\n' "$*" >&2; }
die() { printf 'setup: error: %s\n' "$*" >&2; exit 1; }

command -v cargo >/dev/null 2>&1 ||
    die "cargo was not found: install Rust 1.95 or later from https://rustup.rs, then run this again"
# As Cargo.toml's `rust-version`; cargo itself would say so only after the dependencies are fetched.
needed=1.95
found=$({ rustc --version || true; } | sed -n 's/^rustc \([0-9]*\.[0-9]*\).*/\1/p')
if [ -z "$found" ] || [ "${found%%.*}" -lt "${needed%%.*}" ] ||
    { [ "${found%%.*}" -eq "${needed%%.*}" ] && [ "${found#*.}" -lt "${needed#*.}" ]; }; then
    die "rustc ${found:-of an unknown version} is too old, $needed is needed: run \`rustup update stable\`, then run this again"
fi

case "$(uname -s)" in
Darwin)
    # `cc` and `python3` are there on every Mac, and open a dialog where the tools behind them are missing.
    xcode-select -p >/dev/null 2>&1 ||
        die "Xcode's command line tools, which link programs, are missing: run \`xcode-select --install\`, then run this again"
    exit 0
    ;;
Linux) ;;
*)
    die "only Linux and macOS are supported, and this is $(uname -s)"
    ;;
esac

missing=()
case "$(ldconfig -p 2>/dev/null || /sbin/ldconfig -p 2>/dev/null || true)" in
*libobjc.so.4*) ;;
*) missing+=(libobjc4) ;;
esac
command -v python3 >/dev/null 2>&1 || missing+=(python3)
command -v cc >/dev/null 2>&1 || missing+=(gcc libc6-dev)
# A test pages with it.
command -v less >/dev/null 2>&1 || missing+=(less)
[ "${#missing[@]}" -eq 0 ] && exit 0

command -v apt-get >/dev/null 2>&1 ||
    die "missing: ${missing[*]} (Debian's package names), and there is no apt-get here: install them with this system's package manager"
as_root=()
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null 2>&1 || die "missing: ${missing[*]}; as root: apt-get install ${missing[*]}"
    as_root=(sudo)
fi
say "installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null 2>&1 || {
    # A new machine has no package lists, or old ones that name files which are gone.
    "${as_root[@]}" apt-get update -qq
    "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}
