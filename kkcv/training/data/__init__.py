"""Labelled pictures: read, inspected, and split into parts."""
