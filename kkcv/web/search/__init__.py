"""The search page: a picture goes in, the most similar come out."""
