"""What each process of a session was at, in a file that outlives it.

A process has a file of its own, `PID-NANOSECONDS.jsonl`: a head, then a line for each thing that it began. A line is
one `write`, so that what was noted is in the file however the process ends.

    {"pid": 4242, "parent": 4240, "worker": "gw1", "forked": false, "at": 1767000000.25}
    {"at": 1767000000.5, "phase": "call", "test": "test_gpu.py::test_many"}

`at` is in seconds since 1970. Phases: conftest (loading conftest files), ready (loaded), collect (`test` is the file),
setup, call, teardown, between (of two tests), finish, exit.
"""

import collections
import json
import os
import sys
import time

from .names import RUNNING, UNFINISHED

Entry = collections.namedtuple("Entry", "at phase test")
Entry.__doc__ = "What a process began, and when: phase, and node id or None."


class Journal:
    """Writes the file of this process, and of each one that it forks."""

    def __init__(self, folder, worker=None):
        """`worker` is the xdist worker's name, None outside of one. An error in writing is told on stderr, once, and fails no test."""
        self._folder = folder
        self._worker = worker
        self._file = self._path = self._identity = None
        # What was noted last: phase and test, or None.
        self.last = None
        self._broken = False
        self._begin(forked=False)
        os.register_at_fork(after_in_child=self._in_child)

    def note(self, phase, test=None):
        """From now on this process is at `phase` of `test`."""
        self.last = (phase, test)
        self._write({"at": time.time(), "phase": phase, "test": test})

    def _in_child(self):
        # The parent's file is the parent's alone.
        if self._is_open():
            os.close(self._file)
        self._begin(forked=True)
        if self.last is not None:
            self.note(*self.last)

    def _begin(self, forked):
        pid = os.getpid()
        self._path = os.path.join(self._folder, "{}-{}.jsonl".format(pid, time.time_ns()))
        self._open(os.O_CREAT | os.O_EXCL)
        self._write({"pid": pid, "parent": os.getppid(), "worker": self._worker, "forked": forked, "at": time.time()})

    def _open(self, flags):
        try:
            self._file = os.open(self._path, flags | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC, 0o600)
            self._identity = _identity(self._file)
        except OSError as error:
            self._file = None
            self._tell(error)

    def _is_open(self):
        """Whether the descriptor is still the file's: a test that closes all descriptors may have opened another file by that number."""
        try:
            return self._file is not None and _identity(self._file) == self._identity
        except OSError:
            return False

    def _write(self, line):
        if self._file is None:
            return
        if not self._is_open():
            self._open(0)
            if self._file is None:
                return
        data = json.dumps(line).encode() + b"\n"
        try:
            written = os.write(self._file, data)
        except OSError as error:
            self._tell(error)
            return
        if written != len(data):
            self._tell("no space left")

    def _tell(self, error):
        if not self._broken:
            self._broken = True
            print("agxrun: cannot note which test runs: {}".format(error), file=sys.stderr)


def _identity(file):
    found = os.fstat(file)
    return found.st_dev, found.st_ino


class Process:
    """What a process noted."""

    def __init__(self, pid, parent, worker, forked, began, entries):
        self.pid = pid
        self.parent = parent
        self.worker = worker
        self.forked = forked
        self.began = began
        self.entries = entries

    def at(self, moment):
        """What it was at then, in seconds since 1970, or at its end where `moment` is None; None where it had noted nothing."""
        found = None
        for entry in self.entries:
            if moment is not None and entry.at > moment:
                break
            found = entry
        return found

    def died_in(self):
        """The entry in which it ended, where that is one of running: it never came to its next. None where it came through.

        A forked process whose test did not go on in it has no such entry: that it ended there is what it was made for.
        """
        own = self.entries[1:] if self.forked else self.entries
        return own[-1] if own and own[-1].phase in RUNNING else None

    def stopped_in(self):
        """The entry after which a session's own process had more to do, and did not; None where it came through."""
        return self.entries[-1] if self.entries and self.entries[-1].phase in UNFINISHED else None


def read(folder):
    """The processes in a folder of journals, oldest first, and what could not be read, as sentences."""
    processes, problems = [], []
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                lines = file.read().splitlines()
            processes.append(_process(lines))
        except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
            problems.append("the journal {} could not be read: {}".format(path, error))
    processes.sort(key=lambda process: process.began)
    return processes, problems


def _process(lines):
    head = json.loads(lines[0])
    entries = []
    for number, line in enumerate(lines[1:], 2):
        try:
            said = json.loads(line)
        except ValueError:
            # What a full disk cut off.
            if number == len(lines):
                break
            raise
        entries.append(Entry(said["at"], said["phase"], said["test"]))
    return Process(head["pid"], head["parent"], head["worker"], head["forked"], head["at"], entries)
