"""How things are measured: processes, machines, an execution's time, and what the terminal shows meanwhile."""
