"""manage.py: the commands and their terminal output."""
