"""Mistakes that a type checker must find: each line that has one says which."""

from kkcv import Gallery


def mistakes(gallery: Gallery) -> None:
    gallery.search("cat.jpg", min_scor=0.5)  # Unexpected keyword argument "min_scor"
    gallery.search("cat.jpg", verify="sometimes")  # No overload variant of "search"
    gallery.search_text(17)  # has incompatible type
    gallery.search("cat.jpg")[0].scor  # "Hit" has no attribute "scor"  # noqa: B018
