"""The work of each Lambda function, one module per function. Each docstring says what a second run does."""
