"""The tables of the documentation: ``python -m kkcv.presets.markdown en|zh``.

A test compares them with docs/embedders.md and docs/zh/embedders.md.
"""

import sys

from .preset import licenses
from .table import rows

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

# What figures.csv says in English: tasks and sources.
CHINESE = {
    "ILIAS, image to image, mAP among 5 million": "ILIAS，以图搜图，500 万张中的 mAP",
    "COCO, text to image, recall@1": "COCO，以文搜图，recall@1",
    "ILIAS, arXiv:2502.11748, its leaderboard": "ILIAS，arXiv:2502.11748，官方排行榜",
    "ILIAS, arXiv:2502.11748, its leaderboard (384 pixels)": (
        "ILIAS，arXiv:2502.11748，官方排行榜（384 像素）"
    ),
    "Perception Encoder, arXiv:2504.13181, README of facebookresearch/perception_models": (
        "Perception Encoder，arXiv:2504.13181，facebookresearch/perception_models 的 README"
    ),
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
        for each in row["figures"]:
            what, source = (
                each[key] if lang == "en" else CHINESE[each[key]] for key in ("measured", "source")
            )
            lines.append(f"| `{row['name']}` | {what} | {each['figure']} | {source} |")
    return "\n".join(lines)


def markdown(lang: str) -> str:
    return "\n\n".join([table(lang), terms(lang), figures(lang)])


if __name__ == "__main__":
    print(markdown(sys.argv[1]))
