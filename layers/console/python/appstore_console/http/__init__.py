"""HTTP around the answers: the route table, problems, versions, CSV and cursors."""
