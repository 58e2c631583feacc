"""What the outer session says: sentences, and lines as wide as pytest's."""

_ENDS = {
    "collect": "was being collected",
    "setup": "was being set up",
    "call": "was running",
    "teardown": "was being torn down",
}
_WITHOUT_TEST = {
    "conftest": "conftest files were being loaded",
    "ready": "pytest was starting",
    "between": "no test was running",
    "finish": "the session was finishing",
    "exit": "Python was about to end",
}


def shown(text):
    """A name as it may be printed: what would act on a terminal is escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in str(text))


def place(process):
    """Which process of the session: `worker gw1 (pid 4242)`, a forked one, or pytest's own."""
    where = "worker {}".format(shown(process.worker)) if process.worker else "pytest's process"
    if process.forked:
        return "a process (pid {}) forked by {}".format(process.pid, where)
    return "{} (pid {})".format(where, process.pid)


def sentence(death):
    """Who died, and what was running there and then."""
    who = _who(death)
    if death.process is None:
        if not death.nearby:
            return "{} died; which test started it is not known".format(who)
        tests = sorted({shown(entry.test) for _, entry in death.nearby})
        return "{} died; it is no child of a process that runs tests, and at its start ran: {}".format(
            who, ", ".join(tests)
        )
    there = place(death.process)
    doing = _doing(death.entry)
    if death.relation == "self":
        return "{} in {} when it died".format(doing, there)
    if death.relation == "forked":
        return "{} in {} when it died, a copy of what its parent was at".format(doing, there)
    return "{} in {} when it started {}, which died".format(doing, there, who)


def _who(death):
    name = death.report.get("process") if death.report else None
    return "{} (pid {})".format(shown(name) if name else "a process", death.pid)


def _doing(entry):
    if entry is None:
        return "nothing had begun"
    if entry.test and entry.phase in _ENDS:
        return "{} {}".format(shown(entry.test), _ENDS[entry.phase])
    return _WITHOUT_TEST.get(entry.phase, entry.phase)


def cause(death):
    """What it died of, in one line."""
    report = death.report
    if report is None:
        return "it ended in the middle, and no crash report tells why (a signal, os._exit, or a limit)"
    what = shown(report.get("exception") or report.get("kind") or "a report that could not be read")
    if report.get("fault_address"):
        what += " at {}".format(shown(report["fault_address"]))
    diagnosis = report.get("diagnosis")
    if diagnosis:
        return "{}: {} [{}]".format(what, shown(diagnosis["title"]), shown(diagnosis["id"]))
    if report.get("crashed_in"):
        return "{} in {}".format(what, shown(report["crashed_in"]))
    return what


def details(death):
    """Meaning, remedy and file, as lines."""
    report = death.report
    if report is None:
        return []
    lines = []
    diagnosis = report.get("diagnosis")
    if diagnosis:
        lines += ["meaning: {}".format(shown(diagnosis["meaning"])), "to do:   {}".format(shown(diagnosis["remedy"]))]
    elif not report.get("error"):
        lines.append("no known signature matches")
    if report.get("error"):
        lines.append("not read: {}".format(shown(report["error"])))
    lines.append("report:  {}".format(shown(report.get("archived") or report.get("path"))))
    return lines


def subject(death):
    """What stands in the one line of the short summary: the test, or else the process."""
    if death.entry is not None and death.entry.test:
        return shown(death.entry.test)
    return _who(death)


def verdict(record, count):
    """The last line: how many died, and why agxrun's exit code is what it is."""
    said = record.get("verdict") or {}
    reasons = [str(entry.get("reason")).replace("_", " ") for entry in said.get("applied") or []]
    own = record.get("ending") or {}
    pytest = (
        "exit {}".format(own["code"]) if "code" in own else "ended by {}".format(own.get("signal_name") or "a signal")
    )
    died = (
        "{} process{} died".format(count, "" if count == 1 else "es") if count else "no process is known to have died"
    )
    return "agxrun: {}; exit {} ({}), pytest: {}".format(died, said.get("exit_code"), ", ".join(reasons), pytest)


class Page:
    """The section that is printed, in pytest's manner."""

    def __init__(self, width, colored):
        self.width = width
        self.colored = colored
        self.lines = []

    def rule(self, title, mark="=", **style):
        """A line with a title in its middle."""
        least = "{0}{0}{0} {1} {0}{0}{0}".format(mark, title)
        self.lines.append(self._styled(least.center(self.width, mark), **style))

    def line(self, text, **style):
        self.lines.append(self._styled(text, **style))

    def _styled(self, text, red=False, bold=False):
        codes = [code for code, wanted in (("31", red), ("1", bold)) if wanted]
        return "\x1b[{}m{}\x1b[0m".format(";".join(codes), text) if codes and self.colored else text

    def __str__(self):
        return "".join(line + "\n" for line in self.lines)


def page(record, deaths, problems, width, colored):
    """The section for a run; empty where there is nothing to tell."""
    paper = Page(width, colored)
    clean = (record.get("verdict") or {}).get("exit_code") == (record.get("ending") or {}).get("code")
    if clean and not deaths and not problems:
        return ""
    # pytest may have ended in the middle of a line.
    paper.line("")
    paper.rule("agxrun", red=True, bold=True)
    for death in deaths:
        paper.line(sentence(death), bold=True)
        paper.line("  {}".format(cause(death)), red=True)
        for detail in details(death):
            paper.line("  {}".format(detail))
        paper.line("")
    for problem in problems:
        paper.line("warning: {}".format(shown(problem)))
    if deaths:
        paper.rule("agxrun: short summary")
        for death in deaths:
            paper.line("CRASHED {} - {}".format(subject(death), cause(death)))
    paper.rule(verdict(record, len(deaths)), red=True)
    return str(paper)
