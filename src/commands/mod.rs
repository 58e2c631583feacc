//! One file a command: arguments in, calls to the rooms below, exit code out.
