"""Weights files on their way into a network.

download.py    a file once, resumed after a cut, and checked (digest.py)
pickles.py     a .pth file, without running anything in it
contents.py    the weights among the contents of a file; averages.py says which are meant
conversion.py  a peer's names as ours, by the tables of keys/
fitting.py     how a state dict fits a network; load.py puts it in
"""
