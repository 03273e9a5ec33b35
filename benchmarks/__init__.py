"""The cost of the pipeline, compared with peers and physical limits: `python -m benchmarks.<name>`.

Each module here is a command; the folders contain its parts.
"""
