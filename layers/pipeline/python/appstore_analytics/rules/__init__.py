"""What can be computed on paper: pure functions of the standard library, no clock and no network."""
