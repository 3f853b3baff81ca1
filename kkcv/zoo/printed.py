"""A figure that a paper prints beside ours, in the words of the pages."""

from .checks import Counted, check_printed
from .facts import MEASURED, Printed
from .page_words import Words


def printed_row(figure: Printed, measured: Counted, words: Words) -> tuple[object, ...]:
    """A figure of the paper, a counted one beside ours."""
    check = check_printed(figure, measured)
    ours = check.ours
    if figure.what in MEASURED and not figure.text.replace(",", "").isdigit():
        ours = short(int(ours.replace(",", "")))  # as many digits as the paper prints
    what = words.said(figure.what)
    if figure.stage:
        what = words("of", what=what, stage=figure.stage)
    comma = "，" if words.language == "zh" else ", "
    what = f"{what}{comma}{words.said(figure.where)}"
    return f"`{figure.network}`", what, figure.text, ours, words.said(check.note)


def short(count: int) -> str:
    """Three digits or so: 25.6 M."""
    for least, size, suffix in ((999.5e6, 1e9, " G"), (999.5e3, 1e6, " M"), (999.5, 1e3, " K")):
        if count >= least:
            return f"{count / size:.3g}{suffix}"
    return str(count)
