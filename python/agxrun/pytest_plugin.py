"""The pytest plugin: `pytest --agxrun` runs the suite under agxrun, and names the test that was running when a process died.

    pytest --agxrun                            # also as `agxrun = true` in pytest's section of the configuration
    pytest --agxrun --agxrun-opts="--throttle 2 --timeout 10m"

The library has to be there when a process starts, so this pytest starts another with the same arguments,
`agxrun run ... -- python -m pytest ...` (session.outer). That one, its xdist workers and the processes that
pytest-forked makes write down what they are at (session.inner), and afterwards the outer one reads who died, from
agxrun's record.

The session ends with agxrun's exit code: pytest's own, unless something crashed (86), lost work (87), ran out of time
(124), ...
"""

import os

import pytest

from .session.names import JOURNAL

# With these pytest runs no test.
_SHOW_ONLY = (
    "cacheshow",
    "collectonly",
    "help",
    "markers",
    "setupplan",
    "show_fixtures_per_test",
    "showfixtures",
    "version",
)


def pytest_addoption(parser):
    group = parser.getgroup("agxrun", "agxrun: the AGX driver fix, and crash reports")
    group.addoption(
        "--agxrun",
        action="store_true",
        default=None,
        dest="agxrun",
        help="run this session under agxrun: with the fix, and failing when a process of it crashes",
    )
    group.addoption("--no-agxrun", action="store_false", dest="agxrun", help="do not, whatever the configuration says")
    group.addoption(
        "--agxrun-opts",
        action="append",
        default=[],
        metavar="OPTIONS",
        help='options of `agxrun run`, as in --agxrun-opts="--throttle 2 --timeout 10m" (repeatable)',
    )
    parser.addini("agxrun", "run every session under agxrun (as --agxrun)", type="bool", default=False)
    parser.addini(
        "agxrun_opts", "options of `agxrun run` (as --agxrun-opts, which come after)", type="args", default=[]
    )


def _is_outer(config, options):
    """Whether this process is to start another: not where that has happened, and not where no test is to run."""
    if os.environ.get(JOURNAL) or any(getattr(options, name, False) for name in _SHOW_ONLY):
        return False
    asked = getattr(options, "agxrun", None)
    return config.getini("agxrun") if asked is None else asked


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config, args):
    options = early_config.known_args_namespace
    if _is_outer(early_config, options):
        from .session import outer

        # The conftest files are for the inner session. Loaded here they would do their work twice, and a crash in one
        # of them would be no process of agxrun's. Without them their options are unknown, so that what was given is set
        # aside.
        early_config.agxrun_session = outer.Session.of(early_config, options)
        options.noconftest = True
        args[:] = []
    elif os.environ.get(JOURNAL):
        from .session import inner

        inner.noting_of(early_config)
    yield
    if hasattr(early_config, "agxrun_noting"):
        early_config.agxrun_noting.journal.note("ready")


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config):
    session = getattr(config, "agxrun_session", None)
    if session is None and _is_outer(config, config.option):
        from .session import outer

        # The plugin came by a conftest file, after the hook above.
        session = outer.Session.of(config, config.option)
    return None if session is None else session.run()


def pytest_configure(config):
    if os.environ.get(JOURNAL):
        from .session import inner

        config.pluginmanager.register(inner.noting_of(config), "agxrun-noting")
