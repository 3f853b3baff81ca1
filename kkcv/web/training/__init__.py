"""The training page, and the runs that it starts."""
