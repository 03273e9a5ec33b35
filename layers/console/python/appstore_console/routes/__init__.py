"""The routes of the API, a module for each group: each calls an answer and declares the required right."""
