"""Names of files and classes, shown as they are."""

from html import escape


def as_markdown(name: str) -> str:
    """Markdown that shows just this."""
    return "".join(f"\\{c}" if c in r"\`*_{}[]()#+-.!|<>$:~^" else c for c in name)


def as_html(name: object) -> str:
    """HTML that shows just this."""
    return escape(str(name))
