"""The client of a kkcv service: the methods of ``Gallery``, over HTTP.

    from kkcv.client import Client

    service = Client("http://127.0.0.1:8000")
    for hit in service.search("cat.jpg", k=10):
        print(hit.score, hit.path)

It raises what ``Gallery`` raises (PictureError, UnknownPicture, RequestError), and ServiceError for
failures of the connection. It loads nothing that embeds or searches: no torch, no Faiss, no NumPy.
"""

from kkcv.serve.models.responses import MAX_CHOSEN as MAX_CHOSEN

from .client import AddedPicture as AddedPicture
from .client import Client as Client
from .client import DuplicateGroup as DuplicateGroup
from .client import Explained as Explained
from .client import Model as Model
from .client import PictureInfo as PictureInfo
