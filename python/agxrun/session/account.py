"""Who died, and which test was running: agxrun's record of the run, its reports, and the journals put together.

Pure but for reading the reports.
"""

import collections
import datetime
import json
import re

from .names import RUNNING

# The furthest ancestor that is looked at.
_GENERATIONS = 64

# A time of launch may be this much too early, in seconds: Linux counts it in ticks, of which it has 100 a second
# (proc(5), starttime).
_TICK = 0.01

Launch = collections.namedtuple("Launch", "parent launched crashed")
Launch.__doc__ = "What a report says of its process: the parent's pid, and the times of launch and crash in seconds since 1970; None each."

Death = collections.namedtuple("Death", "pid report process entry relation nearby")
Death.__doc__ = """A process that died.

report: agxrun's entry of its crash report, None where there is none.
process: the journal that tells, None where none does. entry: what that process was at.
relation: "self", or how the dead process stands to the one of the journal: "forked", "descendant"; None without a
journal.
nearby: entries of tests that ran elsewhere at that time, as (process, entry), where no journal of its own or of an
ancestor tells.
"""


def launch_of(path):
    """What a report in Apple's .ips form says of its process's launch; all None where it cannot be read or is no such report."""
    nothing = Launch(None, None, None)
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            # The first line is a head of its own.
            file.readline()
            body = json.loads(file.read())
    except (OSError, ValueError):
        return nothing
    if not isinstance(body, dict):
        return nothing
    parent = body.get("parentPid")
    return Launch(
        parent if isinstance(parent, int) else None, _time(body.get("procLaunch")), _time(body.get("captureTime"))
    )


def _time(text):
    """A report's time, such as `2026-01-02 12:34:56.1234 +0100`, in seconds since 1970."""
    for form in ("%Y-%m-%d %H:%M:%S.%f %z", "%Y-%m-%d %H:%M:%S %z"):
        try:
            return datetime.datetime.strptime(text, form).timestamp()
        except (TypeError, ValueError):
            continue
    return None


def deaths(record, processes, launch=launch_of):
    """The deaths of a run, those with a report that counts first, each process once.

    `record` is agxrun's JSON, `processes` are what journal.read gives, `launch` reads a report.
    """
    found = []
    processes = _of_the_run(record, processes)
    parents = {process.pid: process.parent for process in processes}
    parents.update((entry["pid"], entry["parent"]) for entry in record.get("processes") or [])
    told = set()
    for report in record.get("reports") or []:
        if report.get("weight") != "counts":
            continue
        found.append(_of_report(report, processes, parents, launch(report.get("archived") or report.get("path") or "")))
        told.add(report.get("pid"))
    for process in processes:
        entry = process.died_in()
        if entry is None and _left_with_success(record, process):
            entry = process.stopped_in()
        if entry is not None and process.pid not in told:
            told.add(process.pid)
            found.append(Death(process.pid, None, process, entry, "self", []))
    return found


def _left_with_success(record, process):
    """Whether it is the session's own process, and ended with 0: nobody else says, then, that the session did not come through.

    It may be os._exit in a conftest file, or between two tests.
    """
    return not process.forked and process.pid == record.get("pid") and (record.get("ending") or {}).get("code") == 0


def _of_the_run(record, processes):
    """Those that began during the run that the record is of: with `--retries` there were others, before it or after."""
    began = _instant(record.get("started"))
    if began is None or record.get("duration") is None:
        return processes
    return [process for process in processes if began <= process.began <= began + record["duration"]]


def _instant(text):
    """A time as agxrun's JSON has it, `2026-01-02T12:34:56.123456789+01:00`, in seconds since 1970."""
    # Python 3.8 reads neither nine digits nor none.
    whole = re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)", text or "")
    if whole is None:
        return None
    moment, fraction, zone = whole.groups()
    zone = "+00:00" if zone == "Z" else zone
    return datetime.datetime.fromisoformat(moment + zone).timestamp() + float(fraction or 0)


def _of_report(report, processes, parents, launch):
    pid = report.get("pid")
    process = _journal_of(processes, pid, launch.crashed)
    if process is not None:
        relation = "forked" if process.forked and process.died_in() is None else "self"
        return Death(pid, report, process, process.at(launch.crashed), relation, [])
    # Whose child it was when it was launched: that test started it.
    moment = launch.crashed
    if launch.launched is not None:
        moment = min(launch.launched + _TICK, launch.crashed or float("inf"))
    ancestor = launch.parent if launch.parent is not None else parents.get(pid)
    for _ in range(_GENERATIONS):
        process = _journal_of(processes, ancestor, moment)
        if process is not None:
            return Death(pid, report, process, process.at(moment), "descendant", [])
        ancestor = parents.get(ancestor)
        if ancestor is None:
            break
    return Death(pid, report, None, None, None, _running(processes, moment))


def _journal_of(processes, pid, moment):
    """The journal that a pid's process had then: the last that began before, as ids come again."""
    mine = [process for process in processes if process.pid == pid and (moment is None or process.began <= moment)]
    return mine[-1] if mine else None


def _running(processes, moment):
    """What tests were running then; nothing where the time is not known."""
    if moment is None:
        return []
    now = [(process, process.at(moment)) for process in processes]
    return [(process, entry) for process, entry in now if entry is not None and entry.test and entry.phase in RUNNING]
