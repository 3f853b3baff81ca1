"""How CLIP networks want their texts cleaned before they are cut into tokens.

As open_clip does (``get_clean_fn``): ftfy mends broken encodings, HTML entities become signs, and
space is a single blank. ``canonicalize`` is big_vision's, for SigLIP: no punctuation either.
"""

import html
import string
from collections.abc import Callable

NO_PUNCTUATION = str.maketrans("", "", string.punctuation)


def mended(text: str) -> str:
    import ftfy

    # twice: text of the web is often escaped twice, as &amp;lt;
    return html.unescape(html.unescape(ftfy.fix_text(text))).strip()


def whitespace(text: str) -> str:
    return " ".join(mended(text).split())


def lower(text: str) -> str:
    return whitespace(text).lower()


def canonicalize(text: str) -> str:
    plain = mended(text).replace("_", " ").translate(NO_PUNCTUATION).lower()
    return " ".join(plain.split())


CLEANING: dict[str, Callable[[str], str]] = {
    "lower": lower,
    "canonicalize": canonicalize,
    "whitespace": whitespace,
}
