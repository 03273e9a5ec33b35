"""S3 and Parquet: raw segments, their conversion, one part per app and Date, one object per Date."""
