#!/usr/bin/env bash
# Stands in for a Mac's `cc` while Rust programs for macOS are linked on Linux: takes
# the arguments that rustc and build scripts give that, and calls LLVM's linker.
#
# clang would do the same. But Debian's brings an Objective-C development package along,
# after which a build for Linux that needs one by mistake would no longer fail here.
#
#   MACOS_LINK_LD     ld64.lld
#   MACOS_LINK_STUBS  the folder with the libraries' stubs (stubs.sh)
#   MACOS_LINK_SDK    the version that the product says it was built against
set -euo pipefail

arguments=(-syslibroot "$MACOS_LINK_STUBS" -adhoc_codesign)
minimum=
while [ $# -gt 0 ]; do
    case $1 in
    -Wl,*)
        IFS=, read -r -a passed <<<"${1#-Wl,}"
        arguments+=("${passed[@]}")
        ;;
    -Xlinker)
        arguments+=("$2")
        shift
        ;;
    -dynamiclib) arguments+=(-dylib) ;;
    -mmacosx-version-min=*) minimum=${1#*=} ;;
    # The compiler driver's own libraries, which are never added here.
    -nodefaultlibs) ;;
    # Two words to both, and to the linker the same.
    -arch | -o | -framework | -L | -F)
        arguments+=("$1" "$2")
        shift
        ;;
    -L* | -F* | -l* | @* | [!-]*) arguments+=("$1") ;;
    *)
        echo "link-cc.sh: does not know the argument \`$1\` (hint: translate it in $0)" >&2
        exit 1
        ;;
    esac
    shift
done
[ -n "$minimum" ] || {
    echo "link-cc.sh: no -mmacosx-version-min among the arguments (hint: call it through cargo)" >&2
    exit 1
}
exec "$MACOS_LINK_LD" "${arguments[@]}" -platform_version macos "$minimum" "$MACOS_LINK_SDK"
