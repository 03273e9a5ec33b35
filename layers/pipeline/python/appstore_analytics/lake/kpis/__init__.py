"""KPI amounts of one Date: summed from the rows that are published, stored beside them, and read back."""
