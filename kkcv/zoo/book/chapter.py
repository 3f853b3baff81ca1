"""A family's chapter with its marks replaced, as Markdown."""

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

from kkcv.zoo.facts import printed_of
from kkcv.zoo.pages import Words, printed_row, table
from kkcv.zoo.recorded import families, recorded
from kkcv.zoo.weights import published

from .excerpts import excerpt
from .measured import Named, Shape, figure, walk
from .measured import layers as layers_of
from .recipes import recipe_table
from .sums import value_of, written

MARK = re.compile(r"\{\{\s*(.+?)\s*\}\}")
FIGURE = re.compile(r"(parameters|macs) (\S+)(?: (\S+))?")
ALONE = re.compile(rf"^{MARK.pattern}$")
PYTHON = re.compile(r"^```python\n.*?^```\n", re.MULTILINE | re.DOTALL)
CHINESE = r"[\u3001-\u301f\u4e00-\u9fff\uff00-\uffef]"
BETWEEN_CHINESE = re.compile(rf"(?<={CHINESE})\n *(?={CHINESE})")  # would be shown as a space
Block = Callable[[str, Words, str], str]


@cache
def prose(family: str, language: str) -> str:
    """A chapter as it was written, with its marks."""
    file = Path(__file__).with_name(language) / f"{family}.md"
    return file.read_text(encoding="utf-8")


def chapter(family: str, language: str) -> str:
    """The chapter of a family in "en" or "zh". Raises ValueError for a sum that does not hold."""
    words, lines = Words(language), list[str]()
    for line in prose(family, language).splitlines():
        alone = ALONE.match(line)
        kind, _, rest = alone[1].partition(" ") if alone else ("", "", "")
        if kind in BLOCKS:
            lines += [BLOCKS[kind](rest, words, family).rstrip("\n"), ""]  # GitHub wants it blank
        else:
            lines.append(MARK.sub(lambda found: inline(found[1]), line))
    text = "\n".join(lines) + "\n"
    return BETWEEN_CHINESE.sub("", text) if language == "zh" else text


def inline(mark: str) -> str:
    """A number, or a sum with its value: ``3·3·64 = parameters NETWORK path``."""
    left, equals, right = (part.strip() for part in mark.rpartition("= "))
    if not equals and mark.startswith("≈ "):
        value = value_of(mark.removeprefix("≈ "))
        return f"{mark.removeprefix('≈ ')} ≈ {float(value):.3g}"
    if left and FIGURE.fullmatch(right):
        if value_of(left) != figure(right):  # a sum of the prose must be what the network has
            raise ValueError(f"{left} is {written(value_of(left))}, but {right} is {figure(right)}")
        return f"{left} = {figure(right):,}"
    if equals:
        return f"{right} = {written(value_of(right))}"
    if FIGURE.fullmatch(mark):
        return f"{figure(mark):,}"
    kind, name, *tag = mark.split(" ")
    if kind != "top1":
        raise ValueError(f"no such mark: {{{{{mark}}}}}")
    found = [f"{w.top1:.1f}%" for w in published(name) if not tag or w.tag == tag[0]]
    if not found:
        raise ValueError(f"no such weights: {mark}")
    return found[0]


def code(rest: str, words: Words, family: str) -> str:
    """Lines of the source, by file and name."""
    file, name = rest.split(" ")
    colon = "：" if words.language == "zh" else ":"
    return f"`kkcv/zoo/{file}`{words.comma}`{name}`{colon}\n\n```py\n{excerpt(file, name)}\n```\n"


def forward(rest: str, words: Words, family: str) -> str:
    """A module's ``forward``, and the shapes of each of its lines as measured."""
    seen = walk(rest)
    name, _, path = rest.partition(" ")
    rows = [
        (f"`{line.source}`".replace("|", "\\|"), shown(line.called, words), shown(line.made, words))
        for line in seen.lines
    ]
    takes = shown(seen.takes, words)
    return (
        code(f"{seen.file} {seen.name}", words, family)
        + f"\n{words('walked', network=name, path=path, takes=takes)}\n\n"
        + table((words("line"), words("called"), words("result")), rows)
    )


def layers(rest: str, words: Words, family: str) -> str:
    """The parts of a module that calls them one after another."""
    name, _, path = rest.partition(" ")
    rows = [
        (f"`{part}`", sides(shape), f"{parameters:,}", f"{macs:,}")
        for part, shape, parameters, macs in layers_of(rest)
    ]
    columns = map(words, ("layer", "output", "parameters", "macs"))
    return f"{words('layers', network=name, path=path)}\n\n{table(columns, rows)}"


def shown(named: Named, words: Words) -> str:
    return words.comma.join(f"`{name}` {sides(shape)}" for name, shape in named)


def sides(shape: Shape) -> str:
    return "×".join(map(str, shape))


def stages(rest: str, words: Words, family: str) -> str:
    """The stages of one network, and the commands that print and draw them."""
    name = rest or families()[family].example
    columns = ("stage", "output", "blocks", "parameters", "macs")
    rows = [
        (
            f"`{stage.name}`",
            sides(stage.shape),
            stage.blocks or "",
            f"{stage.parameters:,}",
            f"{stage.macs:,}",
        )
        for stage in recorded(name).stages
    ]
    commands = f"```bash\nkkcv zoo show {name}\nkkcv zoo draw {name} -o {name}.svg\n```\n"
    return f"{table(map(words, columns), rows)}\n{commands}"


def printed(rest: str, words: Words, family: str) -> str:
    """Every figure that the papers print for these networks, beside ours."""
    rows = [
        printed_row(each, recorded(name), words)
        for name in families()[family].networks
        for each in printed_of(name)
    ]
    return table(map(words, ("network", "figure", "printed", "ours", "why")), rows)


def recipe(rest: str, words: Words, family: str) -> str:
    return recipe_table(family, words)


def answer(rest: str, words: Words, family: str) -> str:
    """The head of an answer, and in Chinese its code, which is that of the English chapter."""
    head = f'<details markdown="1"><summary>{words("answer")}</summary>\n'
    return head + (f"\n{answers(family)[int(rest) - 1]}" if rest else "")


def answers(family: str) -> list[str]:
    """The code of a chapter's answers, in their order."""
    return PYTHON.findall(prose(family, "en"))


def end(rest: str, words: Words, family: str) -> str:
    return "\n</details>\n"


BLOCKS: dict[str, Block] = {
    "code": code,
    "forward": forward,
    "layers": layers,
    "stages": stages,
    "printed": printed,
    "recipe": recipe,
    "answer": answer,
    "end": end,
}
