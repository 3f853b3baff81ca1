"""A network in training: loss, optimizer and schedule, as a PyTorch Lightning module."""

import math
from typing import Any

import lightning.pytorch as pl
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.transforms import v2

from kkcv.errors import TrainingError
from kkcv.training.plan import Stage
from kkcv.training.recipe import Recipe
from kkcv.zoo.network import Network, TrainingScores

from .batches import Batch, seed_of
from .freezing import layers, parameter_groups, training_mode
from .progress import Figures, Progress, TrainingFigures

# How much the losses of auxiliary heads count, by family. GoogLeNet: section 5 of its paper.
# The later Inceptions: the authors' code; their papers name no weight.
AUXILIARY_WEIGHTS = {
    "googlenet": 0.3,
    "inception_v3": 0.4,
    "inception_v4": 0.4,
    "inception_resnet": 0.4,
}


class Classifier(pl.LightningModule):
    """One stage of training of a network, or of its head alone on embeddings.

    Random choices of a step depend only on seed, stage, epoch and step: see ``batches``.
    """

    def __init__(
        self,
        network: Network,
        stage: Stage,
        recipe: Recipe,
        progress: Progress,
        steps: int,
        *,
        class_weights: Tensor | None = None,
        mix: v2.Transform | None = None,
    ) -> None:
        super().__init__()
        assert network.spec is not None
        self.model: nn.Module = network.head if stage.on_embeddings else network
        self.stage, self.recipe, self.progress, self.mix = stage, recipe, progress, mix
        self.steps = steps  # of the whole stage
        self.auxiliary_weight = (
            AUXILIARY_WEIGHTS.get(network.spec.family.name, 0.3)
            if recipe.auxiliary_weight < 0
            else recipe.auxiliary_weight
        )
        self.register_buffer("class_weights", class_weights, persistent=False)
        self.class_weights: Tensor | None
        # Loss, right answers and pictures of an epoch; no buffers, which are averaged like weights.
        self.train_sums = self.val_sums = self.resumed_sums = torch.zeros(3)

    def forward(self, inputs: Tensor) -> Tensor | TrainingScores:
        if inputs.ndim == 4:
            # convolutions are quicker so
            inputs = inputs.contiguous(memory_format=torch.channels_last)
        return self.model(inputs)

    # Training

    def on_train_epoch_start(self) -> None:
        self.train_sums = torch.zeros(3, device=self.device)

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        training_mode(self.model, freeze_norms=self.recipe.freezes_norms)
        torch.manual_seed(  # for dropout, dropped paths and mixing
            seed_of(
                self.recipe.seed,
                self.progress.stage,
                self.current_epoch,
                batch_idx,
                self.global_rank,
            )
        )

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        inputs, labels = batch.inputs, batch.labels
        targets = labels
        if self.mix is not None:
            inputs, targets = self.mix(inputs, labels)
        out = self(inputs)
        scores, auxiliary = out if isinstance(out, TrainingScores) else (out, ())
        loss = self.losses(scores, targets).mean()
        for extra in auxiliary:
            loss = loss + self.auxiliary_weight * self.losses(extra, targets).mean()
        right = (scores.detach().argmax(1) == labels).sum()
        count = len(labels)
        # kept on the device: to read them would wait for it at each step
        self.train_sums += torch.stack(
            [loss.detach().float() * count, right, right.new_tensor(count)]
        )
        self.log("step_loss", loss)
        return loss

    def losses(self, scores: Tensor, targets: Tensor) -> Tensor:
        """Cross entropy of each picture, (N,), times the weight of its class."""
        return F.cross_entropy(
            scores,
            targets,
            weight=self.class_weights,
            label_smoothing=self.recipe.label_smoothing,
            reduction="none",
        )

    def on_train_epoch_end(self) -> None:
        loss, right, count = self.total(self.train_sums)
        if not math.isfinite(loss):
            raise TrainingError(
                f"the loss is no longer finite in epoch {self.current_epoch} of the stage "
                f"{self.stage.name!r}; lower its learning rate, or clip gradients"
            )
        optimizer = self.optimizers()
        assert isinstance(optimizer, pl.core.optimizer.LightningOptimizer)
        figures = TrainingFigures(loss / count, right / count, optimizer.param_groups[0]["lr"])
        self.progress.end_epoch(self.stage.name, self.current_epoch, figures)
        self.log("train_loss", figures.loss)
        self.log("train_accuracy", figures.accuracy)

    # Validation

    def on_validation_epoch_start(self) -> None:
        self.val_sums = torch.zeros(3, device=self.device)

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        scores = self(batch.inputs)
        assert isinstance(scores, Tensor)
        # half precision would round small losses away
        losses = F.cross_entropy(scores.float(), batch.labels, reduction="none")
        right = scores.argmax(1) == batch.labels
        sums = torch.stack([losses, right.float(), torch.ones_like(losses)])
        self.val_sums += (sums * batch.counts).sum(1)

    def validation_figures(self) -> Figures:
        """The figures over all processes."""
        loss, right, count = self.total(self.val_sums)
        return Figures(loss / count, right / count)

    def on_validation_epoch_end(self) -> None:
        figures = self.validation_figures()
        self.log("val_loss", figures.loss)
        self.log("val_accuracy", figures.accuracy)

    def total(self, sums: Tensor) -> tuple[float, float, float]:
        loss, right, count = self.trainer.strategy.reduce(sums.clone(), reduce_op="sum").tolist()
        return loss, right, count

    # Steps

    def configure_optimizers(self) -> Any:
        which = layers(self.model) if isinstance(self.model, Network) else [("head", [self.model])]
        recipe, stage = self.recipe, self.stage
        groups = parameter_groups(which, stage.lr, stage.lr_decay, recipe.weight_decay)
        optimizer: torch.optim.Optimizer
        if recipe.optimizer == "sgd":
            optimizer = torch.optim.SGD(groups, lr=stage.lr, momentum=recipe.momentum)
        else:
            optimizer = torch.optim.AdamW(groups, lr=stage.lr)
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda step: rate_at(step, self.steps, recipe.warmup)
        )
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    # Killed and resumed

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        world = self.trainer.world_size
        # each process loads all of it, and their sum is the whole again
        sums = [part / world for part in self.total(self.train_sums)]
        checkpoint["kkcv"] = self.progress.to_state() | {"train_sums": sums}

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.resumed_sums = torch.tensor(checkpoint["kkcv"]["train_sums"])

    def on_train_start(self) -> None:
        """Restore the sums of a resumed epoch; a new epoch sets them to zero."""
        self.train_sums = self.resumed_sums.to(self.device)


def rate_at(step: int, steps: int, warmup: float) -> float:
    """Share of the learning rate: a linear rise, then half a cosine down to zero.

    Goyal et al., arXiv:1706.02677, section 2.2; Loshchilov & Hutter, arXiv:1608.03983.
    """
    rise = round(warmup * steps)
    if step < rise:
        return (step + 1) / (rise + 1)
    return 0.5 * (1 + math.cos(math.pi * (step - rise) / max(1, steps - rise)))
