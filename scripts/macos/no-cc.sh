#!/bin/sh
# Stands in for the C compiler while Rust code for macOS is only checked.
#
# A dependency's build script may compile C (criterion's `alloca` does), and its Rust
# cannot be checked before that script has run. Nothing is linked in a check, so the
# object's content is never read: an empty one is made, and no Apple headers are needed.
for argument; do
    case $argument in
    # The cc crate takes a compiler for Microsoft's unless it rejects this,
    '-?') exit 1 ;;
    # and for clang if preprocessing its probe yields this word, in quotes.
    -E)
        echo '#pragma message "clang"'
        exit 0
        ;;
    esac
done
while [ $# -gt 1 ]; do
    if [ "$1" = -o ]; then
        : >"$2"
        exit 0
    fi
    shift
done
echo "no-cc.sh: no C is compiled in a lint, and this call wants some (hint: see $0)" >&2
exit 1
