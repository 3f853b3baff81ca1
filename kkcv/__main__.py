"""``python -m kkcv``."""

from kkcv.cli import main

main(prog_name="kkcv")
