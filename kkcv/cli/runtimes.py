"""``kkcv runtimes``: what runs networks here, and how fast."""

import click

from .language import say
from .network import ema_option, weights_meant
from .options import json_option
from .output import print_json, print_table


@click.command()
@click.option("--model", metavar="NAME|RUN", help="A network.  [default: efficientnet_lite0]")
@click.option("--weights", metavar="imagenet|none|PATH", help="[default: imagenet]")
@ema_option
@click.option("--again", is_flag=True, help="Measure again.")
@json_option
def runtimes(
    model: str | None, weights: str | None, ema: bool | None, again: bool, as_json: bool
) -> None:
    """List the runtimes on this machine, their speed, and which one kkcv chose.

    Measured once a network, in processes of their own, and remembered: from then on kkcv takes the
    fastest. Before, it takes OpenVINO where that is installed and answers rightly, else ONNX
    Runtime. To use another: --runtime and --precision of a command, or KKCV_RUNTIME and
    KKCV_PRECISION.

    \b
    kkcv runtimes --again
    """
    from kkcv import environment
    from kkcv.checkpoint import DEFAULT_NETWORK, resolve
    from kkcv.embedding import terms
    from kkcv.embedding.choice import choose
    from kkcv.embedding.measuring import measured as measured_here
    from kkcv.machine import machine

    model = model or DEFAULT_NETWORK
    terms.say(model)
    checkpoint = resolve(model, weights_meant(weights, ema) or "imagenet")
    measured = measured_here(checkpoint, again=again)
    chosen = choose(checkpoint, environment.runtime(), environment.precision())
    if as_json:
        print_json(
            {
                "machine": machine(),
                "network": checkpoint.network,
                "chosen": chosen._asdict(),
                "measured": [m._asdict() for m in measured],
            }
        )
        return
    rows = [
        (
            m.runtime,
            m.precision,
            f"{m.rate:,.0f}" if m.rate else say(m.failure),
            say("chosen") if (m.runtime, m.precision) == chosen else "",
        )
        for m in measured
    ]
    title = f"{checkpoint.network}, {machine()}"
    print_table(["runtime", "precision", "pictures/s", ""], rows, title=title)
