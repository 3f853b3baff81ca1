"""A gallery on a Milvus server, for when one machine is not enough (docs/milvus.md).

    NAME             an alias: the collection that is in use
    NAME__0, __1 …   a row a picture with its vector, one collection a network (rows.py)
    NAME__settings   settings, and who is writing (settings.py, lease.py)

All that tells galleries from one another lies in Milvus, so that any number of machines may work
with one. Files that are added as bytes lie in a folder (address.py).
"""
