"""The tokenizers of open_clip in the format of the library tokenizers, which needs no PyTorch."""

from typing import Any

from open_clip.tokenizer import HFTokenizer, SimpleTokenizer
from tokenizers import Regex, Tokenizer
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel, Sequence, Split
from tokenizers.processors import TemplateProcessing

from kkcv.errors import RequestError

# CLIP's words: contractions, runs of letters, single digits, runs of other signs.
WORDS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+)"
# By the name of the function that a tokenizer of open_clip cleans with, ours (text_cleaning.py).
CLEANING = {
    "_clean_lower": "lower",
    "_clean_canonicalize": "canonicalize",
    "_clean_whitespace": "whitespace",
}


def cleaning_of(tokenizer: Any) -> str:
    """How texts are cleaned before (RequestError for an unknown way)."""
    name = tokenizer.clean_fn.__name__
    if name not in CLEANING:
        raise RequestError(f"this network wants its texts cleaned by {name}, which kkcv cannot do")
    return CLEANING[name]


def as_json(tokenizer: Any) -> str:
    """The tokenizer with its special tokens, truncation and padding (RequestError)."""
    if isinstance(tokenizer, SimpleTokenizer) and tokenizer.reduction_fn is None:
        found = of_clip(tokenizer)
        padding = {"pad_id": 0, "pad_token": ""}
    elif isinstance(tokenizer, HFTokenizer) and not (
        tokenizer.tokenizer_mode or tokenizer.strip_sep_token
    ):
        library = tokenizer.tokenizer
        if library.padding_side != "right" or not library.is_fast:
            raise RequestError("the tokenizer of this network cannot be exported")
        found = Tokenizer.from_str(library.backend_tokenizer.to_str())
        padding = {"pad_id": library.pad_token_id, "pad_token": library.pad_token}
    else:
        raise RequestError("the tokenizer of this network cannot be exported")
    context = tokenizer.context_length
    found.enable_truncation(context)
    found.enable_padding(length=context, **padding)
    return found.to_str()


def of_clip(tokenizer: SimpleTokenizer) -> Tokenizer:
    """CLIP's byte pair encoding: Radford et al., arXiv:2103.00020, section 2.4."""
    ranks = sorted(tokenizer.bpe_ranks.items(), key=lambda item: item[1])
    model = BPE(tokenizer.encoder, [pair for pair, _ in ranks], end_of_word_suffix="</w>")
    found = Tokenizer(model)
    byte_level = ByteLevel(add_prefix_space=False, use_regex=False)
    words = Split(Regex(WORDS), behavior="removed", invert=True)
    found.pre_tokenizer = Sequence([words, byte_level])
    start, end = (tokenizer.decoder[id] for id in tokenizer.all_special_ids[:2])
    found.add_special_tokens([start, end])
    found.post_processor = TemplateProcessing(
        single=f"{start} $A {end}",
        special_tokens=[(start, tokenizer.sot_token_id), (end, tokenizer.eot_token_id)],
    )
    return found
