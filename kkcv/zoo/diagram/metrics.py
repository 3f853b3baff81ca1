"""How wide a text is: an upper bound for the fonts that a picture names, without any font at hand.

For each character the wider of Arial (whose metrics Helvetica and Liberation Sans share) and
DejaVu Sans, in hundredths of the size; tests/zoo/test_diagram_text.py holds it against the fonts.
"""

import re

FONTS = (
    "Arial, Helvetica, 'Liberation Sans', 'PingFang SC', 'Microsoft YaHei', "
    "'Noto Sans CJK SC', sans-serif"
)

# From the space to the tilde.
REGULAR = """
    32 41 46 84 64 96 78 28 40 40 50 84 32 37 32 34 64 64 64 64 64 64 64 64 64 64 34 34 84 84 84 56
    102 69 69 73 78 67 62 78 76 30 50 67 56 87 75 79 67 79 73 67 62 74 69 99 69 67 69 40 34 40 84 56
    50 62 64 55 64 62 36 64 64 28 28 58 28 98 64 62 64 64 42 53 40 64 60 82 60 60 53 64 34 64 84
"""
BOLD = """
    35 46 53 84 70 101 88 31 46 46 53 84 38 42 38 37 70 70 70 70 70 70 70 70 70 70 40 40 84 84 84 62
    100 78 77 74 84 69 69 83 84 38 56 78 64 100 84 86 74 86 78 73 69 82 78 111 78 73 73 46 37 46 84
    56 50 68 72 60 72 68 44 72 72 35 35 67 35 105 72 69 72 72 50 60 48 72 66 93 65 66 59 72 37 72 84
"""
NO_BREAK = "\u00a0"
# Where a word that is too wide breaks: between Chinese characters, behind an underscore, before a
# capital; not before what may not begin a line.
PIECE = re.compile(
    rf"(?:[\u3000-\uffef]|[^\u3000-\uffef_A-Z]*_|[A-Z]+[^\u3000-\uffef_A-Z]*_?"
    rf"|[^\u3000-\uffef_A-Z]+)(?:[，。：；、）,]|{NO_BREAK}[^\u3000-\uffef]*)*"
)
OTHERS = {
    "×": 84,
    "·": 38,
    "–": 56,
    "÷": 84,
    "√": 64,
    NO_BREAK: 35,
}  # and Chinese characters, which are as wide as high


def table(widths: str) -> dict[str, float]:
    # the table begins at the space
    measured = {chr(32 + i): int(width) / 100 for i, width in enumerate(widths.split())}
    return measured | {character: width / 100 for character, width in OTHERS.items()}


WIDTHS = {False: table(REGULAR), True: table(BOLD)}


def text_width(words: str, size: float, *, bold: bool = False) -> float:
    """At most how wide a line is, in pixels, at a size in pixels."""
    return size * sum(WIDTHS[bold].get(character, 1.0) for character in words)


def wrapped(words: str, width: float, size: float, *, bold: bool = False) -> list[str]:
    """Lines no wider than that where they can be broken: at spaces, or else as PIECE says.

    Signs and counts stay with their words.
    """
    kept = re.sub(r" (?=[×·/÷]|groups|组)|(?<=×) |(?<=\A×\d) |(?<=\A×\d\d) ", NO_BREAK, words)
    lines = [""]
    for word in re.findall("[^ ]+ ?| ", kept):
        wide = text_width(word.rstrip(), size, bold=bold) > width
        for part in PIECE.findall(word) if wide else [word]:
            if lines[-1] and text_width(lines[-1] + part.rstrip(), size, bold=bold) > width:
                lines.append("")
            lines[-1] += part
    return [line.strip().replace(NO_BREAK, " ") for line in lines]
