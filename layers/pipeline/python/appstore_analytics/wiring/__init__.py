"""Connections that a handler opens before its step runs: AWS, App Store Connect, logs and metrics."""
