"""The settings of a gallery: a collection of names and values."""

from .server import Server, make_collection, milvus

LONGEST = 65_535  # bytes, the most that Milvus lets a VARCHAR have


def make_settings(server: Server, collection: str) -> None:
    """Create the collection unless it exists."""
    if server.call("has_collection", collection):
        return
    kinds = milvus().DataType
    schema = milvus().MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
    schema.add_field("name", kinds.VARCHAR, is_primary=True, max_length=200)
    schema.add_field("value", kinds.VARCHAR, max_length=LONGEST)
    schema.add_field("nothing", kinds.FLOAT_VECTOR, dim=2)  # Milvus requires a vector field
    indexes = milvus().MilvusClient.prepare_index_params()
    indexes.add_index("nothing", index_type="FLAT", metric_type="IP", params={})
    make_collection(server, collection, schema, indexes)


class Settings:
    """Names and values. ``level`` is a consistency level of Milvus: see docs/milvus.md."""

    def __init__(self, server: Server, collection: str) -> None:
        self._server = server
        self._collection = collection

    def all(self, level: str = "Strong") -> dict[str, str]:
        found = self._server.query(self._collection, 'name != ""', ["name", "value"], level)
        return {row["name"]: row["value"] for row in found}

    def get(self, name: str, level: str = "Session") -> str | None:
        """Session: sees writes of this process, and those of others within moments."""
        found = self._server.query(self._collection, f'name == "{name}"', ["value"], level)
        return found[0]["value"] if found else None

    def keep(self, values: dict[str, str]) -> None:
        rows = [{"name": n, "value": v, "nothing": [0.0, 0.0]} for n, v in values.items()]
        self._server.call("upsert", self._collection, rows)

    def drop(self, names: list[str]) -> None:
        self._server.call("delete", self._collection, ids=names)
