"""The stack of the optional web console. It refers to the pipeline's stack by names only."""
