"""The work of each Lambda, in order; one module per function. What a second run does stands in each docstring."""
