"""The package's face, and where it finds agxrun."""

import os
import subprocess
import sys

import pytest

import agxrun
from agxrun import binary

SOURCE = os.path.dirname(os.path.dirname(os.path.abspath(agxrun.__file__)))


def program(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return str(path)


def test_it_says_that_the_fix_is_not_there():
    assert agxrun.active() is False
    assert agxrun.status()["loaded"] is False
    assert agxrun.counter("method_calls") is None
    with pytest.raises(agxrun.NotActive, match="not loaded"):
        agxrun.require()
    with pytest.raises(AttributeError):
        agxrun.no_such_name  # noqa: B018
    assert set(agxrun.__all__) <= set(dir(agxrun))


def test_under_agxrun_it_says_that_it_is(suite):
    line = [os.environ["AGXRUN"], "-q", "--archive", str(suite.root / "archive"), "--", sys.executable, "-c"]
    suite.start(line + ["import agxrun, sys; sys.exit(not agxrun.active())"]).expect(0)
    suite.start(line + ["import agx_fix_check"], PYTHONPATH=os.path.join(os.path.dirname(SOURCE), "scripts")).expect(0)


def test_pytest_is_burdened_with_nothing():
    """The plugin is loaded in every session of an environment that has the package."""
    loaded = "import sys, pytest; before = set(sys.modules); import agxrun.pytest_plugin; print(*set(sys.modules) - before)"
    environ = dict(os.environ, PYTHONPATH=SOURCE)
    said = subprocess.run([sys.executable, "-c", loaded], env=environ, stdout=subprocess.PIPE, check=True).stdout.decode()
    assert set(said.split()) <= {"agxrun", "agxrun.pytest_plugin", "agxrun.session", "agxrun.session.names"}


def test_the_variable_decides(tmp_path):
    named = program(tmp_path / "named")
    assert binary.find({"AGXRUN": named, "PATH": ""}) == named
    (tmp_path / "file").write_text("")
    for wrong in (tmp_path / "file", tmp_path, tmp_path / "missing"):
        with pytest.raises(binary.NotFound, match="AGXRUN names"):
            binary.find({"AGXRUN": str(wrong), "PATH": os.path.dirname(named)})


def test_what_came_with_the_package_comes_before_the_path(tmp_path, monkeypatch):
    beside, on_path = tmp_path / "bin" / "agxrun", tmp_path / "path" / "agxrun"
    monkeypatch.setattr(binary, "_beside", lambda: [str(tmp_path / "none"), str(beside.parent)])
    environ = {"PATH": str(on_path.parent)}
    with pytest.raises(binary.NotFound, match="hint"):
        binary.find(environ)
    program(on_path)
    assert binary.find(environ) == str(on_path)
    program(beside)
    assert binary.find(environ) == str(beside)


def test_the_places_of_pip_are_looked_at(monkeypatch):
    places = binary._beside()
    assert os.path.dirname(sys.executable) in places
    assert os.path.join(SOURCE, "bin") in places
