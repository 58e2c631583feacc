#!/usr/bin/env python3
"""Plays `cargo` for maturin: where it would compile agxrun, the finished one is named instead.

maturin packs what cargo says it has built. build.sh has built, linked and signed the binaries already, and tests have
looked into exactly those files; so they are packed, and nothing is compiled again in another way. Every other
subcommand goes to the real cargo.

AGXRUN_PACK_CARGO     the real cargo
AGXRUN_PACK_PRODUCTS  a folder with TRIPLE/agxrun
"""

import json
import os
import subprocess
import sys


def option(arguments, name):
    """The value that follows an option, as maturin 1.16 gives it."""
    try:
        return arguments[arguments.index(name) + 1]
    except (ValueError, IndexError):
        sys.exit(f"prebuilt_cargo.py: no {name} in: {' '.join(arguments)} (hint: is this another maturin?)")


def binary_target(cargo, manifest):
    """The package at `manifest`, and its target that is a program."""
    command = [cargo, "metadata", "--no-deps", "--format-version=1", "--manifest-path", manifest]
    packages = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)["packages"]
    package = next(package for package in packages if os.path.samefile(package["manifest_path"], manifest))
    return package, next(target for target in package["targets"] if target["kind"] == ["bin"])


def main():
    cargo = os.environ["AGXRUN_PACK_CARGO"]
    arguments = sys.argv[1:]
    if arguments[:1] != ["rustc"]:
        os.execv(cargo, [cargo, *arguments])
    manifest = option(arguments, "--manifest-path")
    triple = option(arguments, "--target")
    executable = os.path.join(os.environ["AGXRUN_PACK_PRODUCTS"], triple, "agxrun")
    if not os.path.isfile(executable):
        sys.exit(f"prebuilt_cargo.py: `{executable}` has not been built")
    package, target = binary_target(cargo, manifest)
    # The messages of `cargo build --message-format json`, The Cargo Book, "External tools".
    profile = {
        "opt_level": "3",
        "debuginfo": 0,
        "debug_assertions": False,
        "overflow_checks": False,
        "test": False,
    }
    artifact = {
        "reason": "compiler-artifact",
        "package_id": package["id"],
        "manifest_path": package["manifest_path"],
        "target": target,
        "profile": profile,
        "features": [],
        "filenames": [executable],
        "executable": executable,
        "fresh": True,
    }
    for message in (artifact, {"reason": "build-finished", "success": True}):
        print(json.dumps(message))


if __name__ == "__main__":
    main()
