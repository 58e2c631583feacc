//! Locating and building what is injected, and the environment that carries it in.
