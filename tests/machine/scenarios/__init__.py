"""What is shown: the library that ships, in processes with a modelled runtime and driver."""
