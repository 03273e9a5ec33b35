"""Reading stored KPIs as the API does, from a lake as far away as S3, and from PostgreSQL."""
