"""A session under agxrun on a terminal: what is typed arrives where it is meant to."""

import os
import pty
import re


class Typing:
    """A session on a terminal of its own, which it leads."""

    def __init__(self, suite, *arguments):
        command = suite.command("--agxrun", "--agxrun-opts=" + suite.options, *arguments)
        environ = suite.environ(TERM="dumb")
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            try:
                os.chdir(str(suite.folder))
                os.execve(command[0], command, environ)
            finally:
                os._exit(127)
        self.seen = ""

    def until(self, pattern):
        """Reads on until this was printed."""
        while not re.search(pattern, self.seen):
            data = self._read()
            assert data, self.seen
            self.seen += data

    def type(self, text):
        os.write(self.terminal, text.encode())

    def end(self):
        """Reads to the end and returns the exit code."""
        data = self._read()
        while data:
            self.seen += data
            data = self._read()
        status = os.waitpid(self.pid, 0)[1]
        os.close(self.terminal)
        assert os.WIFEXITED(status), self.seen
        return os.WEXITSTATUS(status)

    def _read(self):
        try:
            return os.read(self.terminal, 4096).decode()
        except OSError:
            # Linux's way to say that nobody has the terminal open any more.
            return ""


def test_an_interrupt_is_pytests(suite):
    suite.write(
        "test_it.py",
        """
        import threading
        def test_waits():
            print("waiting")
            threading.Event().wait()
        """,
    )
    session = Typing(suite, "-s")
    session.until("waiting")
    session.type("\x03")
    assert session.end() == 2, session.seen
    assert "! KeyboardInterrupt !" in session.seen and "Traceback" not in session.seen


def test_a_test_may_ask(suite):
    suite.write("test_it.py", "def test_asks(): assert input('what? ') == 'this'\n")
    session = Typing(suite, "-s")
    session.until("what")
    session.type("this\n")
    assert session.end() == 0, session.seen


def test_the_debugger_is_on_the_terminal(suite):
    suite.write("test_it.py", "def test_fails():\n    assert 0\n")
    session = Typing(suite, "--pdb")
    session.until(r"\(Pdb\)")
    session.type("quit\n")
    assert session.end() == 2, session.seen


def test_a_crash_after_an_answer_is_told_on_the_terminal(suite):
    suite.write("test_it.py", "def test_asks():\n    input('what? ')\n    CRASH\n")
    session = Typing(suite, "-s")
    session.until("what")
    session.type("\n")
    assert session.end() == 139, session.seen
    assert "test_it.py::test_asks was running in pytest's process" in session.seen
