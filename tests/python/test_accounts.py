"""Journals, and who is named for a death: without processes."""

import datetime
import json
import os

import pytest

from agxrun.session import account, words
from agxrun.session.account import Launch
from agxrun.session.journal import Entry, Journal, Process, read


def process(pid, entries, parent=1, worker=None, forked=False, began=0.0):
    return Process(pid, parent, worker, forked, began, [Entry(*entry) for entry in entries])


def report(pid, **more):
    return dict({"pid": pid, "weight": "counts", "process": "python3", "path": "/r/{}.ips".format(pid)}, **more)


def launches(**known):
    """What the reports of pids say: p1=Launch(...)."""
    return lambda path: known.get("p" + os.path.basename(path)[:-4], Launch(None, None, None))


RUNNING = [(1.0, "setup", "t::a"), (2.0, "call", "t::a"), (3.0, "between", None), (4.0, "call", "t::b")]


def test_what_is_written_is_read(tmp_path):
    journal = Journal(str(tmp_path), "gw3")
    journal.note("call", "a\n::b[\u2603]")
    journal.note("between")
    (found,), problems = read(str(tmp_path))
    assert (found.pid, found.worker, found.forked, problems) == (os.getpid(), "gw3", False, [])
    assert [entry[1:] for entry in found.entries] == [("call", "a\n::b[\u2603]"), ("between", None)]


def test_a_cut_last_line_is_no_problem_and_a_damaged_file_is_one(tmp_path):
    journal = Journal(str(tmp_path))
    journal.note("call", "a::b")
    (path,) = tmp_path.iterdir()
    path.write_text(path.read_text() + '{"at": 1')
    (tmp_path / "1-1.jsonl").write_text("")
    (tmp_path / "2-1.jsonl").write_text('{"pid": 1}\n')
    (found,), problems = read(str(tmp_path))
    assert [entry.test for entry in found.entries] == ["a::b"]
    assert len(problems) == 2 and all("could not be read" in problem for problem in problems)


def test_a_forked_process_writes_a_file_of_its_own(tmp_path):
    journal = Journal(str(tmp_path))
    journal.note("call", "a::b")
    child = os.fork()
    if child == 0:
        journal.note("call", "in::child")
        os._exit(0)
    os.waitpid(child, 0)
    mine, its = read(str(tmp_path))[0]
    assert [entry.test for entry in mine.entries] == ["a::b"]
    assert (its.pid, its.parent, its.forked) == (child, os.getpid(), True)
    assert [entry.test for entry in its.entries] == ["a::b", "in::child"]


def test_what_has_the_number_of_a_closed_journal_is_not_written_to(tmp_path):
    (tmp_path / "journals").mkdir()
    journal = Journal(str(tmp_path / "journals"))
    journal.note("call", "a::b")
    os.close(journal._file)
    other = os.open(str(tmp_path / "other"), os.O_WRONLY | os.O_CREAT)
    if other != journal._file:
        os.dup2(other, journal._file)
    journal.note("call", "a::c")
    (found,), problems = read(str(tmp_path / "journals"))
    assert ([entry.test for entry in found.entries], problems) == (["a::b", "a::c"], [])
    assert (tmp_path / "other").read_text() == ""


def test_a_folder_that_cannot_be_written_is_told_once_and_fails_nothing(tmp_path, capsys):
    journal = Journal(str(tmp_path / "missing"))
    journal.note("call", "a::b")
    journal.note("between")
    assert capsys.readouterr().err.count("cannot note which test runs") == 1


@pytest.mark.parametrize("moment, phase", [(0.5, None), (1.0, "setup"), (3.5, "between"), (9.0, "call"), (None, "call")])
def test_what_a_process_was_at_then(moment, phase):
    entry = process(5, RUNNING).at(moment)
    assert (entry and entry.phase) == phase


def test_a_report_is_matched_with_its_process_at_the_time_of_the_crash():
    (death,) = account.deaths({"reports": [report(5)]}, [process(5, RUNNING)], launches(p5=Launch(1, 0.5, 2.5)))
    assert (death.pid, death.relation, death.entry.test, death.entry.phase) == (5, "self", "t::a", "call")


def test_of_processes_with_one_id_the_one_of_that_time_is_meant():
    first, second = process(5, RUNNING), process(5, [(11.0, "call", "t::c")], began=10.0)
    (death,) = account.deaths({"reports": [report(5)]}, [first, second], launches(p5=Launch(1, 0.5, 2.5)))
    # The second has an entry of running at its end, but its id was told already.
    assert death.entry.test == "t::a"


def test_a_child_is_matched_with_what_its_parent_was_at_when_it_was_started():
    parents = [process(5, RUNNING, worker="gw1"), process(6, [(0.0, "call", "t::z")])]
    (death, _, _) = account.deaths({"reports": [report(9)]}, parents, launches(p9=Launch(5, 2.5, 4.5)))
    assert (death.process.worker, death.relation, death.entry.test) == ("gw1", "descendant", "t::a")


def test_a_launch_that_seems_a_tick_too_early_is_of_the_test_that_made_it():
    parents = [process(5, [(1.0, "setup", "t::a"), (2.0, "call", "t::a"), (5.0, "finish", None)])]
    (death,) = account.deaths({"reports": [report(9)]}, parents, launches(p9=Launch(5, 1.993, 2.1)))
    assert death.entry.phase == "call"


def test_ledgers_bridge_generations():
    record = {"reports": [report(9)], "processes": [{"pid": 8, "parent": 7}, {"pid": 7, "parent": 5}]}
    done = process(5, RUNNING + [(5.0, "finish", None)])
    (death,) = account.deaths(record, [done], launches(p9=Launch(8, 4.2, 4.5)))
    assert (death.relation, death.entry.test) == ("descendant", "t::b")


def test_a_circle_of_parents_ends():
    record = {"reports": [report(9)], "processes": [{"pid": 8, "parent": 7}, {"pid": 7, "parent": 8}]}
    (death,) = account.deaths(record, [], launches(p9=Launch(8, None, None)))
    assert death.process is None


def test_for_a_process_without_known_parents_what_ran_then_is_said():
    processes = [process(5, RUNNING + [(5.0, "finish", None)]), process(6, [(0.0, "between", None)])]
    (death,) = account.deaths({"reports": [report(9)]}, processes, launches(p9=Launch(1, 2.5, 3.5)))
    assert (death.process, [entry.test for _, entry in death.nearby]) == (None, ["t::a"])
    assert "at its start ran: t::a" in words.sentence(death)


def test_reports_that_do_not_count_are_not_told():
    for weight in ("out_of_scope", "no_crash", "innocent_victim", "insertion_refused"):
        assert account.deaths({"reports": [report(9, weight=weight)]}, [], launches()) == []


def test_a_process_that_stopped_in_the_middle_of_a_test_died():
    (death,) = account.deaths({}, [process(5, RUNNING), process(6, [(1.0, "exit", None)])], launches())
    assert (death.pid, death.report, death.entry.test) == (5, None, "t::b")


@pytest.mark.parametrize(
    "phase, dies", [("conftest", True), ("ready", False), ("between", True), ("call", True), ("finish", False), ("exit", False)]
)
def test_a_session_that_ended_with_success_must_have_come_through(phase, dies):
    session, worker = process(5, [(1.0, phase, None)]), process(6, [(1.0, "between", None)], worker="gw0")
    record = {"pid": 5, "ending": {"code": 0}}
    found = [death.pid for death in account.deaths(record, [session, worker], launches())]
    assert found == ([5] if dies else [])
    # Where it said that it had failed there is nothing to add.
    record["ending"] = {"code": 4}
    assert account.deaths(record, [worker], launches()) == []


@pytest.mark.parametrize("started", ["1970-01-01T00:00:10Z", "1970-01-01T01:00:09.999999999+01:00"])
def test_of_several_attempts_only_the_one_of_the_record_is_told(started):
    attempts = [process(pid, [(began, "call", "t::a")], began=began) for pid, began in ((5, 1.0), (6, 11.0), (7, 21.0))]
    (death,) = account.deaths({"started": started, "duration": 5.0}, attempts, launches())
    assert death.pid == 6
    assert len(account.deaths({"started": "soon", "duration": 5.0}, attempts, launches())) == 3


def test_a_report_gives_its_times_with_their_zones(tmp_path):
    path = tmp_path / "a.ips"
    body = {"pid": 4, "parentPid": 3, "procLaunch": "2026-01-02 12:00:00.5000 +0100", "captureTime": "2026-01-02 11:00:01 +0000"}
    path.write_text('{"bug_type": "309"}\n' + json.dumps(body, indent=1))
    began = datetime.datetime(2026, 1, 2, 11, tzinfo=datetime.timezone.utc).timestamp()
    assert account.launch_of(str(path)) == Launch(3, began + 0.5, began + 1)
    for text in ("", "{}\n[]", "{}\nno json", '{}\n{"parentPid": "x", "procLaunch": 5, "captureTime": "soon"}'):
        path.write_text(text)
        assert account.launch_of(str(path)) == Launch(None, None, None)
    assert account.launch_of(str(tmp_path / "missing")) == Launch(None, None, None)


def test_names_are_printed_without_acting_on_the_terminal():
    death = account.deaths({"reports": [report(5, process="a\x1b[2Jb")]}, [process(5, [(1.0, "call", "t\r::\x07")])], launches())[0]
    text = words.page({"verdict": {"exit_code": 86, "applied": []}, "ending": {"code": 0}}, [death], ["p\x1b"], 80, False)
    assert "t\\r::\\x07 was running" in text and "warning: p\\x1b" in text
    assert all(c.isprintable() or c == "\n" for c in text)


def test_meaning_remedy_and_file_are_told():
    diagnosis = {"id": "x_y", "title": "What", "meaning": "Why.", "remedy": "Do."}
    told = report(5, exception="EXC (SIG)", fault_address="0x8", diagnosis=diagnosis, archived="/a/5.ips", error=None)
    (death,) = account.deaths({"reports": [told]}, [process(5, RUNNING)], launches())
    assert words.cause(death) == "EXC (SIG) at 0x8: What [x_y]"
    assert words.details(death) == ["meaning: Why.", "to do:   Do.", "report:  /a/5.ips"]
    unread = report(5, error="not JSON")
    (death,) = account.deaths({"reports": [unread]}, [process(5, RUNNING)], launches())
    assert words.details(death) == ["not read: not JSON", "report:  /r/5.ips"]
