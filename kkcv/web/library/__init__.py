"""The page that looks after a library."""
