"""The weekly digest: changed numbers, restated Dates and missing data."""
