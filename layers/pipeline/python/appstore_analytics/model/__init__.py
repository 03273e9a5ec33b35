"""The nouns: frozen dataclasses that every room above shares. Standard library only, no decisions, no storage."""
