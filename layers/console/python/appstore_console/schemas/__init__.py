"""The API's input and output as pydantic models: the source of its OpenAPI document."""
