"""Groups of pictures that are the same: byte for byte, or by more than one witness.

groups.py     each picture beside the first that it is a duplicate of
witness.py    do two pictures that score high show the same?
decisions.py  what people decided to keep, which does not come back
"""

from .decisions import Decisions as Decisions
from .decisions import forget_decisions as forget_decisions
from .decisions import keep_both as keep_both
from .groups import DuplicateGroup as DuplicateGroup
from .groups import duplicates as duplicates
from .groups import summary_of as summary_of
