"""The tables of embedders.md: ``python -m docs.embedder_tables en|zh``.

A test compares them with docs/embedders.md and docs/zh/embedders.md.
"""

import sys

from kkcv.presets.preset import licenses
from kkcv.presets.table import quoted, rows

WORDS = {
    "en": {
        "head": "| `--model` | network | input | numbers | MB | reads text | license |",
        "figures": "| `--model` | measured | figure | who says so |",
        "yes": "up to {} tokens",
        "no": "no",
    },
    "zh": {
        "head": "| `--model` | 网络 | 输入 | 维数 | MB | 读文字 | 许可证 |",
        "figures": "| `--model` | 测的是什么 | 数值 | 出处 |",
        "yes": "至多 {} 个词元",
        "no": "否",
    },
}


def table(lang: str) -> str:
    """A row for each embedder."""
    words = WORDS[lang]
    lines = [words["head"], "|---|---|--:|--:|--:|---|---|"]
    for row in rows():
        reads = words["yes"].format(row["context"]) if row["reads_text"] else words["no"]
        lines.append(
            f"| `{row['name']}` | `{row['id']}` | {row['input']} | {row['numbers']} "
            f"| {row['megabytes']:,} | {reads} | {row['license']} |"
        )
    return "\n".join(lines)


def terms(lang: str) -> str:
    """The licenses in plain words."""
    return "\n".join(
        f"- [{each.name}]({each.address}): {each.en if lang == 'en' else each.zh}"
        for each in licenses().values()
    )


def figures(lang: str) -> str:
    """Figures that others have measured and published."""
    lines = [WORDS[lang]["figures"], "|---|---|--:|---|"]
    for row in rows():
        for each in quoted(row, lang):
            lines.append(f"| `{row['name']}` | {' | '.join(each)} |")
    return "\n".join(lines)


def markdown(lang: str) -> str:
    return "\n\n".join([table(lang), terms(lang), figures(lang)])


if __name__ == "__main__":
    print(markdown(sys.argv[1]))
