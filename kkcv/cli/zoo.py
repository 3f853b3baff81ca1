"""The zoo from the command line: ``kkcv zoo list``, ``show``, ``explain``, ``draw``, …"""

import dataclasses
import re
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kkcv.errors import RequestError

from .language import language, say
from .options import json_option
from .output import counted, echo, print_json, print_table, progress_bar

if TYPE_CHECKING:
    from kkcv.zoo.recorded import RecordedFamily
    from kkcv.zoo.verify import Check

lang_option = click.option(
    "--lang", type=click.Choice(["en", "zh"]), help="The language.  [default: that of the locale]"
)


@click.group()
def zoo() -> None:
    """The classic CNNs: what there is, what it costs, how it looks, and the proof."""


@zoo.command("list")
@click.argument("pattern", default="*")
@json_option
def list_(pattern: str, as_json: bool) -> None:
    """All networks, or those whose name matches PATTERN, or of the family PATTERN.

    \b
    kkcv zoo list 'resnet*'
    """
    from kkcv.zoo.recorded import names

    rows = [row_of(name) for name in found(names(pattern), pattern)]
    if as_json:
        print_json({"networks": rows})
    else:
        print_networks(rows)


def print_networks(rows: list[dict[str, Any]]) -> None:
    from kkcv.zoo.pages import short

    columns = ["network", "family", "year", "parameters", "multiply-adds", "input", "embedding"]
    print_table(
        [*columns, "weights"],
        [
            (
                r["network"],
                r["family"],
                r["year"],
                short(r["parameters"]),
                short(r["multiply_adds"]),
                r["input"],
                r["embedding"],
                r["weights"],
            )
            for r in rows
        ],
        spare=["embedding", "input", "family"],
    )


def row_of(name: str) -> dict[str, Any]:
    """A network's row of the list."""
    from kkcv.zoo.recorded import families, recorded
    from kkcv.zoo.weights import published

    known, weights = recorded(name), published(name)
    family = families()[known.family]
    return {
        "network": name,
        "family": family.title,
        "year": family.paper.year,
        "parameters": known.parameters,
        "multiply_adds": known.macs,
        "input": "x".join(map(str, known.input_size)),
        "embedding": known.embedding_dim,
        "weights": f"{weights[0].top1:.1f}% top-1" if weights else "",
        "aliases": list(known.aliases),
    }


@zoo.command()
@click.argument("name")
@json_option
def show(name: str, as_json: bool) -> None:
    """The stages of a network as in its paper's table, as measured from the network itself.

    Of a family: its networks.

    \b
    kkcv zoo show resnet50
    kkcv zoo show resnet
    """
    from kkcv.zoo.recorded import families, recorded
    from kkcv.zoo.recorded import family as family_named

    if of := family_named(name):
        show_family(of, as_json)
        return
    known = recorded(name)
    family = families()[known.family]
    if as_json:
        print_json(
            {
                "network": known.name,
                "aliases": list(known.aliases),
                "family": family.title,
                "idea": family.idea,
                "paper": dataclasses.asdict(family.paper),
                "input": list(known.input_size),
                "min_size": known.min_size,
                "embedding": known.embedding_dim,
                "parameters": known.parameters,
                "multiply_adds": known.macs,
                "stages": [dataclasses.asdict(stage) for stage in known.stages],
            }
        )
        return
    introduce(known.name, family)
    if known.aliases:
        echo(f"also called {say(', ').join(known.aliases)}")
    if others := [each for each in family.networks if each != known.name]:
        echo(f"others of {family.title}: {say(', ').join(others)}")
    rows = [
        (
            stage.name,
            " x ".join(map(str, stage.shape)),
            stage.blocks or "",
            f"{stage.parameters:,}",
            f"{stage.macs:,}",
        )
        for stage in known.stages
    ]
    total = (say("all"), "", "", f"{known.parameters:,}", f"{known.macs:,}")
    print_table(["stage", "output", "blocks", "parameters", "multiply-adds"], [*rows, total])


def introduce(name: str, family: "RecordedFamily") -> None:
    """Print the idea of a family's paper, and where it is."""
    from kkcv.zoo.pages import Words

    paper = family.paper
    idea = family.idea if language() == "en" else Words("zh").said(family.idea)
    click.echo(f"{name}{say(': ')}{idea}")
    click.echo(f"{paper.authors}: {paper.title}, {paper.year}, {paper.where}")


def show_family(family: "RecordedFamily", as_json: bool) -> None:
    rows = [row_of(name) for name in family.networks]
    if as_json:
        paper = dataclasses.asdict(family.paper)
        facts = {"family": family.title, "idea": family.idea, "paper": paper, "networks": rows}
        print_json(facts)
    else:
        introduce(family.title, family)
        print_networks(rows)


@zoo.command()
@click.argument("name")
@lang_option
def explain(name: str, lang: str | None) -> None:
    """The textbook's chapter on a network or a family: what its paper found, and how it works.

    In a terminal it is laid out; elsewhere it is printed as Markdown.

    \b
    kkcv zoo explain resnet
    kkcv zoo explain resnet50 --lang zh | less
    """
    from rich.console import Console
    from rich.markdown import Markdown

    from kkcv.zoo.book.reading import for_reading

    text = for_reading(name, lang or language())
    console = Console()
    if console.is_terminal:
        console.print(Markdown(text))
    else:
        click.echo(text)


@zoo.command()
@click.argument("name")
@click.option("-o", "--output", type=click.Path(), help="The file.  [default: NAME.ipynb]")
@lang_option
def notebook(name: str, output: str | None, lang: str | None) -> None:
    """A Jupyter notebook that reads a network against its paper, with cells that run.

    It runs with pip install 'kkcv[notebooks]'. An existing file is not written over.

    \b
    kkcv zoo notebook resnet50
    kkcv zoo notebook mobilenet_v2 --lang zh -o lesson.ipynb
    """
    from kkcv.disk import write_file, writing
    from kkcv.zoo.book.notebook import notebook as made

    file = Path(output or f"{name}.ipynb")
    if file.suffix.lower() != ".ipynb":
        raise RequestError(
            f"a notebook is an .ipynb file, got {file.name}; such as {file.stem}.ipynb"
        )
    text = made(name, lang or language())
    if file.exists():
        raise RequestError(f"{file} is there already; another name: -o NAME.ipynb")
    with writing(file, RequestError):
        write_file(file, text)
    click.echo(str(file))


@zoo.command()
@click.argument("name")
@click.option(
    "-o", "--output", type=click.Path(), help="The file, .svg, .png or .pdf.  [default: NAME.svg]"
)
@lang_option
@click.option(
    "--theme",
    type=click.Choice(["light", "dark", "auto"]),
    default="light",
    show_default=True,
    help="auto, in SVG alone: as the reader's system or page is set.",
)
@click.option(
    "--width",
    type=click.IntRange(320),
    default=640,
    show_default=True,
    help="The pixels it is laid out for: 328 for a phone. Text is 11 pixels high or more.",
)
def draw(name: str, output: str | None, lang: str | None, theme: str, width: int) -> None:
    """A diagram of a network, drawn from the network itself.

    PNG and PDF need pip install 'kkcv[draw]', and take the fonts of this machine.

    \b
    kkcv zoo draw resnet50 -o resnet50.svg
    kkcv zoo draw resnet50 -o resnet50.png --lang zh --theme dark
    """
    file = Path(output or f"{name}.svg")
    from kkcv.disk import atomic_write, writing
    from kkcv.extras import need
    from kkcv.zoo.diagram.files import check_format, converted
    from kkcv.zoo.recorded import recorded

    check_format(file)
    need("torch")
    name = recorded(name).name  # an alias is drawn under its own name
    # only a browser can choose between two sets of colors
    if theme == "auto" and file.suffix.lower() != ".svg":
        raise RequestError(f"--theme auto is for .svg files, got {file.name}: say light or dark")
    with writing(file, RequestError), atomic_write(file) as part:
        echo(f"drawing {name}", err=True)
        from kkcv.zoo.draw import draw as picture

        drawn = picture(name, lang=lang or language(), theme=theme, width=width)
        part.write_bytes(converted(drawn, file.suffix))
    click.echo(str(file))


@zoo.command()
@click.argument("names", nargs=-1)
@click.option("--peers", is_flag=True, help="Also against torchvision, timm and pytorchcv.")
@click.option("--size", type=click.IntRange(32), help="Side of the pictures for --peers, pixels.")
@json_option
def verify(names: tuple[str, ...], peers: bool, size: int | None, as_json: bool) -> None:
    """Check NAMES (names, patterns or families; all if none) against their papers and peers.

    Counts must be exact, multiply-adds within 0.5%, every feature map and the embedding as
    expected; what a paper prints otherwise is explained. With --peers, their weights in ours must
    give the same scores. The exit code is 1 when a check fails.

    \b
    kkcv zoo verify 'mobilenet*'
    """
    chosen = [name for pattern in names or ("*",) for name in matching(pattern)]
    from kkcv.zoo import verify as proof  # after the names: it loads torch
    from kkcv.zoo.pages import Words

    checks: list[Check] = []
    with progress_bar("verifying") as update:
        for done, name in enumerate(chosen, 1):
            checks += proof.verify(name)
            if peers:
                checks += peer_checks(name, size)
            update(done, len(chosen))
    failed = [check for check in checks if not check.passed]
    if as_json:
        print_json(
            {
                "networks": len(chosen),
                "checks": [dataclasses.asdict(check) for check in checks],
                "failed": len(failed),
            }
        )
    else:
        said = Words(language()).said
        rows = [
            (c.network, what_of(c), say(c.expected), say(c.ours), say(c.outcome), say(said(c.note)))
            for c in checks
        ]
        print_table(["network", "what", "expected", "ours", "", "note"], rows)
        outcomes = Counter(check.outcome for check in checks)
        compared = len(checks) - outcomes[""]
        echo(
            f"{counted(len(chosen), 'network')}, {counted(compared, 'check')}, {len(failed)} failed"
            f" ({outcomes['explained']} differ for a reason that is noted; of {outcomes['']} more "
            "figures, such as the papers' accuracies, nothing here can be compared)"
        )
    if failed:
        sys.exit(1)


def what_of(check: "Check") -> str:
    """The fact that was checked and its place in the paper, in the language of the user."""
    if language() == "en" or not check.where:
        return say(check.what, "table")
    from kkcv.zoo.pages import Words

    words = Words(language())
    what = words.said(check.what.removesuffix(f", {check.where}"))
    if stage := re.fullmatch("(parameters|multiply-adds) of (.*)", what):
        what = f"{stage[2]} 的{words.said(stage[1])}"
    return f"{what}，{words.said(check.where)}"


def peer_checks(name: str, size: int | None) -> "list[Check]":
    """The network's answers beside those of its peers, on random pictures."""
    import torch

    from kkcv.zoo import spec
    from kkcv.zoo.verify import verify_peers

    channels, height, width = spec(name).input_size
    generator = torch.Generator().manual_seed(0)  # the same pictures at each run
    return verify_peers(
        name, torch.rand(2, channels, size or height, size or width, generator=generator)
    )


@zoo.command()
@click.argument("names", nargs=-1, required=True)
@click.option("--batch", type=click.IntRange(1), default=8, show_default=True)
@click.option("--threads", type=click.IntRange(1), help="[default: one a core]")
@json_option
def bench(names: tuple[str, ...], batch: int, threads: int | None, as_json: bool) -> None:
    """Show the cost of NAMES (names, patterns or families) and their speed on this machine.

    Eager PyTorch in float32 on random pictures in memory, the best of the passes of two seconds.

    \b
    kkcv zoo bench efficientnet_lite0 resnet50 'mobilenet_v3*'
    """
    chosen = [name for pattern in names for name in matching(pattern)]
    from kkcv.zoo.bench import bench as measure  # after the names: it loads torch
    from kkcv.zoo.pages import short

    with progress_bar("measuring") as update:
        speeds = []
        for done, name in enumerate(chosen, 1):
            speeds.append(measure(name, batch, threads))
            update(done, len(chosen))
    if as_json:
        print_json({"networks": [dataclasses.asdict(speed) for speed in speeds]})
        return
    rows = [
        (
            s.network,
            short(s.parameters),
            short(s.macs),
            "x".join(map(str, s.input_size)),
            s.embedding_dim,
            f"{s.pictures_a_second:.1f}",
        )
        for s in speeds
    ]
    columns = ["network", "parameters", "multiply-adds", "input", "embedding", "pictures/s"]
    title = f"batch {batch}, {speeds[0].threads} threads" if speeds else ""
    print_table(columns, rows, title=title)


def matching(pattern: str) -> list[str]:
    """The networks of a pattern or family, or the one with this name (UnknownNetwork)."""
    from kkcv.zoo.recorded import family, names, recorded

    if family(pattern) or any(sign in pattern for sign in "*?["):
        return found(names(pattern), pattern)
    return [recorded(pattern).name]


def found(names: list[str], pattern: str) -> list[str]:
    if not names:
        raise RequestError(f"no network matches {pattern!r}; see: kkcv zoo list")
    return names
