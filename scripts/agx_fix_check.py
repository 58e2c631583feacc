#!/usr/bin/env python3
"""Says whether the fix library is loaded in this process, armed, and what it has counted.

From inside a program, at any moment:

    import agx_fix_check
    agx_fix_check.status()         # a dict; see status()
    agx_fix_check.require()        # raises where hooks do not stand

As a command it looks at its own process, and so tells whether the library arrives where it is run:

    agxrun -- python3 scripts/agx_fix_check.py [--json] [--armed]

Exit codes: 0 loaded and enabled (with --armed: and its hooks stand), 1 not.
"""

import argparse
import ctypes
import json
import sys

__all__ = ["NotActive", "counter", "require", "status"]


class NotActive(RuntimeError):
    """The library is not loaded, not enabled, or its hooks do not stand."""


def _function(name, result):
    """A function of the library by its name, or None where no library of this process has it."""
    try:
        function = getattr(ctypes.CDLL(None), name)
    except (AttributeError, OSError):
        return None
    function.argtypes = []
    function.restype = result
    return function


def _read(name, result):
    function = _function(name, result)
    return None if function is None else function()


def status():
    """What the library says of this process, as a dict.

    loaded: a fix library is in the process. If not, every other value is None or empty.
    enabled: it hooks what is to be hooked: not disabled, and its policy exists.
    armed: methods are hooked; False before Metal's classes appear.
    version, policy: text. hooks: how many methods are hooked.
    counters: every counter by name; only those of the published interface where the library is an older one.
    """
    text = _read("agx_fix_stats_json", ctypes.c_char_p)
    if text is not None:
        said = json.loads(text.decode("utf-8"))
        return {
            "loaded": True,
            "enabled": said.get("enabled"),
            "armed": said.get("armed"),
            "version": said.get("version"),
            "policy": said.get("policy"),
            "hooks": said.get("hooks"),
            "counters": said.get("counters", {}),
        }
    # The published version 2.9 has the same numbers under names of its own.
    enabled = _read("agx_fix_v2_9_is_enabled", ctypes.c_bool)
    counters = {}
    if enabled is not None:
        for name in _PUBLISHED:
            value = _read("agx_fix_v2_9_get_" + name, ctypes.c_uint64)
            if value is not None:
                counters[name] = value
    return {
        "loaded": enabled is not None,
        "enabled": enabled,
        "armed": _read("agx_fix_v2_9_verify_swizzle_active", ctypes.c_bool),
        "version": None,
        "policy": None if enabled is None else "v2.9",
        "hooks": None,
        "counters": counters,
    }


_PUBLISHED = (
    "acquisitions",
    "contentions",
    "encoders_created",
    "encoders_released",
    "null_impl_skips",
    "method_calls",
    "deferred_releases",
)


def counter(name):
    """The value of a counter now; None where the library does not have it."""
    return status()["counters"].get(name)


def require(armed=True):
    """Returns status(), or raises NotActive with what is missing and what to do."""
    now = status()
    wrong = _what_is_wrong(now, armed)
    if wrong is not None:
        raise NotActive(wrong)
    return now


def _what_is_wrong(now, armed):
    if not now["loaded"]:
        return "the fix library is not loaded (hint: start the program as `agxrun -- ...`)"
    if not now["enabled"]:
        return (
            "the fix library is loaded and hooks nothing (hint: is AGX_FIX_DISABLE set, "
            "or does AGX_FIX_VERSION name a policy that does not exist?)"
        )
    if armed and not now["armed"]:
        return "no hooks stand (hint: Metal's classes are not loaded yet; ask again after the first use of the GPU)"
    return None


def _text(now):
    if not now["loaded"]:
        return "not loaded"
    state = "armed, {} hooks".format(now["hooks"]) if now["armed"] else "no hooks yet"
    if not now["enabled"]:
        state = "hooks nothing"
    lines = ["policy {}, {} ({})".format(now["policy"], state, now["version"] or "a published version")]
    lines += ["  {}: {}".format(name, value) for name, value in sorted(now["counters"].items()) if value]
    return "\n".join(lines)


def main(arguments=None):
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--armed", action="store_true", help="exit 1 unless hooks stand, too")
    options = parser.parse_args(arguments)
    now = status()
    print(json.dumps(now, indent=2, sort_keys=True) if options.json else _text(now))
    wrong = _what_is_wrong(now, options.armed)
    if wrong is not None:
        print("agx_fix_check: " + wrong, file=sys.stderr)
    return 0 if wrong is None else 1


if __name__ == "__main__":
    sys.exit(main())
