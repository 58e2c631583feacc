//! Crash reports: folders and snapshots, reading `.ips` and `.crash` into one model, archiving.
