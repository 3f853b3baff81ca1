"""A connection to Milvus, and its errors in our words."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kkcv.environment import milvus_token
from kkcv.errors import GalleryError, MissingExtra, Superseded

from .address import Address

SECONDS = 30.0  # for one answer
CONNECT_SECONDS = 10.0
NO_SUCH_COLLECTION = 100  # a code of Milvus
# pymilvus asks an idle server every 10 s whether it is alive: milvus-lite, as gRPC servers do by
# default, ends such a connection, whatever is under way in it.
GRPC = {"grpc.keepalive_permit_without_calls": 0, "grpc.keepalive_time_ms": 300_000}


class Server:
    """What kkcv asks of a Milvus server. Safe to use from several threads."""

    def __init__(self, address: Address) -> None:
        """Raises MissingExtra, GalleryError when nobody answers."""
        self.address = address
        pymilvus = milvus()
        with explained(address):
            self._client = pymilvus.MilvusClient(
                uri=address.server,
                token=milvus_token(),
                timeout=CONNECT_SECONDS,
                dedicated=True,  # a connection of its own, which close() ends
                grpc_options=GRPC,
            )

    def close(self) -> None:
        self._client.close()

    def call(self, name: str, *arguments: Any, **options: Any) -> Any:
        """A method of pymilvus.MilvusClient (GalleryError, Superseded)."""
        with explained(self.address):
            return getattr(self._client, name)(*arguments, timeout=SECONDS, **options)

    def query(self, collection: str, asked: str, fields: list[str], level: str) -> list[dict]:
        """The rows that an expression leaves, in no order, at most 16,384."""
        return list(
            self.call(
                "query",
                collection,
                filter=asked,
                output_fields=fields,
                consistency_level=level,
            )
        )

    def aliased(self, alias: str) -> str | None:
        """The collection that an alias stands for; None when there is no such alias."""
        pymilvus = milvus()
        with explained(self.address):
            try:
                found = self._client.describe_alias(alias, timeout=SECONDS)
            except pymilvus.MilvusException as error:
                if "alias" in str(error) and "not" in str(error):
                    return None
                raise
        return found["collection_name"]


def make_collection(server: Server, name: str, schema: Any, indexes: Any) -> None:
    """An empty collection, ready for questions; ``schema`` and ``indexes`` are pymilvus's."""
    # One shard: what one request writes is then seen as a whole.
    server.call("create_collection", name, schema=schema, num_shards=1)
    server.call("create_index", name, indexes, sync=False)  # empty: nothing to wait for
    server.call("load_collection", name)


@contextmanager
def explained(address: Address) -> Iterator[None]:
    pymilvus = milvus()
    try:
        yield
    except pymilvus.MilvusException as error:
        if error.code == NO_SUCH_COLLECTION:
            raise Superseded(f"{address} was given another network meanwhile; try again") from None
        reason = str(error.message).strip().splitlines()[0] if error.message else str(error)
        if "Fail connecting" in reason:
            reason = f"nobody answers at {address.server}"
        raise GalleryError(
            f"{address} cannot be used ({reason[:200]}); is Milvus running there?"
        ) from None


def milvus() -> Any:
    try:
        import pymilvus
    except ImportError:
        raise MissingExtra("pymilvus, which speaks to Milvus,", "milvus") from None
    logging.getLogger("pymilvus").setLevel(logging.CRITICAL)  # what it logs, it raises too
    return pymilvus
