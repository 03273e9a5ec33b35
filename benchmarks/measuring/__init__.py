"""Measurement of processes, machines and an execution's time, and the progress line on the terminal."""
