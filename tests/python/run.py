#!/usr/bin/env python3
"""Runs the tests of the Python package with a pytest of their own: `cargo test --test python` does.

    run.py VENV [PYTEST ARGUMENTS...]

VENV is a folder for a virtual environment, made once: pytest and its plugins come from PyPI. The package is not built for it; the
environment is told where its source is, and of its plugin as pyproject.toml declares it.

The variable AGXRUN names the program agxrun, AGX_REHEARSAL_DRIVER the rehearsal's driver.

Exit codes: pytest's; 77 where the environment cannot be had.
"""

import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
REQUIREMENTS = os.path.join(HERE, "requirements.txt")
SKIPPED = 77


def read(path):
    """A file's text."""
    with open(path, encoding="utf-8") as file:
        return file.read()


def prepared(venv):
    """Makes the environment unless it stands there for these requirements; the path of its Python, or None."""
    python = os.path.join(venv, "bin", "python")
    stamp = os.path.join(venv, "made-for.txt")
    wanted = sys.version + "\n" + read(REQUIREMENTS)
    if os.path.exists(stamp) and read(stamp) == wanted:
        return python
    commands = (
        [sys.executable, "-m", "venv", "--clear", venv],
        [python, "-m", "pip", "install", "--disable-pip-version-check", "--quiet", "--requirement", REQUIREMENTS],
    )
    for command in commands:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode != 0:
            sys.stderr.write(done.stdout.decode(errors="replace"))
            return None
    # Written last: without it the next run begins anew.
    with open(stamp, "w", encoding="utf-8") as file:
        file.write(wanted)
    return python


def install_source(python):
    """Makes the package importable in the environment, and its plugin known, as an installed wheel does."""
    place = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = subprocess.run([python, "-c", place], stdout=subprocess.PIPE, check=True).stdout.decode().strip()
    with open(os.path.join(packages, "agxrun.pth"), "w", encoding="utf-8") as file:
        file.write(os.path.join(ROOT, "python") + "\n")
    project = read(os.path.join(ROOT, "pyproject.toml"))
    points = re.search(r"^\[project\.entry-points\.pytest11\]\n(.*?)\n\n", project, re.MULTILINE | re.DOTALL).group(1)
    info = os.path.join(packages, "agxrun-0.dist-info")
    os.makedirs(info, exist_ok=True)
    for name, text in (
        ("METADATA", "Metadata-Version: 2.1\nName: agxrun\nVersion: 0\n"),
        ("entry_points.txt", "[pytest11]\n" + points.replace('"', "") + "\n"),
    ):
        with open(os.path.join(info, name), "w", encoding="utf-8") as file:
            file.write(text)


def main(venv, *arguments):
    """The command."""
    python = prepared(venv)
    if python is None:
        print("run.py: pytest cannot be had (hint: allow this machine to reach PyPI once)", file=sys.stderr)
        return SKIPPED
    install_source(python)
    command = [python, "-B", "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:agxrun", "--rootdir", HERE, "-c", os.devnull]
    return subprocess.run(command + list(arguments or ["-n", "2", "-q", "-rs", HERE]), cwd=ROOT).returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
