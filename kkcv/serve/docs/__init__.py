"""Descriptions of the API: OpenAPI, the page at /docs, the reference in the documentation."""
