"""What the API takes and gives, as pydantic models: the source of its OpenAPI document."""
