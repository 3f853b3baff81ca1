"""A gallery on a Milvus server, when one machine is not enough (docs/milvus.md).

    NAME             an alias of the collection in use
    NAME__0, __1 …   a row for each picture with its vector; a collection per network (rows.py)
    NAME__settings   settings, and the claims of writers (settings.py, lease.py)

Everything lies in Milvus, so any number of machines can use one gallery, except files that were
added as bytes: these lie in a folder (address.py).
"""
