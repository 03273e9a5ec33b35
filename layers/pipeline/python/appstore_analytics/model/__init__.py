"""The nouns: frozen dataclasses of the standard library that every room above shares. No decisions, no storage."""
