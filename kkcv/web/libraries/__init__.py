"""The libraries of the pages: a gallery here, or one behind a service."""
