"""A folder with a test suite, run by a pytest of its own, and what came of it."""

import json
import os
import re
import subprocess
import sys
import textwrap

import pytest

CRASH = "__import__('ctypes').string_at(0)"
# A program that crashes, as a process of its own.
CRASHING = "__import__('subprocess').run([__import__('sys').executable, '-c', {!r}])".format(
    "import ctypes; ctypes.string_at(0)"
)


class Done:
    """A session's end."""

    def __init__(self, code, out, err):
        self.code = code
        self.out = out
        self.err = err

    @property
    def section(self):
        """What the plugin printed at the end; empty where it printed nothing."""
        found = re.search(r"^=+ agxrun =+$.*", self.out, re.MULTILINE | re.DOTALL)
        return found.group() if found else ""

    def expect(self, code):
        """The same, which must have ended so."""
        assert self.code == code, "exit {}\n{}\n{}".format(self.code, self.out, self.err)
        return self


class Suite:
    """A test suite of one's own."""

    def __init__(self, root):
        self.root = root
        self.folder = root / "suite"
        for name in ("suite", "home", "reports", "archive"):
            (root / name).mkdir()
        self.options = "--archive {}".format(root / "archive")
        self.write("pytest.ini", "[pytest]\n")

    def write(self, name, text):
        """A file of the suite; CRASH and CRASHING in it stand for expressions that crash this process and a child."""
        text = textwrap.dedent(text).replace("CRASHING", CRASHING).replace("CRASH", CRASH)
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def environ(self, **changes):
        """Nothing of the caller's settings; a change to None takes a variable away."""
        environ = {
            "AGXRUN": os.environ["AGXRUN"],
            "AGXRUN_REPORTS_DIR": str(self.root / "reports"),
            "HOME": str(self.root / "home"),
            "LANG": "C.UTF-8",
            "PATH": os.environ["PATH"],
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        environ.update(changes)
        return {name: value for name, value in environ.items() if value is not None}

    def command(self, *arguments):
        """The line that starts pytest."""
        return [sys.executable, "-m", "pytest", "-p", "no:cacheprovider"] + list(arguments)

    def pytest(self, *arguments, **changes):
        """pytest with these arguments, run to its end; `changes` of its environment."""
        return self.start(self.command(*arguments), **changes)

    def agxrun(self, *arguments, **changes):
        """pytest --agxrun, likewise."""
        return self.pytest("--agxrun", "--agxrun-opts=" + self.options, *arguments, **changes)

    def start(self, command, **changes):
        done = subprocess.run(
            command,
            cwd=str(self.folder),
            env=self.environ(**changes),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            timeout=120,
        )
        return Done(done.returncode, done.stdout.decode(), done.stderr.decode())

    def agxrun_that_must_not_run(self):
        """A program that stands for agxrun and leaves a mark: returns its path and the mark's."""
        program, mark = self.root / "agxrun", self.root / "mark"
        program.write_text("#!/bin/sh\ntouch '{}'\nexit 99\n".format(mark))
        program.chmod(0o755)
        return str(program), mark

    def record(self, name):
        """A JSON file of the suite's."""
        return json.loads((self.folder / name).read_text(encoding="utf-8"))


@pytest.fixture
def suite(tmp_path):
    return Suite(tmp_path)
