"""Invented rows: single segments, and the seed's workload made of them."""
