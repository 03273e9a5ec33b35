"""The live page: its connections and their nudges."""
