"""The weekly digest: what changed, what Apple restated and what is missing."""
