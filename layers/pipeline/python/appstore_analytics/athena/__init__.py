"""Athena: run a query, and the checks as data."""
