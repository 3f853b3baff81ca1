"""``kkcv serve``: the HTTP API."""

import os

import click


@click.command()
@click.argument("gallery")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8000,
    show_default=True,
    help="0 finds a free one.",
)
@click.option(
    "--api-key",
    envvar="KKCV_API_KEY",
    metavar="KEY",
    help="Answer only requests with this key. Better set KKCV_API_KEY: others see the command.",
)
@click.option("--insecure", is_flag=True, help="Listen beyond this machine without a key.")
@click.option(
    "--threads",
    type=click.IntRange(1, 512),
    default=16,
    show_default=True,
    help="Requests answered at the same time.",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 256),
    help="Pictures decoded and embedded at the same time.  [default: one a core, at most 4]",
)
@click.option(
    "--max-body",
    type=click.IntRange(1, 1024),
    default=32,
    show_default=True,
    metavar="MIB",
    help="The largest request.",
)
@click.option(
    "--max-megapixels",
    type=click.IntRange(1, 170),
    default=64,
    show_default=True,
    help="The largest picture.",
)
@click.option("--quiet", is_flag=True, help="No line for each request on standard error.")
def serve(
    gallery: str,
    host: str,
    port: int,
    api_key: str | None,
    insecure: bool,
    threads: int,
    workers: int | None,
    max_body: int,
    max_megapixels: int,
    quiet: bool,
) -> None:  # fmt: skip
    """Answer searches over HTTP; the API is described at /docs.

    SIGTERM and Ctrl-C let the requests in flight finish.

    \b
    kkcv serve photos.kkcv --port 8000
    """
    from kkcv.serve.settings import MIB, Settings, allowed_hosts, usual_workers

    workers = workers or usual_workers()
    settings = Settings(
        api_key=api_key,
        hosts=allowed_hosts(host, api_key, insecure),
        max_body=max_body * MIB,
        max_pixels=max_megapixels * 1_000_000,
        workers=workers,
    )
    # Before torch and Faiss are imported: each worker would start a thread for every core.
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // workers)))
    from kkcv.serve.logs import log_to_stderr
    from kkcv.serve.run import run

    log_to_stderr(requests=not quiet)
    run(gallery, settings, host=host, port=port, threads=threads, announce=click.echo)
