"""The learning-rate finder."""

from lightning.pytorch.tuner import Tuner

from kkcv.errors import TrainingError
from kkcv.training.plan import Stage, stages
from kkcv.zoo.network import Network

from .batches import Loader
from .datasets import Embeddings, Pictures
from .job import Job
from .progress import Figures, Progress
from .trainer import Position, classifier_for, order_for, trainer_for

LOWEST_RATE, HIGHEST_RATE, RATE_STEPS = 1e-6, 1.0, 100  # of the learning-rate finder


def find_rate(job: Job, stage: Stage, network: Network, train: Embeddings | Pictures) -> float:
    """The learning rate where the loss falls fastest, by Lightning's range test.

    Smith: Cyclical Learning Rates for Training Neural Networks, arXiv:1506.01186, section 3.3. All
    groups have the same rate during the test; the network is as before after it.

    Raises TrainingError where the loss never falls, and for more than one process.
    """
    if job.processes.world > 1:
        raise TrainingError("find_lr works in one process; find the rate first, then give it as lr")
    before = {name: value.clone() for name, value in network.state_dict().items()}
    place, progress = Position(), Progress()
    progress.latest = Figures(0.0, 0.0)
    order = order_for(job, len(stages(job.recipe)), len(train), place)
    module = classifier_for(job, stage, network, progress, len(order))
    place.trainer = trainer_for(
        job, logger=False, enable_checkpointing=False, limit_val_batches=0, max_epochs=-1
    )
    finder = Tuner(place.trainer).lr_find(
        module,
        Loader(train, order),
        min_lr=LOWEST_RATE,
        max_lr=HIGHEST_RATE,
        num_training=RATE_STEPS,
        update_attr=False,
    )
    rate = finder.suggestion() if finder else None
    network.load_state_dict(before)
    if rate is None:
        raise TrainingError("no learning rate lets the loss fall; give one as lr and head_lr")
    job.reporter.show(f"{stage.name}: learning rate {rate:.2g}", 1, 1)
    return float(rate)
