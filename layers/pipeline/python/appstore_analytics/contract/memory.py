"""How Arrow treats memory where it converts: in the Lambda, and wherever that is measured."""

from collections.abc import Mapping

CONVERSION_MEMORY: Mapping[str, str] = {"MIMALLOC_PURGE_DELAY": "-1"}
"""Environment variables, read when Arrow is loaded: its allocator keeps what it has for the rows to come.

A Lambda has its memory to itself, and pages that were given back are cleared and mapped anew. Publication, which holds
one group of rows at a time, gains nothing by it. Source: mimalloc, "Environment Options".
"""
