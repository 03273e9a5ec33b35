"""The functions of the web console: its API, its login and its live page, on top of the pipeline's data."""
