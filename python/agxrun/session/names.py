"""What the outer session and the inner one agree upon."""

# The variable that names the folder of the inner session's journals.
JOURNAL = "AGXRUN_PYTEST_JOURNAL"

# Phases in which a test, or a file that is being collected, is at work.
RUNNING = frozenset(["collect", "setup", "call", "teardown"])
