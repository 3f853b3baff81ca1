"""A linear classifier on embeddings: it is solved, where other heads are trained in steps.

Its cross entropy with an L2 penalty is convex (multinomial logistic regression), so L-BFGS finds
the least of it, however many classes there are. A fixed number of AdamW's steps does not get there
with few pictures of many classes, and judges new ones worse (docs/training.md).
"""

from typing import Any

import torch
from torch import Tensor, nn

from .batches import Batch
from .classifier import Classifier

# Of the squared weights, in mean squares of the embeddings' values, spread over the pictures as for
# weights with a normal prior. A fifth of it or three times as much makes hardly more errors.
PENALTY = 15.0
ITERATIONS = 25  # of L-BFGS at most, for each epoch that a head in steps would have


def is_linear(head: nn.Module) -> bool:
    """Whether all that learns in a head is one linear layer."""
    learning = [m for m in head.modules() if next(m.parameters(recurse=False), None) is not None]
    return len(learning) == 1 and isinstance(learning[0], nn.Linear)


class LinearClassifier(Classifier):
    """Logistic regression in one step, which takes all embeddings.

    No epoch is chosen by the validation part: one before the end would be a worse classifier.
    """

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        self.model.eval()  # with dropout, each look at the loss would see another one
        self.penalty = PENALTY / len(batch.inputs) * batch.inputs.square().mean()

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        self.train_sums = torch.zeros_like(self.train_sums)  # the last look at the loss counts
        loss = super().training_step(batch, batch_idx)
        weight = next(parameter for parameter in self.model.parameters() if parameter.ndim == 2)
        return loss + self.penalty / 2 * weight.square().sum()

    def configure_optimizers(self) -> Any:
        return torch.optim.LBFGS(
            self.model.parameters(),
            max_iter=ITERATIONS * max(1, self.recipe.head_epochs),
            history_size=10,
            line_search_fn="strong_wolfe",
        )
