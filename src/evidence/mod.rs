//! What the injected processes proved about themselves: reading a run's ledgers.
