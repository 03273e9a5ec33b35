"""Conversion in processes of its own: ours and the peers', over an S3 of this machine, and alone without one."""
