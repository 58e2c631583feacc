"""Sessions that do what sessions should not: what is told still holds, and nothing that did not run counts as passed."""

import errno
import json
import os
import tempfile
import types

import pytest

from agxrun.session import outer

GOOD = "def test_it(): pass\n"


def stand_in(suite, script):
    """A program for AGXRUN: a shell script."""
    path = suite.root / "stand-in"
    path.write_text("#!/bin/sh\n" + script)
    path.chmod(0o755)
    return str(path)


# A shell's words for `RECORD=` the file that --json names, as the plugin gives it.
RECORD = 'while [ "$1" != --json ]; do shift; done\nRECORD=$2\n'


def test_a_program_that_is_no_agxrun_is_no_success(suite):
    suite.write("test_it.py", GOOD)
    done = suite.agxrun(AGXRUN="/bin/true").expect(125)
    assert "`/bin/true` ended with 0, and left no record of a run (hint: is that agxrun?)" in done.err


def test_a_program_that_cannot_be_executed_is_said(suite):
    suite.write("test_it.py", GOOD)
    broken = suite.root / "broken"
    broken.write_bytes(b"\xcf\xfa\xed\xfe\x0c\x00\x00\x01")
    broken.chmod(0o755)
    done = suite.agxrun(AGXRUN=str(broken)).expect(4)
    assert "cannot be started: {}".format(os.strerror(errno.ENOEXEC)) in done.err and "(hint: " in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize("code, expected", [(0, 125), (86, 86)])
@pytest.mark.parametrize("record", ['{"schema": 999}', '{"verdict": {}}', "[]", "3"])
def test_a_record_of_another_version_is_said(suite, code, expected, record):
    suite.write("test_it.py", GOOD)
    program = stand_in(suite, RECORD + "echo '{}' > \"$RECORD\"\nexit {}\n".format(record, code))
    done = suite.agxrun(AGXRUN=program).expect(expected)
    assert "wrote a record of layout" in done.err and "of one version" in done.err
    assert done.section == ""


def test_a_damaged_record_is_said(suite):
    suite.write("test_it.py", GOOD)
    program = stand_in(suite, RECORD + "printf '{\"schema\": 1' > \"$RECORD\"\n")
    assert "could not be read" in suite.agxrun(AGXRUN=program).expect(125).err


def test_an_old_record_is_not_taken_for_this_runs(suite):
    suite.write("test_it.py", "def test_crash(): CRASH\n")
    suite.agxrun("--agxrun-opts=--json kept.json").expect(139)
    done = suite.agxrun("--agxrun-opts=--json kept.json --no-such-option").expect(2)
    assert done.section == ""
    done = suite.agxrun("--agxrun-opts=--json kept.json", AGXRUN="/bin/true").expect(125)
    assert "left no record" in done.err


@pytest.mark.parametrize("place", ["/dev/null", "."])
def test_a_record_must_be_a_file(suite, place):
    suite.write("test_it.py", GOOD)
    assert "--json has to be a file" in suite.agxrun("--agxrun-opts=--json " + place).expect(4).err


def test_a_command_among_the_options_is_refused(suite):
    suite.write("test_it.py", GOOD)
    assert "'true'" in suite.agxrun("--agxrun-opts=true").expect(2).err


def test_a_run_of_something_else_is_no_success(suite):
    suite.write("test_it.py", GOOD)
    program = stand_in(suite, RECORD + "exec '{}' run --json \"$RECORD\" -- true\n".format(os.environ["AGXRUN"]))
    done = suite.agxrun(AGXRUN=program).expect(125)
    assert "`true` ended with 0, and there was no pytest with this plugin in it (hint: " in done.err


def test_a_conftest_that_ends_pytest_with_success_does_not_pass(suite):
    suite.write("test_it.py", "def test_never(): assert 0\n")
    suite.write("conftest.py", "import os\nos._exit(0)\n")
    done = suite.agxrun().expect(1)
    assert "conftest files were being loaded in pytest's process" in done.section
    assert "no crash report tells why" in done.section


@pytest.mark.parametrize(
    "hook, where",
    [
        ("pytest_collection_modifyitems", "no test was running"),
        ("pytest_collectstart", "no test was running"),
        ("pytest_runtest_logfinish", "no test was running"),
        ("pytest_runtest_makereport", "test_it.py::test_it was being set up"),
    ],
)
def test_a_hook_that_ends_pytest_with_success_does_not_pass(suite, hook, where):
    suite.write("test_it.py", GOOD)
    suite.write("conftest.py", "import os\ndef {}(): os._exit(0)\n".format(hook))
    assert where + " in pytest's process" in suite.agxrun().expect(1).section


@pytest.mark.parametrize("hook", ["pytest_unconfigure", "pytest_sessionfinish"])
def test_a_session_that_leaves_in_a_hurry_at_its_end_has_passed(suite, hook):
    suite.write("test_it.py", GOOD)
    suite.write("conftest.py", "import os\ndef {}(): os._exit(0)\n".format(hook))
    assert suite.agxrun().expect(0).section == ""


def test_a_plugin_that_does_something_else_than_testing_has_passed(suite):
    suite.write("conftest.py", "def pytest_cmdline_main(): return 0\n")
    assert suite.agxrun().expect(0).section == ""


def test_tests_that_change_where_they_are_and_what_is_open_are_named(suite):
    suite.write(
        "test_it.py",
        """
        import os
        def test_folder(tmp_path): os.chdir(tmp_path)
        def test_closes():
            os.closerange(3, 256)
        def test_opens_others(tmp_path):
            files = [open(str(tmp_path / str(n)), "w") for n in range(64)]
            for file in files:
                file.close()
            (tmp_path / "kept").write_text("")
            kept = [os.open(str(tmp_path / "kept"), os.O_WRONLY) for n in range(64)]
        def test_kept(tmp_path):
            found = tmp_path.parent / "test_opens_others0" / "kept"
            assert found.read_text() == ""
        def test_crash(): CRASH
        """,
    )
    done = suite.agxrun("-s", TMPDIR=".").expect(139)
    assert "test_it.py::test_crash was running in pytest's process" in done.section
    assert "warning" not in done.section
    done = suite.agxrun("-s", "--deselect=test_it.py::test_crash").expect(0)
    assert "4 passed" in done.out


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_test_that_closes_what_is_printed_to_is_named(suite, number):
    suite.write(
        "test_it.py",
        """
        import os
        def test_closes():
            os.close({})
            CRASH
        """.format(number),
    )
    for capture in ("fd", "no"):
        done = suite.agxrun("--capture=" + capture).expect(139)
        assert "test_it.py::test_closes was running in pytest's process" in done.section


def test_no_temporary_folder_is_said(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    session = outer.Session(["pytest"], [], str(tmp_path), False)
    with pytest.raises(pytest.UsageError, match=r"no temporary folder can be made.*\(hint: "):
        session.run()


def test_the_first_failure_may_be_the_last(suite):
    suite.write("test_it.py", "def test_fails(): assert 0\ndef test_hides(): CRASHING\n")
    assert suite.agxrun("-x").expect(1).section == ""
    suite.write("test_it.py", "def test_hides(): CRASHING\ndef test_fails(): assert 0\n")
    # agxrun's code is the stronger one; pytest's own stands beside it.
    done = suite.agxrun("-x").expect(86)
    assert "test_it.py::test_hides was running in" in done.section
    assert "pytest: exit 1" in done.section


def test_a_crashing_worker_ends_a_session_that_is_to_end_at_the_first_failure(suite):
    suite.write("test_it.py", "def test_crash(): CRASH\n" + "".join("def test_{}(): pass\n".format(n) for n in range(9)))
    done = suite.agxrun("-x", "-n", "2").expect(86)
    assert "test_it.py::test_crash was running in worker gw" in done.section


def test_as_many_workers_as_processors(suite):
    suite.write("test_it.py", "def test_hides(): CRASHING\ndef test_good(): pass\n")
    done = suite.agxrun("-n", "auto", PYTEST_XDIST_AUTO_NUM_WORKERS="3").expect(86)
    assert "2 passed" in done.out
    assert "test_it.py::test_hides was running in worker gw" in done.section


def test_crashes_of_attempts_that_a_plugin_repeats_are_told(suite):
    suite.write(
        "test_it.py",
        """
        import os
        def test_sometimes():
            if not os.path.exists("failed"):
                open("failed", "w").close()
                CRASHING
                assert 0
        """,
    )
    done = suite.agxrun("--reruns", "2").expect(86)
    assert "1 passed, 1 rerun" in done.out
    assert "test_it.py::test_sometimes was running in pytest's process" in done.section


def test_a_worker_that_crashes_is_told_where_its_test_is_repeated_and_passes(suite):
    suite.write(
        "test_it.py",
        """
        import os
        def test_good(): pass
        def test_sometimes():
            if not os.path.exists("crashed"):
                open("crashed", "w").close()
                CRASH
        """,
    )
    done = suite.agxrun("--reruns", "2", "-n", "2").expect(86)
    assert "test_it.py::test_sometimes was running in worker gw" in done.section


def test_an_interrupt_is_pytests_own(suite):
    suite.write("test_it.py", "def test_it(): raise KeyboardInterrupt\n")
    done = suite.agxrun().expect(2)
    assert "KeyboardInterrupt" in done.out and done.section == ""


def test_names_of_tests_may_be_anything(suite):
    suite.write(
        "test_it.py",
        """
        import pytest
        @pytest.mark.parametrize("value", ["a\\n\\x1b[31m\\ud800", "\\u2603", "x" * 300])
        def test_crash(value): CRASH
        """,
    )
    done = suite.agxrun("--forked").expect(86)
    assert done.section.count("was running in a process") == 3
    assert "\x1b" not in done.section
    # Where the outer session's output cannot hold the name, it is told escaped.
    done = suite.agxrun("-k", "2603", LANG="C", PYTHONIOENCODING="ascii").expect(139)
    assert "was running in" in done.section


def test_the_state_of_a_file_tells_runs_apart(tmp_path):
    path = tmp_path / "run.json"
    assert outer.state_of(str(path)) is None
    path.write_text(json.dumps({"schema": 1, "reports": []}))
    before = outer.state_of(str(path))
    with pytest.raises(outer.Unreadable) as raised:
        outer.read_record(str(path), before)
    assert raised.value.is_told
    assert outer.read_record(str(path), None) == {"schema": 1, "reports": []}


def test_options_are_read_without_a_session(tmp_path):
    config = types.SimpleNamespace(
        getini=lambda name: ["--fix", "v2.8"], invocation_params=types.SimpleNamespace(dir=str(tmp_path))
    )
    options = types.SimpleNamespace(agxrun_opts=["--json=a.json", "-v"])
    assert outer.read_options(config, options) == ["--fix", "v2.8", "--json=a.json", "-v"]
    assert outer.value_of(["--json=a.json"], "--json") == "a.json"
    assert outer.value_of(["--json"], "--json") is None
