"""Conversion in separate processes, by our code and by the peers, with a local S3 server or on the disk alone."""
