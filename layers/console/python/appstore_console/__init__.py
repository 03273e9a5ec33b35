"""The functions of the web console: its API, its login and its live page, over what the pipeline stores."""
