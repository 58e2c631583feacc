//! One run, in the order it happens: plan, preflight, launch, supervise, settle, collect, verdict.
