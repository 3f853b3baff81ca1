"""One child process that runs networks with PyTorch: worker.py asks, child.py answers."""

Model = tuple[str, str]  # a network's name and its weights, as checkpoint.resolve takes them
