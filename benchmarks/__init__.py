"""What the pipeline costs, compared with peers and physical limits: `python -m benchmarks.<name>`.

Each module here is a command; the folders contain its parts.
"""
