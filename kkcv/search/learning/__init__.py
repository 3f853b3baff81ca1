"""Learning from labels (adapt.py) and from clicks (feedback.py)."""
