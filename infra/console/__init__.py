"""The stack of the optional web console, which knows the pipeline's stack by names only."""
