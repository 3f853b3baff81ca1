"""Requests and responses as pydantic models, which check them and describe them."""
