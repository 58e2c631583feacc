"""What the outer session and the inner one agree upon."""

# The variable that names the folder of the inner session's journals.
JOURNAL = "AGXRUN_PYTEST_JOURNAL"

# Phases in which a test, or a file that is being collected, is at work.
RUNNING = frozenset(["collect", "setup", "call", "teardown"])

# Phases after which a session has more to do: one that ends there, in whatever way, has not come through.
UNFINISHED = RUNNING | {"conftest", "between"}

# The layout of agxrun's record that is read here: `schema` in the JSON of `agxrun run --json`.
SCHEMA = 1
