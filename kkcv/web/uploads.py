"""Uploads of all visitors have a total size; those of visitors who left are dropped.

Streamlit keeps each upload in memory while its visitor is there, however many there are.
"""

import gc
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import streamlit as st
from streamlit.runtime import Runtime
from streamlit.runtime.uploaded_file_manager import UploadedFileRec

MOST = 512 * 1024 * 1024  # bytes of all visitors: eight of the largest files
LOOK_SECONDS = 15.0  # between two looks for visitors who left


class Uploads:
    """Keeps the newest uploads, up to a total; the oldest are dropped for them."""

    def __init__(
        self, manager: Any, is_there: Callable[[str], bool], most: int | None = None
    ) -> None:
        self._manager = manager
        self._is_there = is_there
        self._most = MOST if most is None else most
        self._add = manager.add_file
        self._sizes: OrderedDict[tuple[str, str], int] = OrderedDict()  # by session and file
        self._lock = threading.Lock()
        manager.add_file = self.add

    def add(self, session_id: str, file: UploadedFileRec) -> None:
        """In place of the manager's own method."""
        with self._lock:
            self._forget_removed()
            self._sizes[session_id, file.file_id] = len(file.data)
            self._add(session_id, file)
            while sum(self._sizes.values()) > self._most:
                self._manager.remove_file(*self._sizes.popitem(last=False)[0])

    def give_back(self) -> None:
        """Drop the uploads of visitors who left."""
        with self._lock:
            gone = {session for session, _ in self._sizes if not self._is_there(session)}
            for session in gone:
                self._manager.remove_session_files(session)
            self._forget_removed()
        if gone:
            gc.collect()  # sessions refer to themselves

    def _forget_removed(self) -> None:
        for session, file in list(self._sizes):
            if not self._manager.get_files(session, [file]):
                del self._sizes[session, file]


@st.cache_resource(show_spinner=False)
def limit_uploads() -> None:
    """Watch over the uploads of this process; the first visitor starts it."""
    if not Runtime.exists():  # a page that is tested without a server
        return
    runtime = Runtime.instance()
    uploads = Uploads(runtime.uploaded_file_mgr, runtime.is_active_session)

    def watch() -> None:
        while True:
            time.sleep(LOOK_SECONDS)
            uploads.give_back()

    threading.Thread(target=watch, name="kkcv-uploads", daemon=True).start()
