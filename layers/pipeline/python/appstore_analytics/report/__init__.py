"""What people read about a run: its summary, and the page with its charts."""
