#!/usr/bin/env python3
"""Shows the crashes of the last hours: `agxrun check-crashes` by its published name and options.

Exit codes: 0 none; 86 there are some; 2 usage; 125 a folder could not be read, or agxrun was not found. --sync and
--watch have nothing to fail.

The variable AGXRUN names the program agxrun; else it is looked for in ../target/release, beside this folder, and on
PATH.

Otherwise than the published script: crashes change the exit code; frames have their image's name; GPU events are read;
an incident is told once, however many copies of its report exist. --json prints agxrun's JSON (`agxrun check-crashes
--json-schema`); crash_logs/crash_summary.json keeps the published form.
"""

import argparse
import os
import shutil
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FAILED = 125


def find_agxrun():
    """The program, or None."""
    named = os.environ.get("AGXRUN")
    if named:
        return shutil.which(os.path.abspath(named))
    for place in ("target/release/agxrun", "agxrun"):
        found = shutil.which(os.path.join(ROOT, place))
        if found:
            return found
    return shutil.which("agxrun")


def translate(options):
    """The arguments of `agxrun check-crashes` for the published options."""
    arguments = ["--archive", os.path.join(ROOT, "crash_logs")]
    if options.sync:
        return arguments + ["--sync"]
    if options.watch:
        return arguments + ["--watch"] + (["--json"] if options.json else [])
    arguments.append("--fail")
    for wanted in ("latest", "count", "json"):
        if getattr(options, wanted):
            arguments.append("--" + wanted)
    # The newest crash is shown whenever it was, unless hours are named.
    if options.hours is not None or not options.latest:
        arguments += ["--hours", str(24 if options.hours is None else options.hours)]
    return arguments


def main(arguments=None):
    """The command."""
    head, _, rest = __doc__.partition("\n\n")
    parser = argparse.ArgumentParser(
        description=head, epilog=rest, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--latest", action="store_true", help="show the newest crash in full")
    what.add_argument("--watch", action="store_true", help="show new crashes as they come, until Ctrl-C")
    what.add_argument("--count", action="store_true", help="print only how many there are")
    what.add_argument(
        "--sync", action="store_true", help="make crash_logs/crash_summary.json anew from the files beside it"
    )
    parser.add_argument("--hours", metavar="H", help="only crashes of the last H hours (default: 24)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(arguments)
    agxrun = find_agxrun()
    if agxrun is None:
        print(
            "check_crashes.py: agxrun was not found (hint: cargo build --release, or set AGXRUN to the program)",
            file=sys.stderr,
        )
        return FAILED
    command = [agxrun, "check-crashes"] + translate(options)
    sys.stdout.flush()
    os.execv(agxrun, command)


if __name__ == "__main__":
    sys.exit(main())
