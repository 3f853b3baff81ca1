"""How a search shall answer: one value for Python, the command line and the service."""

from collections.abc import Callable
from operator import attrgetter
from pathlib import Path

import pytest

from docs.search_options import markdown
from kkcv.errors import RequestError
from kkcv.query import Like
from kkcv.search.gallery import Gallery
from kkcv.search.options import OPTIONS, SearchOptions

Paint = Callable[..., Path]
by_id = attrgetter("id")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            {"ranking": "bets"},
            "no ranking 'bets'; there are: plain, best, expanded, augmented, reciprocal, smoothed",
        ),
        ({"verify": "perhaps"}, "verify is true, false or 'ties', not 'perhaps'"),
        ({"max_chance": 0}, "max_chance is a rate above 0 and up to 1, such as 0.0001, got 0"),
        ({"max_chance": 2}, "max_chance is a rate above 0 and up to 1, such as 0.0001, got 2"),
        ({"max_chance": "x"}, "max_chance is a rate above 0 and up to 1, such as 0.0001, got 'x'"),
        ({"fold": "x"}, "fold is a score above 0 and up to 1, such as 0.95, got 'x'"),
        ({"min_score": None}, "min_score is a score from -1 to 1, got None"),
        ({"min_score": float("nan")}, "min_score is a score from -1 to 1, got nan"),
        ({"min_score": 5}, "min_score is a score from -1 to 1, got 5"),
        ({"ranking": []}, "no ranking []; there are: "),
        ({"where": "label =="}, "the filter 'label ==' cannot be read; such as: "),
        ({"where": 5}, "where is text of at most 2000 characters, got 5"),
    ],
)
def test_what_makes_no_sense_is_refused(words: dict[str, object], message: str) -> None:
    with pytest.raises(RequestError) as error:
        SearchOptions(**words)  # type: ignore[arg-type]

    assert str(error.value).startswith(message)
    assert error.value.field == next(iter(words))


def test_options_and_words_ask_the_same(gallery: Gallery, paint: Paint) -> None:
    for n in range(12):
        gallery.add(paint(f"{n}.png", n), {"n": n})
    query = paint("0.png", 0)
    options = SearchOptions(where="n >= 4", min_score=0.1)

    hits = gallery.search(query, 5, options)

    assert hits == gallery.search(query, k=5, where="n >= 4", min_score=0.1)
    assert hits == gallery.search(query, 5, SearchOptions("n >= 4"), min_score=0.1)
    assert hits == gallery.search_like([Like(query)], 5, options)


def test_a_gallery_ranks_as_it_was_told_until_a_search_says_otherwise(
    gallery: Gallery, paint: Paint
) -> None:
    for n in range(30):
        gallery.add(paint(f"{n}.png", n))
    query = paint("q.png", 99)
    plain, best = gallery.search(query, 30), gallery.search(query, 30, ranking="best")

    gallery.rank_by("best")

    with Gallery.open(gallery.folder, gallery.embedder) as again:
        assert again.ranking == "best"
        assert again.search(query, 30) == best
        assert again.search(query, 30, ranking="plain") == plain
    assert plain != best
    assert sorted(plain, key=by_id) == sorted(best, key=by_id)  # the same hits with the same scores


def test_a_gallery_knows_the_rankings_that_there_are(gallery: Gallery) -> None:
    with pytest.raises(RequestError, match="no ranking 'bets'"):
        gallery.rank_by("bets")

    assert gallery.ranking == "plain"


def test_an_option_that_does_not_exist_is_refused(gallery: Gallery, paint: Paint) -> None:
    with pytest.raises(RequestError, match="no option 'rankings'; there are: where, min_score, "):
        gallery.search(paint("0.png", 0), rankings="best")


def test_an_empty_filter_lets_everything_through(gallery: Gallery, paint: Paint) -> None:
    gallery.add(paint("0.png", 0))

    assert gallery.search(paint("q.png", 1), where="") == gallery.search(paint("q.png", 1))


def test_help_and_reference_name_every_option() -> None:
    page = markdown()

    for name, option in OPTIONS.items():
        assert f"        {name}: {option.help}\n" in str(SearchOptions.__doc__)
        assert page.count(f"| `{name}` |") == 1
        assert option.help in page
