"""The page of the 1,000 classes of ImageNet."""

from kkcv.zoo.labels import imagenet_labels
from kkcv.zoo.pages import Words, table

# Pairs that are mixed up, by index: one word for two things, or two words for nearly one.
TRAPS = (
    (134, 517),
    (638, 639),
    (264, 474),
    (836, 837),
    (620, 681),
    (657, 744),
    (664, 782),
    (987, 998),
    (435, 876),
    (504, 968),
)


def classes_page(words: Words) -> str:
    """Index, WordNet id, English and Chinese of every class, and what is easily mixed up."""
    labels = imagenet_labels()
    rows = [(label.index, f"`{label.wnid}`", label.name, label.name_zh) for label in labels]
    traps = []
    for pair in TRAPS:
        one, other = (labels[index] for index in pair)
        names = f"{one.name}; {other.name}", f"{one.name_zh}；{other.name_zh}"
        traps.append((f"{one.index}, {other.index}", *names))
    return "\n".join(
        (
            words("classes_introduction"),
            "",
            f"## {words('traps')}",
            "",
            words("traps_introduction"),
            "",
            table(map(words, ("index", "english", "chinese")), traps),
            f"## {words('all_classes')}",
            "",
            f'<div class="filtered" data-hint="{words("filter")}" markdown="1">',
            "",
            table(map(words, ("index", "wordnet", "english", "chinese")), rows),
            "</div>",
            "",
        )
    )
