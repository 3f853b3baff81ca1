"""Quality on labelled pictures: ``kkcv evaluate search`` and ``kkcv evaluate classifier``."""

from typing import Any

import click

from kkcv.errors import RequestError
from kkcv.search.options import OPTIONS, SearchOptions

from .evaluate_classifier import classifier
from .network import Network, network_options
from .options import json_option, threads_option
from .output import print_json, print_table, progress_bar, tell_skipped


@click.group()
def evaluate() -> None:
    """Measure retrieval, or a trained classifier, on labelled pictures."""


evaluate.add_command(classifier)


@evaluate.command("search")
@click.argument("folder")
@network_options
@threads_option
@click.option(
    "--ranking",
    metavar="NAME,…",
    default="plain",
    show_default=True,
    help=f"{OPTIONS['ranking'].help} Several are compared in a table.",
)
@click.option("--verify", is_flag=True, help="Verify the first hits point by point.")
@click.option(
    "--max-chance", type=float, metavar="RATE", help="Report what this cut-off would keep."
)
@json_option
def search(
    folder: str,
    network: Network,
    threads: int | None,
    ranking: str,
    verify: bool,
    max_chance: float | None,
    as_json: bool,
) -> None:
    """Leave-one-out retrieval over FOLDER, whose subfolders are classes.

    Each picture is searched among all others. mAP ranks them all; precision@k is the share of the
    first k hits that are of the query's class; recall@k is the share of queries with at least one
    of their class among the first k. Several networks, with commas between, are compared in a
    table, with the milliseconds of a picture, and the numbers and bytes of its vector.

    \b
    kkcv evaluate search flowers/ --model resnet50
    kkcv evaluate search flowers/ --model efficientnet_lite0,dinov3-small,siglip2-base
    kkcv evaluate search flowers/ --ranking plain,expanded,best
    """
    from kkcv.search.quality.compare import compare_models
    from kkcv.search.quality.evaluate import compare_rankings, evaluate_search

    rankings = [name.strip() for name in ranking.split(",")]
    for name in rankings:
        SearchOptions(ranking=name, max_chance=max_chance)  # raises before anything is embedded
    networks = network.several()
    if len(networks) > 1 and len(rankings) > 1:
        raise RequestError("compare several networks, or several rankings, but not both at once")
    for each in networks if len(networks) > 1 else ():
        each.check()  # before anything is embedded
    asked: dict[str, Any] = {"verify": verify, "max_chance": max_chance, "threads": threads}
    with progress_bar("embedding") as update:
        if len(networks) > 1:
            by_name = {str(each.model): each for each in networks}
            result = compare_models(
                folder,
                list(by_name),
                lambda name: by_name[name].load(),
                ranking=ranking,
                progress=update,
                **asked,
            )
        elif len(rankings) > 1:
            embedder = network.load()
            result = compare_rankings(folder, embedder, rankings, progress=update, **asked)
        else:
            embedder = network.load()
            result = evaluate_search(folder, embedder, ranking=ranking, progress=update, **asked)
    tell_skipped(result["rejected"])
    if as_json:
        print_json(result)
    else:
        if compared := result.pop("rankings", None):
            print_table(list(compared[0]), [list(row.values()) for row in compared])
        if compared := result.pop("models", None):
            columns = [name for name in compared[0] if name not in ("network", "fingerprint")]
            print_table(columns, [[row[name] for name in columns] for row in compared])
        rows = [(k, f"{v:.4f}" if isinstance(v, float) else v) for k, v in result.items()]
        print_table(["", ""], [row for row in rows if row[0] != "rejected"])
