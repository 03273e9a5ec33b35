"""What every developer and every deployment needs first: .venv, the pinned packages, Node and the CDK command line."""
