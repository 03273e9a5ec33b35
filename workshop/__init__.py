"""The tools of developers and deployments: .venv, the pinned packages, Node and the CDK command line."""
