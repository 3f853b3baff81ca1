"""The table of embedders that go by one word, as ``kkcv models`` shows it."""

import streamlit as st

from kkcv.embedding.price import prices
from kkcv.presets.table import quoted, rows
from kkcv.web.strings import Strings

from .family import table

COLUMNS = ("network", "input", "embedding", "megabytes", "text", "license", "here", "published")


def show_embedders(text: Strings) -> None:
    st.markdown(text("zoo.embedders_more"))
    measured = prices()
    chinese = text.language == "zh"
    shown = []
    for row in rows():
        price = measured.get(row["name"])
        shown.append(
            (
                row["name"],
                row["input"],
                row["numbers"],
                f"{row['megabytes']:,}",
                text("zoo.yes") if row["reads_text"] else text("zoo.no"),
                row["license_in_chinese"] if chinese else row["license_in_words"],
                f"{price.milliseconds} ms, {price.megabytes} MB" if price else "",
                "; ".join(
                    f"{what}: {figure} ({source})"
                    for what, figure, source in quoted(row, text.language)
                )
                if row["figures"]
                else "—",
            )
        )
    st.html(table([text(f"zoo.{column}") for column in COLUMNS], shown))
    st.caption(text("zoo.quoted"))
