"""Functions that read everything about a run, with any number of apps."""
