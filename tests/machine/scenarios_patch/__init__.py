"""What the copies that `agxrun patch` makes do when they are executed."""
