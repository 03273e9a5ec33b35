"""What a run tells people: its summary, and the page with its charts."""
