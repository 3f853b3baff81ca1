"""A connection to Milvus, with errors of kkcv."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kkcv import deadline
from kkcv.environment import milvus_token
from kkcv.errors import GalleryError, Superseded
from kkcv.extras import need

from .address import Address

SECONDS = 30.0  # for one answer
LEAST_SECONDS = 0.01  # pymilvus takes 0 for no limit
CONNECT_SECONDS = 10.0  # less than for an answer: a wrong address is noticed soon
NO_SUCH_COLLECTION = 100  # a code of Milvus
# pymilvus pings an idle server every 10 s. milvus-lite, like any gRPC server by default, closes a
# connection that pings so often, even with a request in progress.
GRPC = {"grpc.keepalive_permit_without_calls": 0, "grpc.keepalive_time_ms": 300_000}


class Server:
    """A client of one server. Safe to use from several threads."""

    def __init__(self, address: Address) -> None:
        """Raises MissingExtra, GalleryError if the server does not answer."""
        self.address = address
        pymilvus = milvus()
        with explained(address):
            self._client = pymilvus.MilvusClient(
                uri=address.server,
                token=milvus_token(),
                timeout=CONNECT_SECONDS,
                dedicated=True,  # its own connection, which close() closes
                grpc_options=GRPC,
            )

    def close(self) -> None:
        self._client.close()

    def call(self, name: str, *arguments: Any, **options: Any) -> Any:
        """A method of pymilvus.MilvusClient (GalleryError, Superseded, TimedOut)."""
        deadline.check()
        seconds = max(LEAST_SECONDS, min(SECONDS, deadline.left()))
        with explained(self.address):
            return getattr(self._client, name)(*arguments, timeout=seconds, **options)

    def query(
        self, collection: str, asked: str, fields: list[str], level: str, limit: int | None = None
    ) -> list[dict]:
        """The rows that match an expression, in no order: at most ``limit``, or 16,384."""
        return list(
            self.call(
                "query",
                collection,
                filter=asked,
                output_fields=fields,
                consistency_level=level,
                **({} if limit is None else {"limit": limit}),
            )
        )

    def aliased(self, alias: str) -> str | None:
        """The collection of an alias; None if there is no such alias."""
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
    """Create an empty collection, ready for questions, from pymilvus's schema and indexes."""
    # One shard: readers then see all rows of a request or none.
    server.call("create_collection", name, schema=schema, num_shards=1)
    server.call("create_index", name, indexes, sync=False)  # empty: nothing to wait for
    server.call("load_collection", name)


@contextmanager
def explained(address: Address) -> Iterator[None]:
    pymilvus = milvus()
    try:
        yield
    except pymilvus.MilvusException as error:
        deadline.check()  # it gave up because of it
        if error.code == NO_SUCH_COLLECTION:
            raise superseded(address) from None
        reason = str(error.message).strip().splitlines()[0] if error.message else str(error)
        if "Fail connecting" in reason:
            reason = f"nobody answers at {address.server}"
        raise GalleryError(
            f"{address} cannot be used ({reason[:200]}); is Milvus running there?"
        ) from None


def superseded(address: Address | str) -> Superseded:
    return Superseded(f"{address} was given another network meanwhile; try again")


def milvus() -> Any:
    need("pymilvus")
    import pymilvus

    logging.getLogger("pymilvus").setLevel(logging.CRITICAL)  # what it logs, it raises too
    return pymilvus
