"""What the pipeline costs, against peers and against physical limits: `python -m benchmarks.<name>`.

Each module here is a command; the folders hold what the commands are made of.
"""
