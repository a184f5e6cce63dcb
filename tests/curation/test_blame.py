from collections.abc import Iterator, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogs import takes
from catalogs.catalog import Catalog, Done
from catalogs.ids import Id, content_id
from catalogs.records import Job, JobLine, Line, MetricCard, Prompt, Score, ScoreColumn, Take
from curation.metrics.phones import PhonesConfig
from curation.metrics.words import WordsConfig
from curation.words.blame import BLAME, FEATURES, Feature, blame, blame_card

Figures = dict[str, float | None]

PHONES = ("per", "phones_logprob", "least_word_phones", "phones_added")
WORDS = ("wer", "cer", "insertions")
HEARD: Figures = {
    "wer": 0.0,
    "cer": 0.0,
    "insertions": 0,
    "per": 0.05,
    "phones_logprob": -0.1,
    "least_word_phones": -3.0,
    "phones_added": 1,
}
UNHEARD: Figures = {
    "wer": 0.6,
    "cer": 0.4,
    "insertions": 2,
    "per": 0.5,
    "phones_logprob": -4.0,
    "least_word_phones": -50.0,
    "phones_added": 4,
}
RATES = st.none() | st.floats(0, 3)
LOSSES = st.none() | st.floats(-100, 0)
ANY: st.SearchStrategy[Figures] = st.fixed_dictionaries(
    {
        "wer": RATES,
        "cer": RATES,
        "per": RATES,
        "least_word_phones": LOSSES,
        "phones_logprob": LOSSES,
        "insertions": RATES,
    }
    | dict.fromkeys(("phones_added"), st.none() | st.integers(0, 50))
)


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalog]:
    """A catalog of rows without audio."""
    with Catalog.create(tmp_path_factory.mktemp("rows")) as catalog:
        yield catalog


class Corpus:
    """A catalog with one job, whose takes, and real ones beside them, have any figures."""

    def __init__(self, catalog: Catalog, name: str) -> None:
        self.catalog, self.name = catalog, name
        self.job_id = content_id("job", name)
        self.words, self.phones = self._card("words", WORDS), self._card("phones", PHONES)
        catalog.add([Job(self.job_id, name, "{}")])
        takes.declare(catalog.lake, [self.words, self.phones, blame_card(self.words, self.phones)])

    def _card(self, family: str, columns: tuple[str, ...]) -> MetricCard:
        made = tuple(ScoreColumn(column, "DOUBLE", "", "lower", column) for column in columns)
        return MetricCard(family, self.name, made)

    def take(self, text: str, figures: Figures, *, real: bool = False, language: str = "en") -> Id:
        """Add a take with these figures."""
        prompt_id, voice_id = Prompt.id_of(text, language), content_id("voice", self.name)
        line = Line.new(prompt_id=prompt_id, voice_id=voice_id, text=text, normaliser="none")
        take_id = content_id("take", self.name, text, real)
        self.catalog.add([Prompt(prompt_id, text, language)])
        if not real:
            self.catalog.add([line])
            self.catalog.add([JobLine(self.job_id, line.id, 0)])
        scores = {card: [Score(take_id, _values(card, figures))] for card in (self.words, self.phones)}
        origin = "real" if real else "synthetic"
        line_id = None if real else line.id
        made = Take(take_id, line_id, prompt_id, voice_id, origin, "s", 0, 1, take_id, 16_000, 16_000)
        self.catalog.commit(Done(takes=[made], scores=scores))
        return take_id

    def blamed(self) -> dict[Id, float | None]:
        """The probability of every take that has a row."""
        blame(self.catalog, self.job_id, words=self.words, phones=self.phones)
        card = blame_card(self.words, self.phones)
        sql = f"SELECT take_id::VARCHAR, voice_at_fault FROM {takes.score_table(card)} WHERE version = $version"
        return dict(self.catalog.lake.rows(sql, version=card.version))


def _values(card: MetricCard, figures: Mapping[str, float | None]) -> tuple[float | None, ...]:
    return tuple(figures[column.name] for column in card.columns)


@pytest.fixture
def corpus(catalog: Catalog, request: pytest.FixtureRequest) -> Corpus:
    return Corpus(catalog, request.node.name)


def test_a_take_that_both_judges_hear_is_not_blamed_on_the_voice() -> None:
    assert BLAME.probability(HEARD) < 0.2
    assert BLAME.probability(UNHEARD) > 0.9


def test_one_judge_alone_is_believed_less_than_both() -> None:
    only_words = {**HEARD, "wer": UNHEARD["wer"], "insertions": UNHEARD["insertions"]}
    only_phones = {**UNHEARD, "wer": 0.0, "insertions": HEARD["insertions"]}

    assert BLAME.probability(HEARD) < BLAME.probability(only_words) < BLAME.probability(UNHEARD)
    assert BLAME.probability(HEARD) < BLAME.probability(only_phones) < BLAME.probability(UNHEARD)


@given(figures=ANY)
def test_a_probability_is_one_whatever_the_figures(figures: Figures) -> None:
    assert 0 <= BLAME.probability(figures) <= 1


def test_the_features_are_figures_that_the_judges_write() -> None:
    columns = {column.name for config in (WordsConfig(), PhonesConfig()) for column in config.card().columns}

    assert {feature.column for feature in FEATURES} <= columns
    assert len(BLAME.weights) == len(FEATURES)


def test_a_figure_is_held_within_its_range() -> None:
    feature = Feature("wer", 0.0, 1.0, 0.5)

    assert [feature.of({"wer": value}) for value in (None, -1.0, 0.3, 4.0)] == [0.5, 0.0, 0.3, 1.0]


def test_sql_and_python_agree(corpus: Corpus) -> None:
    without = {**UNHEARD, "least_word_phones": None, "insertions": None}
    wanted = {corpus.take(str(at), figures): figures for at, figures in enumerate((HEARD, UNHEARD, without))}

    found = corpus.blamed()

    assert found == pytest.approx({take_id: BLAME.probability(figures) for take_id, figures in wanted.items()})


def test_a_take_that_a_judge_cannot_judge_has_no_probability(corpus: Corpus) -> None:
    take_id = corpus.take("hallo", {**HEARD, **dict.fromkeys(PHONES)}, language="de")

    assert corpus.blamed() == {take_id: None}


def test_a_second_call_scores_what_is_new(corpus: Corpus) -> None:
    first = corpus.take("one", HEARD)
    before = corpus.blamed()
    second = corpus.take("two", UNHEARD)

    after = corpus.blamed()

    assert set(after) == {first, second}
    assert after[first] == before[first]


def test_takes_of_other_jobs_are_left_alone_unless_all_are_asked_for(corpus: Corpus) -> None:
    real = corpus.take("real", HEARD, real=True)

    assert real not in corpus.blamed()
    blame(corpus.catalog, None, words=corpus.words, phones=corpus.phones)
    assert real in corpus.blamed()
