"""Decisions as pure functions: standard library only, no clock and no network."""
