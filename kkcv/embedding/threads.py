"""Threads that would fight: pictures are prepared in one thread a core already."""

import threadpoolctl


def numpy_in_one_thread() -> None:
    """NumPy's own products run in the thread that asks, in this process, from now on.

    They are small here (images/backends/opencv.py). Left alone, OpenBLAS starts a thread a core for
    each of them in each decoding thread: an import took three times the processor time, and three
    times the memory. Faiss and torch have their own threads and keep them.
    """
    libraries = threadpoolctl.ThreadpoolController()
    libraries.select(prefix="libscipy_openblas").limit(limits=1)
