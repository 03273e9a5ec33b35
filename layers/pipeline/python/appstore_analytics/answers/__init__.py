"""Answers to questions about an installed pipeline: facts for a terminal, a program or a page, independent of each."""
