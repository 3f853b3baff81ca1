"""The gallery over HTTP: a Flask application, one table of routes, one shape of errors."""
