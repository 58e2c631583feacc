"""A session under agxrun on a terminal: what is typed arrives where it is meant to."""

import os
import pty
import re
import select
import shlex


class Typing:
    """A session on a terminal of its own, which it leads."""

    def __init__(self, suite, command):
        environ = suite.environ(TERM="dumb", PS1="$ ")
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            try:
                os.chdir(str(suite.folder))
                os.execvpe(command[0], command, environ)
            finally:
                os._exit(127)
        self.seen = ""

    def until(self, pattern):
        """Reads on until this was printed."""
        while not re.search(pattern, self.seen):
            data = self._read()
            assert data, self.seen
            self.seen += data

    def until_anew(self, pattern):
        """The same, printed from now on."""
        self.seen = ""
        self.until(pattern)

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
        if not select.select([self.terminal], [], [], 60)[0]:
            raise AssertionError("nothing more is printed after: " + self.seen)
        try:
            return os.read(self.terminal, 4096).decode()
        except OSError:
            # Linux's way to say that nobody has the terminal open any more.
            return ""


def session_of(suite, *arguments):
    """pytest itself on the terminal."""
    return Typing(suite, suite.command("--agxrun", "--agxrun-opts=" + suite.options, *arguments))


def test_an_interrupt_comes_once_and_is_pytests(suite):
    suite.write(
        "test_it.py",
        """
        import signal, threading
        def test_counts():
            came = []
            signal.signal(signal.SIGINT, lambda *_: came.append(1))
            print("counting")
            input()
            assert len(came) == 1
            signal.signal(signal.SIGINT, signal.default_int_handler)
            print("waiting")
            threading.Event().wait()
        """,
    )
    session = session_of(suite, "-s")
    session.until("counting")
    session.type("\x03")
    session.type("\n")
    session.until("waiting|failed")
    session.type("\x03")
    assert session.end() == 2, session.seen
    assert "! KeyboardInterrupt !" in session.seen and "Traceback" not in session.seen


def test_a_shell_stops_it_and_lets_it_go_on_in_either_ground(suite):
    pipe = str(suite.folder / "pipe")
    os.mkfifo(pipe)
    suite.write(
        "test_it.py",
        """
        def test_waits():
            print("waiting")
            with open({!r}) as pipe:
                assert pipe.read() == "on"
            assert input("what? ") == "this"
        """.format(pipe),
    )
    line = " ".join(shlex.quote(word) for word in suite.command("--agxrun", "--agxrun-opts=" + suite.options, "-s", "-q"))
    shell = Typing(suite, ["bash", "--norc", "--noprofile", "-i"])
    shell.type(line + "\n")
    shell.until(r"\nwaiting")
    shell.type("\x1a")
    shell.until_anew("Stopped")
    # In the background it goes on until it asks, and is stopped for that, which ends `wait`.
    shell.type("bg\nwait\n")
    with open(pipe, "w") as opened:
        opened.write("on")
    shell.until_anew("Stopped")
    shell.type("fg\n")
    shell.until_anew("--agxrun")
    shell.type("this\n")
    shell.until_anew("1 passed")
    shell.until_anew(r"\$ ")
    shell.type("exit $?\n")
    assert shell.end() == 0, shell.seen


def test_without_a_shell_there_is_nobody_to_stop_it_for(suite):
    suite.write("test_it.py", "def test_asks(): assert input('what? ') == 'this'\n")
    session = session_of(suite, "-s")
    session.until("what")
    session.type("\x1a")
    session.type("this\n")
    assert session.end() == 0, session.seen


def test_a_test_may_ask(suite):
    suite.write("test_it.py", "def test_asks(): assert input('what? ') == 'this'\n")
    session = session_of(suite, "-s")
    session.until("what")
    session.type("this\n")
    assert session.end() == 0, session.seen


def test_the_debugger_is_on_the_terminal(suite):
    suite.write("test_it.py", "def test_fails():\n    assert 0\n")
    session = session_of(suite, "--pdb")
    session.until(r"\(Pdb\)")
    session.type("quit\n")
    assert session.end() == 2, session.seen


def test_a_crash_after_an_answer_is_told_on_the_terminal(suite):
    suite.write("test_it.py", "def test_asks():\n    input('what? ')\n    CRASH\n")
    session = session_of(suite, "-s")
    session.until("what")
    session.type("\n")
    assert session.end() == 139, session.seen
    assert "test_it.py::test_asks was running in pytest's process" in session.seen
