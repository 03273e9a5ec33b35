"""KPI amounts of one Date: summed from the published rows, stored next to them, and read back."""
