"""Adding pictures: uploads, or a folder of this machine, with a report."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from kkcv.errors import KkcvError, PictureError
from kkcv.search.importing import ImportReport, files_to_import, import_pictures
from kkcv.web.components.guard import show_error
from kkcv.web.components.job import Job, wait_for
from kkcv.web.components.markup import as_markdown
from kkcv.web.galleries.library import Library
from kkcv.web.galleries.local_library import LocalLibrary
from kkcv.web.session import may_name_folders
from kkcv.web.strings import Strings

SHOWN = 50  # rejects


@dataclass
class Report:
    """Numbers of new and known pictures, and name and reason of each rejected one."""

    added: int = 0
    known: int = 0
    rejects: list[tuple[str, str]] = field(default_factory=list)


def add(text: Strings, here: Library) -> None:
    """The ways to add and the last report; or the progress bar of the pictures being added."""
    job: Job[Report] | None = st.session_state.get("adding")
    if job is not None:
        try:
            if not wait_for(job, text, text("library.adding")):
                return
            st.session_state.update(newest=[None], folder="")
            st.query_params.pop("page", None)
        except KkcvError as error:  # such as of a mistyped folder, which stays in its field
            show_error(error)
        except Exception:
            st.session_state["adding"] = None  # show the error once
            raise
        st.session_state["adding"] = None
    upload(text, here)
    if report := st.session_state.get("report"):
        show_report(text, report)


def upload(text: Strings, here: Library) -> None:
    batch = st.session_state.setdefault("batch", 0)  # a new key empties the uploader
    files = st.file_uploader(
        text("library.upload"), accept_multiple_files=True, key=f"files-{batch}"
    )
    if files:
        label = text("library.add", count=len(files)) if len(files) > 1 else text("library.add_one")
        if st.button(label, type="primary"):
            st.session_state["batch"] = batch + 1
            begin(here, lambda job, report: add_files(here, files, job, report))
    elif isinstance(here, LocalLibrary) and may_name_folders():
        typed = st.session_state.get("folder", "")  # Streamlit forgets it while a bar is shown
        with st.expander(text("library.folder"), expanded=bool(typed)):
            path = st.text_input(text("library.folder_path"), typed, placeholder="~/Pictures")
            if st.button(text("library.folder_add"), disabled=not path):
                st.session_state["folder"] = path
                begin(here, lambda job, report: add_folder(here, path, job, report))


def begin(here: Library, work: Callable[[Job[Report], Report], None]) -> None:
    """Add in the background. The report grows meanwhile, so a stopped job has one too."""
    report = Report()

    def run(job: Job[Report]) -> Report:
        here.load()
        work(job, report)
        return report

    st.session_state.update(adding=Job(run), report=report, changed=None)
    st.rerun()


def add_files(
    here: Library, files: Sequence[UploadedFile], job: Job[Report], report: Report
) -> None:
    for number, file in enumerate(files):
        job.progress(number, len(files))
        try:
            new = here.add(file.getvalue(), file.name)
            report.added, report.known = report.added + new, report.known + (not new)
        except PictureError as error:
            report.rejects.append((file.name, error.reason))


def add_folder(here: LocalLibrary, path: str, job: Job[Report], report: Report) -> None:
    """The files stay where they are."""
    total = sum(1 for _ in files_to_import(here.gallery, [path]))

    def progress(so_far: ImportReport) -> None:
        report.added = so_far.added + so_far.replaced + so_far.copied
        report.known = so_far.unchanged + so_far.moved
        report.rejects = [(reject.path, reject.reason) for reject in so_far.rejected]
        job.progress(so_far.files, total)

    import_pictures(here.gallery, [path], progress=progress)


def show_report(text: Strings, report: Report) -> None:
    if report.added or report.known:
        parts = [text("library.added", count=report.added)]
        if report.known:
            parts.append(text("library.known", count=report.known))
        st.success(" · ".join(parts))
    if report.rejects:
        lines = [
            f"- **{as_markdown(name)}** — {text(f'reason.{why}')}"
            for name, why in report.rejects[:SHOWN]
        ]
        if len(report.rejects) > SHOWN:
            lines.append("- …")
        st.warning("\n".join([text("library.rejected", count=len(report.rejects)), "", *lines]))
