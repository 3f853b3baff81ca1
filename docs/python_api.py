"""The reference of Python, made from the docstrings and signatures of what programs use."""

from collections.abc import Iterator
from pathlib import Path

import griffe

PAGE = """\
# Python

What a program uses. Everything else in the package may change from one version to the next.
`import kkcv` takes well under a second: torch and Faiss are imported when they are used.

## Galleries

::: kkcv.search.gallery.Gallery

::: kkcv.hits.Hits

::: kkcv.hit.Hit

::: kkcv.search.options.SearchOptions

Its fields are listed [on their own page](options.md).

::: kkcv.query.Like

::: kkcv.query.Region

::: kkcv.query.Text

::: kkcv.search.importing.import_pictures

::: kkcv.search.learning.feedback.rocchio

::: kkcv.search.explain.explain

::: kkcv.embedding.explanation.Explanation

::: kkcv.search.quality.selfcheck.selfcheck

::: kkcv.search.learning.adapt.adapt

::: kkcv.search.learning.adapt.undo

## Pictures and vectors

::: kkcv.embedding.embedder.Embedder

::: kkcv.images.decode.decode

::: kkcv.images.preprocess.Preprocess

## Classes

::: kkcv.classify.Classifier

::: kkcv.checkpoint.Checkpoint

## The zoo

::: kkcv.zoo.list_models

::: kkcv.zoo.registry.spec

::: kkcv.zoo.registry.create

::: kkcv.zoo.network.Network

::: kkcv.zoo.feature_maps.FeatureMaps

::: kkcv.zoo.network.Spec

::: kkcv.zoo.costs.cost

## The HTTP client

::: kkcv.client.Client

## Errors

::: kkcv.errors
    options:
      show_root_heading: false
      heading_level: 3
"""
WIDTH = 88  # columns of a signature


def markdown() -> str:
    """The page: PAGE, with a section in place of each ``::: name``."""
    package = griffe.load("kkcv", search_paths=[Path(__file__).parents[1]])
    parts = []
    for line in PAGE.splitlines():
        name = line.removeprefix("::: kkcv.")
        parts.append("\n".join(section(package[name])) if name != line else line)
    return "\n".join(parts).rstrip() + "\n"


def section(found: griffe.Object | griffe.Alias) -> Iterator[str]:
    """The heading, signature and docstring of an object, then those of its public members."""
    thing = found.final_target if isinstance(found, griffe.Alias) else found
    if isinstance(thing, griffe.Module):
        yield from errors(thing)
        return
    yield f"### {thing.name}\n"
    yield from described(thing)
    if not isinstance(thing, griffe.Class):
        return
    for name, member in thing.all_members.items():
        if name.startswith("_"):
            continue
        member = member.final_target if isinstance(member, griffe.Alias) else member
        if isinstance(member, griffe.Function):
            yield f"#### {thing.name}.{name}\n"
            yield from described(member)
        elif isinstance(member, griffe.Attribute) and (member.docstring or member.annotation):
            kind = f": {member.annotation}" if member.annotation else ""
            text = f" {member.docstring.value.splitlines()[0]}" if member.docstring else ""
            yield f"- `{name}{kind}`{text}\n"


def errors(module: griffe.Module) -> Iterator[str]:
    """The exceptions of a module as a list: each with its kind and its first sentence."""
    for each in module.classes.values():
        bases = ", ".join(map(str, each.bases))
        first = each.docstring.value.splitlines()[0] if each.docstring else ""
        yield f"- `{each.name}` ({bases}): {first}"
    yield ""


def described(thing: griffe.Object) -> Iterator[str]:
    if isinstance(thing, griffe.Function):
        yield f"```python\n{signature(thing)}\n```\n"
    elif isinstance(thing, griffe.Class) and "__init__" in thing.all_members:
        init = thing.all_members["__init__"]
        init = init.final_target if isinstance(init, griffe.Alias) else init
        if isinstance(init, griffe.Function):
            yield f"```python\n{signature(init, thing.name)}\n```\n"
            if init.docstring and thing.docstring:
                yield from prose(thing.docstring)
                yield from prose(init.docstring)
                return
    if thing.docstring:
        yield from prose(thing.docstring)


def prose(docstring: griffe.Docstring) -> Iterator[str]:
    """A docstring in Markdown: paragraphs, and lists of arguments and errors."""
    for part in docstring.parse("google", warnings=False):
        if part.kind is griffe.DocstringSectionKind.text:
            yield f"{part.value}\n"
            continue
        if isinstance(part.value, str):
            yield f"```python\n{part.value}\n```\n"
            continue
        yield f"**{part.kind.value.capitalize()}**\n"
        for each in part.value:
            if isinstance(each, tuple):  # of examples: text, or code
                yield str(each[1])
                continue
            name = getattr(each, "name", "") or str(each.annotation or "")
            yield f"- `{name}`: {' '.join(each.description.split())}"
        yield ""


def signature(function: griffe.Function, name: str = "") -> str:
    """The call, with types and defaults: on one line, or a parameter a line."""
    kinds = griffe.ParameterKind
    words, starred = [], False
    for each in function.parameters:
        if each.name in ("self", "cls"):
            continue
        star = {kinds.var_positional: "*", kinds.var_keyword: "**"}.get(each.kind, "")
        if each.kind is kinds.keyword_only and not starred:
            words.append("*")
        starred = starred or each.kind in (kinds.keyword_only, kinds.var_positional)
        kind = f": {each.annotation}" if each.annotation is not None else ""
        default = "" if each.default is None or star else f" = {each.default}"
        words.append(f"{star}{each.name}{kind}{default}")
    returns = f" -> {function.returns}" if function.returns is not None and not name else ""
    name = name or function.name
    line = f"{name}({', '.join(words)}){returns}"
    if len(line) <= WIDTH:
        return line
    return "\n".join([f"{name}(", *(f"    {word}," for word in words), f"){returns}"])
