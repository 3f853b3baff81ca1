"""Texts are cleaned and cut into tokens without PyTorch as open_clip does with it."""

import open_clip
import pytest
from hypothesis import given
from hypothesis import strategies as st
from open_clip.tokenizer import get_clean_fn
from tokenizers import Tokenizer

from kkcv.adapters.clip_tokenizer import as_json, cleaning_of
from kkcv.embedding.text_cleaning import CLEANING

# Not what Unicode has not assigned, of which each library knows another version.
ANY_TEXT = st.text(st.characters(exclude_categories=["Cn", "Co", "Cs"]))
THEIRS = open_clip.get_tokenizer("PE-Core-S-16-384")
OURS = Tokenizer.from_str(as_json(THEIRS))


@given(ANY_TEXT)
def test_any_text_has_the_tokens_of_open_clip(text: str) -> None:
    clean = CLEANING[cleaning_of(THEIRS)]

    assert OURS.encode(clean(text)).ids == THEIRS([text])[0].tolist()


@pytest.mark.parametrize(
    "text",
    ["", "it's  a DOG's life!! 2024", "naïve &amp; co", "x " * 200, "<end_of_text> x", "ſ't"],
)
def test_odd_texts_have_the_tokens_of_open_clip(text: str) -> None:
    tokens = OURS.encode(CLEANING["lower"](text)).ids

    assert tokens == THEIRS([text])[0].tolist()
    assert len(tokens) == 32  # the context of PE-Core


@pytest.mark.parametrize("name", CLEANING)
@given(text=ANY_TEXT)
def test_texts_are_cleaned_as_open_clip_cleans_them(name: str, text: str) -> None:
    assert CLEANING[name](text) == get_clean_fn(name)(text)
