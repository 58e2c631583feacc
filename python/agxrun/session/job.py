"""Runs a command as a shell runs a job: it has the terminal while it runs in the foreground, and stops and goes on with us."""

import os
import signal
import subprocess
import threading

# What is sent to this process is meant for the command.
_PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)

_STDIN = 0


def run(line, folder, environ):
    """Runs a command to its end and returns its exit code, 128+n for signal n. Signals are passed on to it."""
    # Only the main thread may set handlers, and only in it does Ctrl-C raise anything.
    if threading.current_thread() is not threading.main_thread():
        code = subprocess.call(line, cwd=folder, env=environ)
        return code if code >= 0 else 128 - code
    return _Job(line, folder, environ).run()


class _Job:
    """A command in a process group of its own.

    With ours it would be sent what the terminal's keys send to a group, and then once more what we pass on.
    """

    def __init__(self, line, folder, environ):
        self.start = lambda: subprocess.Popen(line, cwd=folder, env=environ, preexec_fn=self._in_child)
        self.child = None
        self.early = []
        # Whether the terminal is the command's.
        self.handed_over = False

    def run(self):
        # What was to be ignored, as under nohup, still is.
        caught = [number for number in _PASSED_ON if signal.getsignal(number) is not signal.SIG_IGN]
        before = {number: signal.signal(number, self._pass_on) for number in caught}
        before[signal.SIGCONT] = signal.signal(signal.SIGCONT, self._go_on)
        try:
            self.handed_over = _has_terminal()
            self.child = self.start()
            for number in self.early:
                self.child.send_signal(number)
            return self._wait()
        finally:
            self._take_terminal()
            for number, handler in before.items():
                # None: it was set by something else than Python, which cannot be set again from here.
                signal.signal(number, signal.SIG_DFL if handler is None else handler)

    def _in_child(self):
        os.setpgrp()
        if self.handed_over:
            _give_terminal(os.getpgrp())

    def _wait(self):
        while True:
            status = os.waitpid(self.child.pid, os.WUNTRACED)[1]
            if not os.WIFSTOPPED(status):
                break
            self._take_terminal()
            # The shell is to see its job stopped. This returns when it is continued.
            os.kill(0, signal.SIGTSTP)
            # At once, however, where there is no shell that could continue us (POSIX: an orphaned process group is not
            # stopped).
            self._go_on(signal.SIGCONT, None)
        # It was waited for past Popen, which would look for it in vain.
        self.child.returncode = os.WEXITSTATUS(status) if os.WIFEXITED(status) else -os.WTERMSIG(status)
        return self.child.returncode if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)

    def _pass_on(self, number, _frame):
        if self.child:
            self.child.send_signal(number)
        else:
            self.early.append(number)

    def _go_on(self, _number, _frame):
        """We were continued, maybe in the foreground, where we may have been in the background before."""
        if self.child is None or self.child.returncode is not None:
            return
        if _has_terminal():
            self.handed_over = True
            _give_terminal(self.child.pid)
        try:
            os.killpg(self.child.pid, signal.SIGCONT)
        except ProcessLookupError:
            # It has ended in the meantime, and is about to be waited for.
            pass

    def _take_terminal(self):
        if self.handed_over:
            self.handed_over = False
            _give_terminal(os.getpgrp())


def _has_terminal():
    """Whether stdin is our session's terminal, with us in its foreground."""
    try:
        return os.tcgetpgrp(_STDIN) == os.getpgrp()
    except OSError:
        return False


def _give_terminal(group):
    """Puts a group into the terminal's foreground, from the background, too, where that would stop us."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTTOU])
    try:
        os.tcsetpgrp(_STDIN, group)
    except OSError:
        # The terminal is gone, or the group.
        pass
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
