"""When a session is run under agxrun, with what, and what is said where it cannot be."""

import os
import re
import signal
import subprocess
import sys

import pytest

GOOD = "def test_it(): pass\n"


def test_it_is_not_run_under_agxrun_unless_asked(suite):
    program, mark = suite.agxrun_that_must_not_run()
    suite.write("test_it.py", GOOD)
    suite.pytest(AGXRUN=program).expect(0)
    assert not mark.exists()


@pytest.mark.parametrize("option", ["--collect-only", "--help", "--version", "--markers", "--fixtures", "--setup-plan"])
def test_what_runs_no_test_is_not_run_under_agxrun(suite, option):
    program, mark = suite.agxrun_that_must_not_run()
    suite.write("test_it.py", GOOD)
    suite.agxrun(option, AGXRUN=program).expect(0)
    assert not mark.exists()


def test_the_configuration_may_ask_for_it_and_the_command_line_decides(suite):
    suite.write("test_it.py", "import agxrun\ndef test_it(): assert agxrun.active()\n")
    suite.write(
        "pytest.ini", "[pytest]\nagxrun = true\nagxrun_opts = --archive '{}'\n".format(suite.root / "archive")
    )
    suite.pytest().expect(0)
    suite.pytest("--no-agxrun").expect(1)
    suite.pytest("-p", "no:agxrun").expect(1)


def test_options_of_the_configuration_come_before_those_of_the_command_line(suite):
    suite.write("test_it.py", "import agxrun\ndef test_it(): assert agxrun.status()['policy'] == 'v2.8'\n")
    (suite.folder / "pytest.ini").unlink()
    suite.write(
        "pyproject.toml",
        "[tool.pytest.ini_options]\nagxrun = true\nagxrun_opts = [\"--archive\", '{}']\n".format(suite.root / "archive"),
    )
    suite.pytest("--agxrun-opts=--fix v2.8").expect(0)
    suite.pytest("--agxrun-opts=--fix v2.8", "--agxrun-opts=--allow-uninjected -v").expect(0)


def test_the_record_may_be_kept(suite):
    suite.write("test_it.py", GOOD)
    suite.agxrun("--agxrun-opts=--json kept.json").expect(0)
    assert suite.record("kept.json")["verdict"]["exit_code"] == 0


def test_the_arguments_arrive_as_they_were_given(suite):
    suite.write("test_it.py", "def test_a(): pass\ndef test_b(): assert 0\ndef test_c(): pass\n")
    done = suite.agxrun("-k", "test_a or test_c", "-v").expect(0)
    assert "2 passed, 1 deselected" in done.out
    suite.agxrun("test_it.py::test_b").expect(1)
    suite.agxrun(PYTEST_ADDOPTS="-k test_a").expect(0)


def test_conftest_files_are_loaded_once_and_their_options_are_known(suite):
    suite.write(
        "conftest.py",
        """
        with open("loaded", "a") as file:
            file.write("x")
        def pytest_addoption(parser):
            parser.addoption("--size", type=int)
        """,
    )
    suite.write("test_it.py", "def test_it(request): assert request.config.getoption('--size') == 3\n")
    suite.agxrun("--size", "3").expect(0)
    assert (suite.folder / "loaded").read_text() == "x"


def test_a_plugin_that_a_conftest_file_brings_works_as_well(suite):
    suite.write("conftest.py", "pytest_plugins = 'agxrun.pytest_plugin'\n")
    suite.write("test_it.py", "def test_crash(): CRASH\n")
    suite.write(
        "pytest.ini",
        "[pytest]\naddopts = -p no:agxrun\nagxrun = true\nagxrun_opts = --archive '{}'\n".format(suite.root / "archive"),
    )
    assert "test_it.py::test_crash was running in" in suite.pytest().expect(139).section


def test_it_is_started_again_as_it_was_started(suite):
    suite.write("test_it.py", "import sys\ndef test_it(): print([sys.path[0], sys.flags.dev_mode, sys.argv[0]])\n")
    script = os.path.join(os.path.dirname(sys.executable), "pytest")
    for start in ([script], [sys.executable, "-m", "pytest"], [sys.executable, "-X", "dev", "-m", "pytest"]):
        plain = start + ["-p", "no:cacheprovider", "-s", "--import-mode=importlib"]
        said = [
            re.search(r"\[.*\]", suite.start(command).expect(0).out.split("test_it.py")[-1]).group()
            for command in (plain, plain + ["--agxrun", "--agxrun-opts=" + suite.options])
        ]
        assert said[0] == said[1]


def test_other_plugins_may_be_missing(suite):
    suite.write("test_it.py", "def test_crash(): CRASH\n")
    done = suite.agxrun("-p", "no:terminal", "-p", "no:xdist", "-p", "no:forked", "-p", "no:faulthandler").expect(139)
    assert "test_it.py::test_crash was running in" in done.section


def test_colours_are_pytests_choice(suite):
    suite.write("test_it.py", "def test_crash(): CRASH\n")
    assert "\x1b[" not in suite.agxrun().expect(139).out
    assert "\x1b[31m" in suite.agxrun("--color=yes").expect(139).out


@pytest.mark.parametrize("place", [None, "/nonexistent/agxrun"])
def test_a_missing_agxrun_is_said_with_what_to_do(suite, place):
    suite.write("test_it.py", GOOD)
    # No folder of programs but the interpreter's own, which has none by that name.
    done = suite.agxrun(AGXRUN=place, PATH=str(suite.root)).expect(4)
    assert "AGXRUN" in done.err and "(hint: " in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    "options, words",
    [
        ("--env 'A=1", "No closing quotation"),
        ("-v -- true", "the command, which is pytest"),
        ("--json -", "--json has to be a file"),
    ],
)
def test_wrong_options_are_refused_with_what_to_do(suite, options, words):
    suite.write("test_it.py", GOOD)
    done = suite.agxrun("--agxrun-opts=" + options).expect(4)
    assert words in done.err and "(hint: " in done.err


def test_what_agxrun_refuses_ends_the_session_with_its_code(suite):
    suite.write("test_it.py", GOOD)
    done = suite.agxrun("--agxrun-opts=--no-such-option").expect(2)
    assert "--no-such-option" in done.err
    assert done.section == ""


def test_plugin_objects_cannot_come_along_and_that_is_said(suite):
    suite.write("test_it.py", GOOD)
    program = "import pytest, sys; sys.exit(pytest.main(['--agxrun'], plugins=[object()]))"
    done = suite.start([sys.executable, "-c", program]).expect(4)
    assert "agxrun -- " in done.err


def test_pytest_main_returns_the_code(suite):
    suite.write("test_it.py", "def test_hides(): CRASHING\n")
    program = "import pytest, sys; print('returned', int(pytest.main(sys.argv[1:])))"
    done = suite.start([sys.executable, "-c", program, "--agxrun", "--agxrun-opts=" + suite.options]).expect(0)
    assert "returned 86" in done.out


@pytest.mark.parametrize("number, code", [(signal.SIGINT, 2), (signal.SIGTERM, 143)])
def test_a_signal_to_the_outer_session_ends_the_inner_one(suite, number, code):
    pipe = str(suite.folder / "pipe")
    os.mkfifo(pipe)
    suite.write(
        "test_it.py",
        """
        import threading
        def test_waits():
            with open({!r}, "w") as pipe:
                pipe.write("here")
            threading.Event().wait()
        """.format(pipe),
    )
    outer = subprocess.Popen(
        suite.command("--agxrun", "--agxrun-opts=" + suite.options),
        cwd=str(suite.folder),
        env=suite.environ(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    with open(pipe) as opened:
        assert opened.read() == "here"
    outer.send_signal(number)
    out = outer.communicate(timeout=60)[0].decode()
    assert outer.returncode == code, out
    if number == signal.SIGTERM:
        assert "test_it.py::test_waits was running in pytest's process" in out


def test_a_crash_whose_retry_passes_is_told_and_fails_unless_it_may(suite):
    suite.write(
        "test_it.py",
        """
        import os
        def test_sometimes():
            if not os.path.exists("crashed"):
                open("crashed", "w").close()
                CRASH
        """,
    )
    assert "test_it.py::test_sometimes was running in" in suite.agxrun("--agxrun-opts=--retries 2").expect(139).section
    (suite.folder / "crashed").unlink()
    assert suite.agxrun("--agxrun-opts=--retries 2 --allow-flaky").expect(0).section == ""


def test_nothing_is_left_behind(suite):
    suite.write("test_it.py", "def test_crash(): CRASH\n")
    temporary = suite.root / "tmp"
    temporary.mkdir()
    suite.agxrun(TMPDIR=str(temporary)).expect(139)
    assert list(temporary.iterdir()) == []
