"""In the inner session: notes what each process is at."""

import os

import pytest

from .journal import Journal
from .names import JOURNAL, RUNNING

# One a process image, whatever number of sessions it has: a suite that tests a plugin runs pytest within pytest.
_journal = None


def journal():
    """The journal of this process."""
    global _journal
    if _journal is None:
        # pytest-xdist sets it in its workers, before their configuration is made.
        _journal = Journal(os.environ[JOURNAL], os.environ.get("PYTEST_XDIST_WORKER"))
    return _journal


def noting_of(config):
    """The hooks of a session, made when it begins to load conftest files."""
    if not hasattr(config, "agxrun_noting"):
        config.agxrun_noting = Noting(journal())
        config.agxrun_noting.journal.note("conftest")
    return config.agxrun_noting


class Noting:
    """Hooks around all others, so that what they do is noted as well."""

    def __init__(self, journal):
        self.journal = journal
        # What this process was at when the session began: not nothing where a test runs pytest.
        self.around = journal.last

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self):
        self.journal.note("between")

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_make_collect_report(self, collector):
        if collector.nodeid:
            self.journal.note("collect", collector.nodeid)
        yield
        if collector.nodeid:
            self.journal.note("between")

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_setup(self, item):
        self.journal.note("setup", item.nodeid)
        yield

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_call(self, item):
        self.journal.note("call", item.nodeid)
        yield

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self, item):
        self.journal.note("teardown", item.nodeid)
        yield
        self.journal.note("between")

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self):
        self.journal.note("finish")

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self):
        if self.around is not None and self.around[0] in RUNNING:
            self.journal.note(*self.around)
        else:
            self.journal.note("exit")
