"""The library page: browse, add, edit, remove, find duplicates, statistics."""
