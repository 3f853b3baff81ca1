"""``--auto``: stages, epochs and input size that fit into the time, from what a machine can do."""

from dataclasses import replace

from kkcv import zoo

from .estimate import Costs, Counts, look, measuring_seconds, stage_seconds
from .plan import stages
from .recipe import Recipe

# Networks trained on random crops see things larger than they are in a whole picture, so that more
# pixels than in training suit them at test time: Touvron et al., Fixing the train-test resolution
# discrepancy, arXiv:1906.06423.
LARGER = 9 / 7  # 224 pixels become 288
MOST_EPOCHS = 8
DEPTHS = ("all", "3", "1")  # the first that there is time for
MARGIN = 0.7  # share of the time that is planned with: estimates are rough


def choose(recipe: Recipe, counts: Counts, costs: Costs, elapsed: float) -> Recipe:
    """The recipe with the settings that bring the most within its minutes.

    The head alone comes first, in any case. Then the head at a larger size, on center and whole of
    each picture, then as many epochs of as much of the network as there is time for. An epoch
    counts only if neither loss nor accuracy on the validation part is worse than before it.

    Args:
        elapsed: seconds since the run began.
    """
    left = MARGIN * 60 * recipe.minutes - elapsed
    head = replace(
        recipe, choose_by="both", tta=True, unfreeze="none", fine_size=0, fine_whole=False
    )
    side = recipe.fine_size or larger(costs, recipe.size)
    again = replace(head, unfreeze="0", fine_size=side, fine_whole=True)
    deeper = [
        replace(again, unfreeze=f"0,{depth}", epochs=epochs)
        for depth in DEPTHS
        for epochs in range(MOST_EPOCHS, 0, -1)
    ]
    fitting = (each for each in (*deeper, again) if seconds(each, counts, costs) <= left)
    return next(fitting, head)


def larger(costs: Costs, size: int) -> int:
    """The larger side of the input, or the network's own where it takes no other."""
    if zoo.spec(costs.base.network).fixed_size:
        return 0
    side = size or costs.base.preprocess.size[0]
    return 32 * round(side * LARGER / 32)  # the stride of most networks


def seconds(recipe: Recipe, counts: Counts, costs: Costs) -> float:
    plan = stages(recipe)
    # The validation part is scored without mirror images too, to see whether they help.
    twice = counts.val * look(plan[-1], costs)
    return (
        sum(stage_seconds(stage, counts, costs) for stage in plan)
        + measuring_seconds(plan, recipe.tta, counts, costs)
        + twice
    )
