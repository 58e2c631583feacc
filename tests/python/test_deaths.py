"""A process dies in a session under agxrun: the test that was running is named, and the session fails."""

import re


def test_a_suite_without_a_crash_is_run_with_the_fix_and_nothing_is_added(suite):
    suite.write("test_it.py", "def test_fix():\n    import agxrun\n    assert agxrun.active()\n")
    done = suite.agxrun().expect(0)
    assert "1 passed" in done.out
    assert done.section == ""


def test_a_failure_without_a_crash_is_pytests_own(suite):
    suite.write("test_it.py", "def test_it():\n    assert 1 == 2\n")
    done = suite.agxrun().expect(1)
    assert done.section == ""


def test_a_crashing_test_is_named(suite):
    suite.write("test_it.py", "def test_before(): pass\ndef test_crash(): CRASH\ndef test_after(): pass\n")
    done = suite.agxrun().expect(139)
    assert re.search(r"^test_it.py::test_crash was running in pytest's process \(pid \d+\) when it died$", done.section, re.M)
    assert "EXC_BAD_ACCESS (SIGSEGV) at 0x0 in " in done.section
    assert re.search(r"report:  {}/.*\.ips$".format(suite.root / "archive"), done.section, re.M)
    assert "CRASHED test_it.py::test_crash - EXC_BAD_ACCESS" in done.section
    assert "agxrun: 1 process died; exit 139 (signal, new reports), pytest: ended by SIGSEGV" in done.section


def test_set_up_and_tear_down_are_told_apart_from_the_test(suite):
    suite.write(
        "test_it.py",
        """
        import pytest
        @pytest.fixture
        def before(): CRASH
        @pytest.fixture
        def after():
            yield
            CRASH
        def test_before(before): pass
        def test_after(after): pass
        """,
    )
    assert "test_it.py::test_before was being set up in" in suite.agxrun("-k", "before").expect(139).section
    assert "test_it.py::test_after was being torn down in" in suite.agxrun("-k", "after").expect(139).section


def test_a_crash_before_any_test_names_the_file(suite):
    suite.write("test_it.py", "CRASH\n")
    assert "test_it.py was being collected in pytest's process" in suite.agxrun().expect(139).section
    suite.write("conftest.py", "CRASH\n")
    done = suite.agxrun().expect(139)
    assert "conftest files were being loaded in pytest's process" in done.section
    assert re.search(r"^CRASHED \S+ \(pid \d+\) - ", done.section, re.M)


def test_a_crash_after_the_last_test_is_of_none(suite):
    suite.write("test_it.py", "import atexit\ndef test_it():\n    atexit.register(lambda: CRASH)\n")
    assert "Python was about to end in pytest's process" in suite.agxrun().expect(139).section
    suite.write("test_it.py", "def test_it(): pass\n")
    suite.write("conftest.py", "def pytest_sessionfinish(): CRASH\n")
    assert "the session was finishing in pytest's process" in suite.agxrun().expect(139).section


def test_a_hidden_crash_of_a_child_fails_a_session_that_pytest_calls_good(suite):
    suite.write("test_it.py", "def test_before(): pass\ndef test_hides(): CRASHING\ndef test_after(): pass\n")
    done = suite.agxrun().expect(86)
    assert "3 passed" in done.out
    assert re.search(
        r"test_it.py::test_hides was running in pytest's process \(pid \d+\) when it started \S+ \(pid \d+\), which died",
        done.section,
    )
    assert "exit 86 (new reports, target), pytest: exit 0" in done.section


def test_a_crash_of_a_grandchild_names_the_test_too(suite):
    suite.write(
        "test_it.py",
        """
        import subprocess, sys
        def test_hides():
            child = 'import subprocess, sys; subprocess.run([sys.executable, "-c", "import ctypes; ctypes.string_at(0)"])'
            subprocess.run([sys.executable, "-c", child])
        """,
    )
    assert "test_it.py::test_hides was running in pytest's process" in suite.agxrun().expect(86).section


def test_a_process_that_a_test_forks_is_named_after_it(suite):
    suite.write(
        "test_it.py",
        """
        import os
        def test_forks():
            child = os.fork()
            if child == 0:
                CRASH
            assert os.WTERMSIG(os.waitpid(child, 0)[1]) == 11
        """,
    )
    done = suite.agxrun().expect(86)
    assert "1 passed" in done.out
    assert re.search(r"test_it.py::test_forks was running in a process \(pid \d+\) forked by pytest's process", done.section)


def test_forked_processes_that_end_well_are_no_deaths(suite):
    suite.write(
        "test_it.py",
        """
        import multiprocessing, os
        def test_forks():
            child = os.fork()
            if child == 0:
                os._exit(0)
            os.waitpid(child, 0)
            process = multiprocessing.get_context("fork").Process(target=len, args=("",))
            process.start()
            process.join()
        """,
    )
    assert suite.agxrun().expect(0).section == ""


def test_of_four_workers_the_one_that_died_is_named(suite):
    for number in range(8):
        suite.write("test_{}.py".format(number), "def test_good(): pass\ndef test_other(): pass\n")
    suite.write("test_bad.py", "def test_crash(): CRASH\ndef test_hides(): CRASHING\n")
    done = suite.agxrun("-n", "4").expect(86)
    assert "1 failed, 17 passed" in done.out
    died = re.search(r"worker '(gw\d)' crashed while running 'test_bad.py::test_crash'", done.out).group(1)
    assert re.search(r"test_bad.py::test_crash was running in worker {} \(pid \d+\) when it died".format(died), done.section)
    assert re.search(r"test_bad.py::test_hides was running in worker gw\d \(pid \d+\) when it started", done.section)
    assert "agxrun: 2 processes died; exit 86" in done.section


def test_each_forked_test_is_a_process_of_its_own(suite):
    suite.write("test_it.py", "def test_good(): pass\ndef test_crash(): CRASH\ndef test_hides(): CRASHING\n")
    for arguments, owner in (([], "pytest's process"), (["-n", "2"], r"worker gw\d")):
        done = suite.agxrun("--forked", *arguments).expect(86)
        assert "1 failed, 2 passed" in done.out
        assert re.search(r"::test_crash was running in a process \(pid \d+\) forked by {} when it died".format(owner), done.section)
        assert re.search(r"::test_hides was running in a process \(pid \d+\) forked by {} when it started".format(owner), done.section)


def test_a_test_that_ends_pytest_with_success_does_not_pass(suite):
    suite.write("test_it.py", "import os\ndef test_ends(): os._exit(0)\ndef test_never(): assert 0\n")
    done = suite.agxrun().expect(1)
    assert "test_it.py::test_ends was running in pytest's process" in done.section
    assert "no crash report tells why" in done.section


def test_a_suite_that_runs_pytest_is_told_by_its_own_tests(suite):
    suite.write("conftest.py", "pytest_plugins = 'pytester'\n")
    suite.write(
        "test_it.py",
        """
        def test_nested(pytester):
            pytester.makepyfile("def test_inside(): pass")
            pytester.runpytest_inprocess().assert_outcomes(passed=1)
            CRASH
        """,
    )
    assert "test_it.py::test_nested was running in" in suite.agxrun().expect(139).section


def test_a_report_of_something_else_does_not_fail_the_session(suite):
    suite.write(
        "test_it.py",
        """
        import os, shutil
        def test_it():
            shutil.copy({!r}, os.environ["AGXRUN_REPORTS_DIR"])
        """.format(_old_report()),
    )
    done = suite.agxrun().expect(0)
    assert done.section == ""
    assert "belongs to no process of the tree" in done.err


def _old_report():
    import os

    return os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "data", "reports", "001_Python.ips")
