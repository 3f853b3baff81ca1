"""The HTTP server: waitress, with limits on slow clients and with a way to drain."""
