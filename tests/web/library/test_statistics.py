"""The charts of a library."""

import numpy as np

from kkcv.web.galleries.library import Entry
from kkcv.web.library.statistics import Overview, colorings
from kkcv.web.strings import Strings


def test_the_map_is_colored_by_fields_that_have_a_word_for_each_picture() -> None:
    metadata = [{"label": "cat", "exif": {"width": 4}}, {"label": "dog", "exif": {"width": 5}}]
    entries = [Entry(n, f"/same/{n}.jpg", "", each) for n, each in enumerate(metadata)]
    none = np.empty(0)
    seen = Overview(entries, [None, None], np.empty((0, 2)), np.array([0, 0]), none, none)

    assert list(colorings(Strings("en"), seen)) == ["label", "Cluster"]
