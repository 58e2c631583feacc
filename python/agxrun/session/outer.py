"""The outer session: starts pytest again under agxrun, waits, and tells what died."""

import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile

import pytest

from .. import binary
from . import account, job, journal, words
from .names import JOURNAL, SCHEMA

# agxrun's code for its own failure, as the README has it.
FAILED = 125


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
        try:
            # A test may change the working directory, in which a relative TMPDIR would be another folder.
            work = os.path.abspath(tempfile.mkdtemp(prefix="agxrun-pytest-"))
        except OSError as error:
            raise pytest.UsageError(
                "--agxrun: no temporary folder can be made: {} (hint: let TMPDIR name one that can be written)".format(
                    error
                )
            )
        try:
            return self._run(agxrun, work)
        finally:
            shutil.rmtree(work, ignore_errors=True)

    def _run(self, agxrun, work):
        journals = os.path.join(work, "journals")
        os.mkdir(journals)
        record = os.path.join(self.folder, value_of(self.opts, "--json") or os.path.join(work, "run.json"))
        line = [agxrun, "run"]
        if value_of(self.opts, "--json") is None:
            line += ["--json", record]
        if value_of(self.opts, "--scope") is None:
            line += ["--scope", "tree"]
        line += self.opts + ["--"] + self.command
        # What was printed so far comes before what the other prints.
        sys.stdout.flush()
        sys.stderr.flush()
        before = state_of(record)
        try:
            code = job.run(line, self.folder, dict(os.environ, **{JOURNAL: journals}))
        except OSError as error:
            raise pytest.UsageError(
                "--agxrun: `{}` cannot be started: {} (hint: let the variable AGXRUN name another)".format(
                    agxrun, error.strerror
                )
            )
        try:
            said = read_record(record, before)
        except Unreadable as error:
            # agxrun has said why nothing was launched, unless it is none: that is no success.
            if error.is_told and code != 0:
                return code
            print("agxrun: `{}` ended with {}, and {}".format(agxrun, code, error), file=sys.stderr)
            return code or FAILED
        processes, problems = journal.read(journals)
        if code == 0 and not processes and not problems:
            print(
                "agxrun: `{}` ended with 0, and there was no pytest with this plugin in it "
                "(hint: does the program that AGXRUN names run what it is given?)".format(said.get("command")),
                file=sys.stderr,
            )
            return FAILED
        # A test that calls os._exit(0) ends pytest, too, in the middle and with success.
        return 1 if self._tell(said, processes, problems) and code == 0 else code

    def _tell(self, said, processes, problems):
        """Prints what died, and returns it."""
        deaths = account.deaths(said, processes)
        width = shutil.get_terminal_size().columns
        say(words.page(said, deaths, problems, width, self.colored))
        return deaths


def say(text):
    """Prints to stdout; what its encoding has no character for is escaped."""
    # What a program put in the place of stdout may have none.
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
    sys.stdout.flush()


class Unreadable(Exception):
    """There is no record of the run that can be read; says why. `is_told`: where agxrun was to say so itself."""

    def __init__(self, words, is_told=False):
        super().__init__(words)
        self.is_told = is_told


def state_of(path):
    """What tells one state of a file from another; None where there is no file."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def read_record(path, before):
    """agxrun's record of the run. `before` is the file's state before the run: what stands there still is of another.

    Raises Unreadable.
    """
    if state_of(path) in (None, before):
        raise Unreadable("left no record of a run (hint: is that agxrun?)", is_told=True)
    try:
        with open(path, encoding="utf-8") as file:
            said = json.load(file)
    except (OSError, ValueError) as error:
        raise Unreadable("the record of the run could not be read: {}".format(error))
    schema = said.get("schema") if isinstance(said, dict) else None
    if schema != SCHEMA:
        raise Unreadable(
            "wrote a record of layout {!r}, of which this package knows {} "
            "(hint: install package and program of one version)".format(schema, SCHEMA)
        )
    return said


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
    record = value_of(found, "--json")
    if record is not None:
        path = os.path.join(str(config.invocation_params.dir), record)
        # It is read afterwards, which neither stdout nor a pipe can be.
        if record == "-" or (os.path.exists(path) and not os.path.isfile(path)):
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
