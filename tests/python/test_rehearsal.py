"""The published race, from threads of a test: it crashes without the fix, with a name and a remedy, and passes with it."""

import os

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TEST = """
import sys
sys.path.insert(0, {!r})
import workload

def test_threads(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["workload.py", "--threads", "8", "--driver", {!r}])
    assert workload.main() == 0
"""


def write(suite):
    suite.write("test_race.py", TEST.format(os.path.join(ROOT, "tests", "rehearsal"), os.environ["AGX_REHEARSAL_DRIVER"]))


def test_the_race_is_named_with_its_remedy(suite):
    write(suite)
    suite.options += " --no-fix"
    done = suite.agxrun()
    assert done.code in (134, 139), done.err
    assert "test_race.py::test_threads was running in pytest's process" in done.section
    assert "[agx_null" in done.section or "[objc_uaf" in done.section
    assert "  meaning: " in done.section and "  to do:   " in done.section


def test_the_fix_lets_it_pass(suite):
    write(suite)
    suite.options += " --require-fix"
    assert suite.agxrun().expect(0).section == ""
