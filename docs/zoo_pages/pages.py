"""The zoo's pages for the documentation.

One page with all families, one with all diagrams, and a page a family; in English, and in Chinese
under ``zh/``. Every figure is measured from the networks, or printed in a paper or beside weights.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import ModuleType

from kkcv.zoo.book.chapter import chapter
from kkcv.zoo.costs import cost
from kkcv.zoo.labels import LANGUAGES
from kkcv.zoo.network import Family, Spec
from kkcv.zoo.pages import Words, cited, short, table
from kkcv.zoo.registry import FAMILIES
from kkcv.zoo.weights import published

from .classes import classes_page
from .diagrams import FOLDERS
from .papers import papers_page
from .trained import compared_page, trained_page
from .weights import accuracy

PHONE = "(max-width: 679px)"  # windows in which a diagram is laid out for a phone

TABLES: Mapping[str, Callable[[Words], str]] = {
    "papers": papers_page,
    "classes": classes_page,
    "compared": compared_page,
    "trained": trained_page,
}


def pages() -> Mapping[str, str]:
    """Every page by its path inside the documentation."""
    found = {}
    for language in LANGUAGES:
        words = Words(language)
        found[f"{FOLDERS[language]}zoo.md"] = overview(words)
        for module in FAMILIES:
            found[f"{FOLDERS[language]}zoo/{module.FAMILY.name}.md"] = page(module, words)
        found[f"{FOLDERS[language]}diagrams.md"] = gallery(words)
        for name, body in TABLES.items():
            text = [*heading(words(f"{name}_title"), words), body(words)]
            found[f"{FOLDERS[language]}zoo/{name}.md"] = "\n".join(text)
    return found


def overview(words: Words) -> str:
    """The table of the families."""
    rows = (
        (
            f"[{module.FAMILY.title}](zoo/{module.FAMILY.name}.md)",
            module.FAMILY.paper.year,
            words.said(module.FAMILY.idea),
            len(module.NETWORKS),
        )
        for module in FAMILIES
    )
    head = tuple(words(name) for name in ("family", "year", "idea", "networks"))
    return "\n".join(
        [*heading(words("title"), words), words("introduction"), "", table(head, rows)]
    )


def page(module: ModuleType, words: Words) -> str:
    """A family: paper, idea, diagram, chapter, networks, weights, what the code says."""
    family, networks = module.FAMILY, module.NETWORKS
    paper = family.paper
    lines = [
        *heading(family.title, words),
        f"{paper.authors}: *{paper.title}*. {cited(paper.published)}",
        "",
        words.said(family.idea),
        "",
        picture(family, "../"),
        "",
        chapter(family.name, words.language),
        *networks_part(networks, words),
        *weights_part(networks, words),
        *code_part(module, family, words),
        words("back"),
    ]
    return "\n".join(lines) + "\n"


def gallery(words: Words) -> str:
    """The diagram of each family, one under the other."""
    lines = [*heading(words("diagrams"), words), words("diagrams_introduction"), ""]
    for family in (module.FAMILY for module in FAMILIES):
        lines += [f"## [{family.title}](zoo/{family.name}.md)", "", words.said(family.idea), ""]
        lines += [picture(family, ""), ""]
    return "\n".join(lines)


def picture(family: Family, up: str) -> str:
    """A family's diagram as HTML, in the form for the width of the window."""
    file = f"{up}diagrams/{family.name}"
    return (
        f'<picture><source media="{PHONE}" srcset="{file}.phone.svg">'
        f'<img src="{file}.svg" alt="{family.title}: {family.example}" width="100%" '
        f'loading="lazy"></picture>'
    )


def heading(title: str, words: Words) -> list[str]:
    return [f"# {title}", "", f"<!-- {words('made')} -->", ""]


def networks_part(networks: Sequence[Spec], words: Words) -> Iterator[str]:
    columns = ("network", "aliases", "parameters", "macs", "embedding", "input", "top1")
    yield f"## {words('the_networks')}\n"
    yield table((words(name) for name in columns), (row(known, words) for known in networks))


def row(known: Spec, words: Words) -> tuple[object, ...]:
    measured = cost(known.name)
    weights = published(known.name)
    return (
        f"`{known.name}`",
        words.comma.join(f"`{alias}`" for alias in known.aliases),
        f"{measured.parameters:,}",
        short(measured.macs),
        known.embedding_dim,
        "×".join(map(str, known.input_size)),
        f"{weights[0].top1:.1f}" if weights else "",
    )


def weights_part(networks: Sequence[Spec], words: Words) -> Iterator[str]:
    rows = [
        (
            f"`{known.name}`",
            f"`imagenet:{weights.tag}`",
            accuracy(weights),
            weights.size,
            weights.license,
        )
        for known in networks
        for weights in published(known.name)
    ]
    if rows:
        columns = ("network", "give", "top1", "size", "license")
        yield f"## {words('weights')}\n"
        yield f"{words('weights_of')}\n"
        yield table((words(column) for column in columns), rows)


def code_part(module: ModuleType, family: Family, words: Words) -> Iterator[str]:
    """The docstring of the family's file, which is Markdown except for its lists."""
    yield f"## {words('code')}\n"
    yield f"{words('code_says', family=family.name)}\n"
    before = ""
    for line in (module.__doc__ or "").strip().splitlines():
        if line.startswith("- ") and before and not before.startswith(("- ", "  ")):
            yield ""
        yield line.rstrip()
        before = line
    yield ""
