"""The report is one file for people, and the plots show what they should."""

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn import metrics as peer

from kkcv.training.data.inspection import Unreadable
from kkcv.training.data.report import DataReport, DuplicateGroup
from kkcv.training.data.source import Source
from kkcv.training.evaluation.contact_sheets import likeliest_mislabelled, most_confidently_wrong
from kkcv.training.evaluation.metrics import measure, softmax
from kkcv.training.evaluation.plots import draw, rates
from kkcv.training.evaluation.report import write_report
from kkcv.training.fit.progress import COLUMNS, Figures, Progress, TrainingFigures
from kkcv.training.origin import Origin
from kkcv.training.recipe import Recipe
from kkcv.training.run_data import RunData
from kkcv.training.run_folder import RunFolder

ORIGIN = Origin("kkcv train <em>", "2026-01-01T00:00:00+00:00", 1.5, "a CPU", {"kkcv": "0"})


def test_the_report_needs_no_other_file_and_no_network(run):
    html = (run / "report.html").read_text()

    sources = re.findall(r'(?:src|href)="([^"]*)"', html)
    assert len(sources) >= 4
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    assert "http" not in re.sub(r"data:[^\"]*", "", html)
    for title in (
        "Loss and accuracy",
        "Confusion matrix",
        "ROC and precision-recall",
        "Reliability",
    ):
        assert f'<h2><span lang="en">{title}</span><span lang="zh">' in html
    assert cells(html, "pictures") == "72"
    assert cells(html, "exact copies of another") == "0"


def cells(html: str, name: str) -> str:
    """The cell beside this name in a table of two columns."""
    (value,) = re.findall(rf'<td><span lang="en">{name}</span>.*?</td><td>(.*?)</td>', html)
    return str(value)


def test_whatever_the_report_says_it_says_in_english_and_chinese(run):
    html = (run / "report.html").read_text()

    pairs = re.findall(r'<span lang="en">(.*?)</span><span lang="zh">(.*?)</span>', html, re.DOTALL)
    assert len(pairs) > 30
    assert all(re.search("[一-鿿]", chinese) for english, chinese in pairs if english != "中文")
    for text in re.findall(r"<p[^>]*>(.*?)</p>", html, re.DOTALL):  # whole sentences, not pieces
        outside = re.sub(r"<span lang=[^>]*>.*?</span>", "", text, flags=re.DOTALL)
        assert not re.search(r"^[,.]|[,.]$", outside.strip())
    for text in re.findall(r"<(?:h2|p|p class=.faint.)>(.*?)</", html, re.DOTALL):
        assert text.lstrip().startswith('<span lang="en">')


@pytest.mark.parametrize(
    ("locale", "switch", "heading", "other"),
    [("en-US", "中文", "Classes", "类别"), ("zh-CN", "English", "类别", "Classes")],
)
def test_it_speaks_the_language_of_the_browser_and_the_other_at_a_click(
    run, chromium, locale, switch, heading, other
):
    page = chromium.new_context(locale=locale).new_page()
    page.goto((run / "report.html").as_uri())

    headings = page.get_by_role("heading", level=2)
    assert heading in headings.all_inner_texts()
    assert other not in headings.all_inner_texts()
    page.get_by_role("button", name=switch).click()
    assert other in headings.all_inner_texts()
    assert heading not in headings.all_inner_texts()


@pytest.mark.parametrize(("language", "heading"), [("en", "Data"), ("zh", "数据")])
def test_a_page_that_shows_it_chooses_its_language(run, chromium, language, heading):
    page = chromium.new_context(locale="zh-CN" if language == "en" else "en-US").new_page()
    page.set_content(RunFolder(run).report_in(language))

    assert heading in page.get_by_role("heading", level=2).all_inner_texts()


def test_names_from_the_disk_cannot_change_the_report(tmp_path: Path):
    classes = ("<script>alert(1)</script>", "猫")
    p, labels = np.array([[0.9, 0.1], [0.2, 0.8]]), np.array([0, 1])
    results = {"part": "val", "temperature": 1.0, "parts": {"val": measure(p, labels, classes)}}
    found = DataReport(
        pictures=2,
        classes={c: {"val": 1} for c in classes},
        unreadable=[Unreadable("<i>", "empty", "<i>: it is empty")],
        empty_classes=[],
        loose=["<s>.jpg"],
        duplicates=[DuplicateGroup(2, 1, {"a": 2}, {"train": 1, "val": 1}, ["<u>", "b"])],
        near_duplicates_searched=True,
        divided={},
        unmeasured=[],
        smallest=[],
    )
    facts = RunData(Source(Path("<b>here</b>")), Path(), "f", classes, (), found)

    write_report(tmp_path / "r.html", Recipe(), facts, Progress(), results, ORIGIN, {})

    html = (tmp_path / "r.html").read_text("utf-8")
    assert "<script>alert" not in html
    assert not re.search("<b>here|<i>|<u>|<s>", html)
    assert "&lt;i&gt;: it is empty [empty]" in html
    assert "2 pictures (1 train, 1 val): &lt;u&gt;, b" in html
    assert "猫" in html


def test_every_plot_is_drawn_for_any_classes(tmp_path):
    rows = [
        dict(zip(COLUMNS, ("head", i, 1 / (i + 1), 0.5, 1.0, 0.6, 0.1), strict=True))
        for i in range(3)
    ]
    generator = np.random.default_rng(0)
    for classes in (
        ("猫", "狗"),
        ("$a", "_b$", "ꙮ\U000e761c"),
        tuple(f"class {i}" for i in range(40)),
    ):
        labels = generator.integers(0, len(classes), 200)
        p = softmax(generator.normal(size=(200, len(classes))))
        matrix = np.array(measure(p, labels, classes, resamples=2)["confusion"])

        paths = draw(tmp_path, rows, labels, p, matrix, classes)

        assert len(paths) == 4
        for path in paths.values():
            with Image.open(path) as image:
                assert len(image.convert("L").resize((99, 99)).getcolors()) > 20


def test_the_curves_are_those_of_scikit_learn():
    generator = np.random.default_rng(0)
    positive = generator.random(300) < 0.4
    scores = np.round(generator.random(300) + 0.3 * positive, 2)  # with ties

    false, true, precision = rates(scores, positive)

    expected = peer.roc_curve(positive, scores, drop_intermediate=False)
    np.testing.assert_allclose(false, expected[0])
    np.testing.assert_allclose(true, expected[1])
    average = (np.diff(true) * precision[1:]).sum()
    np.testing.assert_allclose(average, peer.average_precision_score(positive, scores))


def test_the_surest_errors_come_first():
    p = np.array([[0.9, 0.1], [0.4, 0.6], [0.01, 0.99], [0.3, 0.7]])
    labels = np.array([0, 0, 0, 1])

    assert most_confidently_wrong(p, labels).tolist() == [2, 1]
    assert likeliest_mislabelled(p, labels).tolist() == [2, 1]


def test_a_planted_wrong_label_is_found(run, cats_dogs):
    rows = [line.split(",") for line in (run / "predictions.csv").read_text().splitlines()[1:]]
    training = [row for row in rows if row[1] == "train"]
    p = np.array([row[4:] for row in training], float)
    labels = np.array([int(row[2] == "dogs") for row in training])
    planted = int(np.argmax(p[np.arange(len(p)), labels]))
    labels[planted] = 1 - labels[planted]

    assert likeliest_mislabelled(p, labels)[0] == planted


def test_progress_comes_back_from_its_state():
    progress = Progress("accuracy")
    progress.validated(0, Figures(0.5, 0.8), {})
    progress.end_epoch("head", 0, TrainingFigures(0.6, 0.7, 0.1))
    progress.validated(1, Figures(0.4, 0.8), {})
    progress.validated(2, Figures(0.3, 0.7), {})
    again = Progress("accuracy")

    again.load_state(progress.to_state())

    before, after = progress.to_state(), again.to_state()
    assert after.pop("seconds") == pytest.approx(before.pop("seconds"), abs=5)
    assert after == before
    assert again.best_at == (0, 1)
    assert Progress("loss").order(Figures(0.3, 0.7)) < Progress("loss").order(Figures(0.4, 0.8))
