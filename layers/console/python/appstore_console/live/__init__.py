"""The live page: who listens, and the nudges they get."""
