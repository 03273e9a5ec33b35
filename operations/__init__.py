"""manage.py: the commands, and what they show in a terminal."""
