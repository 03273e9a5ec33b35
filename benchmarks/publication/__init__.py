"""Publication of one Date in a process of its own, on a lake that lies on the local disk."""
