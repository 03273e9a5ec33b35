"""The questions of manage.py as tools of the Model Context Protocol, for programs that talk to people about numbers."""
