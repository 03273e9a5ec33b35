"""The report of a run for people: its summary, and the page with its charts."""
