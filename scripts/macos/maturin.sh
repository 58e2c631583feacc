# shellcheck shell=bash
# maturin, from PyPI, in a virtual environment of its own. To be sourced after common.sh.

# The version is pyproject.toml's; these are that version's wheels, for x86-64 and arm64 Linux.
MATURIN_HASHES=(
    sha256:837db2f4d93d4899c3ac393fb3cc9eebf35b6002336e5d574f4a4fb6c49fe283
    sha256:e285ec9eb10243d45d10417178cb2eb76e0cbb184d0aa4378b503489fa12ee78
)

# maturin_pin PYPROJECT: the requirement in it, such as maturin==1.16.0.
maturin_pin() {
    sed -n 's/^requires = \["\(maturin==[0-9.]*\)"\]$/\1/p' "$1"
}

# install_maturin VENV PIN
install_maturin() {
    rm -rf "$1"
    python3 -m venv "$1"
    local hash requirement=$2
    for hash in "${MATURIN_HASHES[@]}"; do
        requirement+=" --hash=$hash"
    done
    printf '%s\n' "$requirement" >"$1/requirements.txt"
    "$1/bin/pip" install --disable-pip-version-check --only-binary=:all: --require-hashes -r "$1/requirements.txt"
    # Written last: without it the next run begins anew.
    "$1/bin/maturin" --version >"$1/complete"
}

# Puts the path of maturin's environment into $MATURIN_VENV; its pip and python are used as well.
find_maturin() {
    local pin=$1
    command -v python3 >/dev/null ||
        skip "python3 is missing" "apt-get install python3 python3-venv"
    MATURIN_VENV=$CACHE/$pin
    mkdir -p "$CACHE"
    # Two checkouts may ask at once: the second waits, and finds the first one's work.
    exec 8>"$CACHE/maturin.lock"
    flock 8
    # The interpreter that it was made with may have gone since.
    if [ ! -s "$MATURIN_VENV/complete" ] || ! "$MATURIN_VENV/bin/python" -c '' 2>/dev/null; then
        step maturin install_maturin "$MATURIN_VENV" "$pin"
        if [ "$STEP_STATUS" -ne 0 ]; then
            rm -rf "$MATURIN_VENV"
            skip "$pin could not be installed into $MATURIN_VENV" \
                "allow this machine to reach pypi.org and files.pythonhosted.org once, and on Debian install python3-venv"
        fi
    fi
    exec 8>&-
}
