"""The HTTP service of a gallery: a Flask application behind waitress."""
