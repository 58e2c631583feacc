"""The outer session: starts pytest again under agxrun, waits, and tells what died."""

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading

import pytest

from .. import binary
from . import account, journal, words
from .names import JOURNAL

# What is sent to this process is meant for the session.
_PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


class Session:
    """One session that is run under agxrun."""

    def __init__(self, command, opts, folder, colored):
        """`command` starts pytest; `opts` are options of `agxrun run`; `folder` is where it is started; `colored`: use colours."""
        self.command = command
        self.opts = opts
        self.folder = folder
        self.colored = colored

    @classmethod
    def of(cls, config, options):
        """From pytest's configuration. Raises pytest.UsageError where such a session cannot be run again."""
        invocation = config.invocation_params
        if any(not isinstance(plugin, str) for plugin in invocation.plugins or ()):
            raise pytest.UsageError(
                "--agxrun cannot take along the plugin objects that were given to pytest.main() "
                "(hint: run that program as `agxrun -- ...`)"
            )
        named = [word for plugin in invocation.plugins or () for word in ("-p", plugin)]
        command = start_again(sys.argv[0]) + named + [os.fspath(argument) for argument in invocation.args]
        return cls(command, read_options(config, options), str(invocation.dir), is_colored(options))

    def run(self):
        """Runs it. Its exit code is agxrun's."""
        try:
            agxrun = binary.find()
        except binary.NotFound as error:
            raise pytest.UsageError("--agxrun: {}".format(error))
        work = tempfile.mkdtemp(prefix="agxrun-pytest-")
        try:
            return self._run(agxrun, work)
        finally:
            shutil.rmtree(work, ignore_errors=True)

    def _run(self, agxrun, work):
        journals = os.path.join(work, "journals")
        os.mkdir(journals)
        record = value_of(self.opts, "--json") or os.path.join(work, "run.json")
        line = [agxrun, "run"]
        if value_of(self.opts, "--json") is None:
            line += ["--json", record]
        if value_of(self.opts, "--scope") is None:
            line += ["--scope", "tree"]
        line += self.opts + ["--"] + self.command
        # What was printed so far comes before what the other prints.
        sys.stdout.flush()
        sys.stderr.flush()
        code = wait_for(line, self.folder, dict(os.environ, **{JOURNAL: journals}))
        deaths = self._tell(code, os.path.join(self.folder, record), journals)
        # A test that calls os._exit(0) ends pytest, too, in the middle and with success.
        return 1 if code == 0 and deaths else code

    def _tell(self, code, record, journals):
        """Prints what died, and returns it."""
        try:
            with open(record, encoding="utf-8") as file:
                said = json.load(file)
        except FileNotFoundError:
            # Nothing was launched, and agxrun has said why.
            return []
        except (OSError, ValueError) as error:
            print("agxrun: the record of the run could not be read: {} (exit {})".format(error, code), file=sys.stderr)
            return []
        processes, problems = journal.read(journals)
        deaths = account.deaths(said, processes)
        width = shutil.get_terminal_size().columns
        sys.stdout.write(words.page(said, deaths, problems, width, self.colored))
        sys.stdout.flush()
        return deaths


def start_again(program):
    """The command that starts pytest as this process was started, up to its arguments.

    By the same file where that is a program such as `bin/pytest`, so that sys.path begins the same; else as `python -m
    pytest`.
    """
    # As multiprocessing does: -X, -W, -O and their like.
    python = [sys.executable] + subprocess._args_from_interpreter_flags()
    is_script = os.path.isfile(program) and os.path.basename(program) in ("pytest", "py.test")
    return python + ([os.path.abspath(program)] if is_script else ["-m", "pytest"])


def read_options(config, options):
    """The options of `agxrun run`: the configuration's, then the command line's."""
    found = list(config.getini("agxrun_opts"))
    for given in options.agxrun_opts:
        try:
            found += shlex.split(given)
        except ValueError as error:
            raise pytest.UsageError("--agxrun-opts {!r}: {} (hint: quote it as for a shell)".format(given, error))
    if "--" in found:
        raise pytest.UsageError(
            "--agxrun-opts: what follows `--` would be the command, which is pytest (hint: leave it out)"
        )
    if value_of(found, "--json") == "-":
        raise pytest.UsageError("--agxrun-opts: --json has to be a file here (hint: --json run.json)")
    return found


def value_of(options, name):
    """The value of an option among others, `--json FILE` or `--json=FILE`; None where it is not there."""
    for index, option in enumerate(options):
        if option == name and index + 1 < len(options):
            return options[index + 1]
        if option.startswith(name + "="):
            return option[len(name) + 1 :]
    return None


def is_colored(options):
    """As pytest decides for its own output."""
    asked = getattr(options, "color", "auto")
    if asked != "auto":
        return asked == "yes"
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return sys.stdout.isatty()


def wait_for(line, folder, environ):
    """Runs a command to its end and returns its exit code, 128+n for signal n. Signals are passed on to it."""
    # On a terminal agxrun hands it over to pytest, for which it must be in the foreground; there Ctrl-C goes to pytest
    # itself. Elsewhere a signal to the group would come twice, once by way of this process.
    alone = None if os.isatty(0) else os.setpgrp
    child, early = [], []

    def pass_on(number, _frame):
        if child:
            child[0].send_signal(number)
        else:
            early.append(number)

    before = {}
    # Only the main thread may set handlers, and only in it does Ctrl-C raise anything.
    if threading.current_thread() is threading.main_thread():
        # What was to be ignored, as under nohup, still is.
        caught = [number for number in _PASSED_ON if signal.getsignal(number) is not signal.SIG_IGN]
        before = {number: signal.signal(number, pass_on) for number in caught}
    try:
        child.append(subprocess.Popen(line, cwd=folder, env=environ, preexec_fn=alone))
        for number in early:
            child[0].send_signal(number)
        code = child[0].wait()
    finally:
        for number, handler in before.items():
            # None: it was set by something else than Python, which cannot be set again from here.
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
    return code if code >= 0 else 128 - code
