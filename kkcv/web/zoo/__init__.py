"""The page of the networks."""
