"""Publication of one Date in a separate process, on a lake on the local disk."""
