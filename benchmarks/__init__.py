"""What the pipeline costs, against peers and against physical limits: `python -m benchmarks.<name>`."""
