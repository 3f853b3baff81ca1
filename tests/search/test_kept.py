"""The record that an undo is made from."""

import json
from dataclasses import asdict

from kkcv.search.engine.kept import Kept


def test_a_record_of_a_newer_kkcv_is_read() -> None:
    kept = Kept("remove", 1.5, "epoch")

    assert Kept.from_text("") is None
    newer = json.dumps(asdict(kept) | {"why": "since 9.0"})
    read = Kept.from_text(newer)
    assert read is not None
    assert read.to_text() == kept.to_text()
