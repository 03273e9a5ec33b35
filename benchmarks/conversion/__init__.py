"""Conversion in separate processes: ours and the peers', with a local S3 server or on the disk alone."""
