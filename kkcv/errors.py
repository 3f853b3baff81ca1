"""Everything that can go wrong and is not a bug, as a tree.

    KkcvError
    ├── PictureError            bytes that cannot be used as a picture, with a reason code
    ├── PreprocessError         an invalid preprocessing specification or backend
    ├── ZooError
    │   ├── UnknownNetwork      a name that is not in the zoo
    │   ├── InputShapeError     a tensor that the network cannot take
    │   └── WeightsError        weights that cannot be found, read, or loaded
    ├── CheckpointError         a checkpoint that is missing, damaged or of another kind
    ├── GalleryError
    │   ├── NotAGallery         a folder without a gallery
    │   ├── GalleryFormatError  a gallery written by a newer kkcv
    │   ├── GalleryLocked       another process is writing
    │   ├── GalleryReadOnly     a gallery that this process may not change
    │   ├── InDoubt             the disk failed while a change was committed
    │   ├── Superseded          the gallery has another network now
    │   ├── EmbedderMismatch    vectors of two embedding spaces would be compared
    │   ├── UnknownPicture      an id that the gallery does not hold
    │   ├── AlreadyThere        a picture that the gallery has under another id
    │   └── FileMissing         a picture whose file has gone or changed since it was indexed
    ├── TimedOut                an answer that took longer than it was given
    ├── RequestError            an invalid request (k of 0, an unknown option)
    │   └── NothingToUndo       no such change of many pictures is kept
    ├── DataError               a folder or table that cannot be trained or evaluated on
    ├── TrainingError           a training run that cannot go on
    ├── ServiceError            a kkcv service that cannot be reached, or that refused a request
    └── MissingExtra            an optional part of kkcv that is not installed

A user can fix each of these, so each message says what happened, which value, and what
would have worked. The command line prints it in one line and exits with 2; the HTTP API
answers problem+json whose ``type`` ends in the error's ``code``.
"""

import copyreg
from typing import Any


class KkcvError(Exception):
    """Base of every error that a user of kkcv can fix."""

    code = "error"

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle without calling ``__init__``: child processes send errors."""
        return copyreg.__newobj__, (type(self), *self.args), self.__dict__  # type: ignore[attr-defined]


class PictureError(KkcvError):
    """Bytes that cannot be used as a picture.

    ``reason`` is one of the stable codes in ``REASONS``; ``str(error)`` is for people.
    """

    code = "bad-picture"
    REASONS = (
        "not-found",  # no file at this path
        "not-a-file",  # a folder, a socket, a device
        "unreadable",  # the operating system refused to read it
        "empty",  # zero bytes
        "bad-base64",  # text that is not base64
        "not-an-image",  # bytes of no known image format
        "unsupported",  # a known format that this installation cannot decode
        "too-many-bytes",  # over the limit on bytes
        "too-many-pixels",  # over the limit on pixels
        "truncated",  # the file ends before the picture does
        "corrupt",  # the decoder gave up
    )

    def __init__(self, message: str, reason: str) -> None:
        if reason not in self.REASONS:
            raise ValueError(f"no reason code {reason!r}; there are {self.REASONS}")
        super().__init__(message)
        self.reason = reason


class PreprocessError(KkcvError):
    """An invalid preprocessing specification or backend."""

    code = "bad-preprocessing"


class ZooError(KkcvError):
    """Base of the errors of networks."""

    code = "zoo"


class UnknownNetwork(ZooError):
    """A name that is not in the zoo."""

    code = "unknown-network"


class InputShapeError(ZooError):
    """A tensor that the network cannot take: too small, with other channels, of another type."""

    code = "bad-input-shape"


class WeightsError(ZooError):
    """Weights that cannot be found, read, or loaded into the network."""

    code = "weights"


class CheckpointError(KkcvError):
    """A checkpoint that is missing, damaged or of another kind."""

    code = "bad-checkpoint"


class GalleryError(KkcvError):
    """Base of the errors of galleries."""

    code = "gallery"


class NotAGallery(GalleryError):
    """A folder without a gallery."""

    code = "not-a-gallery"


class GalleryFormatError(GalleryError):
    """A gallery written by a newer kkcv, or damaged beyond reading."""

    code = "gallery-format"


class GalleryLocked(GalleryError):
    """Another process kept writing until the time to wait was over."""

    code = "gallery-locked"


class GalleryReadOnly(GalleryError):
    """A gallery that this process may read but not change."""

    code = "gallery-read-only"


class InDoubt(GalleryError):
    """The disk failed while a change was committed, and again when it was rolled back.

    The change is not visible now, but may be after the gallery is opened again, unless another
    change comes first.
    """

    code = "in-doubt"


class Superseded(GalleryError):
    """The gallery has another network than when this work began."""

    code = "gallery-superseded"


class EmbedderMismatch(GalleryError):
    """Vectors of two embedding spaces would be compared."""

    code = "embedder-mismatch"


class UnknownPicture(GalleryError):
    """An id that the gallery does not hold."""

    code = "unknown-picture"


class AlreadyThere(GalleryError):
    """A picture that the gallery has under another id."""

    code = "already-there"


class FileMissing(GalleryError):
    """A picture whose file has gone, or holds other bytes than those that were indexed."""

    code = "file-missing"


class RequestError(KkcvError):
    """A request that makes no sense: k of 0, an unknown option, a field too many.

    ``field`` is the option or parameter at fault, as Python calls it, or None where it is not one.
    """

    code = "bad-request"

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class NothingToUndo(RequestError):
    """No change of many pictures is kept, or another one than that which was meant."""

    code = "nothing-to-undo"


class TimedOut(KkcvError):
    """An answer took longer than it was given (``kkcv.deadline``)."""

    code = "timed-out"


class DataError(KkcvError):
    """A folder or table that cannot be trained or evaluated on."""

    code = "bad-data"


class TrainingError(KkcvError):
    """A training run that cannot start or go on."""

    code = "training"


class ServiceError(KkcvError):
    """A kkcv service that cannot be reached, or that refused a request.

    ``status`` is the HTTP status of its answer, or None where there was no answer.
    """

    code = "service"

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class MissingExtra(KkcvError):
    """An optional part of kkcv that is not installed."""

    code = "missing-extra"

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} is not installed; to add it: pip install 'kkcv[{extra}]'")
