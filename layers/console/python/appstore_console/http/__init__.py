"""HTTP for the answers: the route table, problems, versions, CSV and cursors."""
