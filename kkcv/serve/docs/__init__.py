"""What the service says of itself: OpenAPI, the page at /docs, the reference of the site."""
