"""SqueezeNet in torchvision and pytorchcv.

torchvision numbers all layers through, so that each version has numbers of its own.
"""

from kkcv.zoo.squeezenet import V1_0, V1_1, Row


def _numbered(rows: tuple[Row, ...]) -> tuple[tuple[str, str], ...]:
    """torchvision: convolution, ReLU and pool are 0 to 2; a fire module or a pool counts one."""
    table, number = [(r"^features\.0\.", "stages.conv1.conv.")], 3
    for i, (*_, pool) in enumerate(rows, start=2):
        table.append((rf"^features\.{number}\.", f"stages.fire{i}."))
        number += 1 + pool
    return (
        *table,
        (r"\.(squeeze|expand1x1|expand3x3)\.", r".\1.conv."),
        (r"^classifier\.1\.", "head.conv10."),
    )


def _staged(rows: tuple[Row, ...]) -> tuple[tuple[str, str], ...]:
    """pytorchcv: a stage of units up to each pool."""
    table, stage, unit = [(r"^features\.init_block\.conv\.", "stages.conv1.conv.")], 1, 1
    for i, (*_, pool) in enumerate(rows, start=2):
        table.append((rf"^features\.stage{stage}\.unit{unit}\.", f"stages.fire{i}."))
        stage, unit = (stage + 1, 1) if pool else (stage, unit + 1)
    return (*table, (r"^output\.final_conv\.", "head.conv10."))


KEYS = {
    f"{peer}, {version}": table(rows)
    for version, rows in (("1.0", V1_0), ("1.1", V1_1))
    for peer, table in (("torchvision", _numbered), ("pytorchcv", _staged))
}
