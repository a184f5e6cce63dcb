from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from pathlib import Path
from typing import TypeAlias

import pytest
import typer
from typer.testing import CliRunner

from catalogs.catalog import Catalog, Done
from catalogs.clip import Clip
from catalogs.errors import CatalogError
from catalogs.ids import content_id
from catalogs.ingest import PromptSource
from catalogs.progress import Progress
from catalogs.records import Failure, MetricCard, Prompt, Score, SetScore, Take, Verdict, VoiceCard
from catalogs.release import freeze
from curation.metrics.figures import columns_of, values_of
from curation.metrics.prosody import ProsodyConfig
from curation.metrics.words import Words
from curation.policies.policy import Policy, Threshold
from curation.production import Production
from curation.recipe import Recipe
from curation.report import players as playing
from curation.report.advice import advise
from curation.report.findings import Findings, SpreadLost
from curation.report.gathering import gather
from curation.report.pool import make_pool
from curation.report.subject import find_subject
from curation.report.writing import write_report
from curation.sets.meanings import meaning
from curation.verbs.report import register
from synthgen.fleet import FleetConfig
from synthgen.voices.tone import ToneConfig

Make: TypeAlias = Callable[..., Production]

EVIL = '<script>alert(1)</script> " onmouseover="alert(2)" \' & {{ 7 * 7 }} ]]> <!--'
TEXTS = [*(f"please pay bill number {n} today" for n in range(5)), "xylophone wizard"]


@dataclass(frozen=True)
class HeardConfig:
    """A recogniser that hears every word but those with an x in them."""

    def card(self) -> MetricCard:
        return MetricCard("words", "1", columns_of(Words), "toy")

    def build(self) -> "Heard":
        return Heard()


class Heard:
    def measure(self, clips: Sequence[Clip]) -> list[Score]:
        return [Score(clip.take_id, values_of(self._words(clip.text))) for clip in clips]

    def _words(self, text: str) -> Words:
        heard = [word for word in text.split() if "x" not in word]
        lost = len(text.split()) - len(heard)
        return Words(
            transcript=" ".join(heard),
            wer=lost / len(text.split()),
            substitutions=0,
            insertions=0,
            deletions=lost,
            ref_words=len(text.split()),
        )


class Page(HTMLParser):
    """The elements of a page with their attributes, and its visible text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self._inside = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        self._inside = tag

    def handle_data(self, data: str) -> None:
        if self._inside not in ("style", "script"):
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def of(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Makes a job of two tone voices, run to its release; each in a corpus of its own."""

    def run(texts: Sequence[str] = TEXTS, **changes: object) -> Production:
        folder = tmp_path_factory.mktemp("report")
        (folder / "texts.txt").write_text("\n".join(texts), encoding="utf-8")
        recipe = Recipe(
            name="toy",
            prompts=(PromptSource(str(folder / "texts.txt")),),
            voices=(ToneConfig(speakers=("low", "high"), duration_s_per_char=0.02),),
            metrics=(HeardConfig(), ProsodyConfig()),
            corpus=folder / "corpus",
            policy=Policy({"wer": Threshold(max=0.4)}),
            fleet=FleetConfig(on="inline", workers=1),
        )
        recipe = replace(recipe, **changes)  # type: ignore[arg-type]  # fields by name
        catalog = Catalog.create(recipe.corpus)
        production = Production(recipe, catalog, run_id=catalog.begin_run(recipe.job_id, "synthgen run toy"),
                                progress=Progress(quiet=True))  # fmt: skip
        production.run()
        return production

    return run


@pytest.fixture(scope="module")
def made(make: Make) -> Production:
    return make()


@pytest.fixture(scope="module")
def catalog(made: Production) -> Iterator[Catalog]:
    with Catalog.open(made.catalog.folder) as opened:
        yield opened


@pytest.fixture(scope="module")
def findings(catalog: Catalog) -> Findings:
    return findings_of(catalog)


@pytest.fixture(scope="module")
def small(make: Make) -> Production:
    """A job of its own to which tests add what none of the others minds."""
    return make(TEXTS[:2])


@pytest.fixture(scope="module")
def written(catalog: Catalog, tmp_path_factory: pytest.TempPathFactory) -> Path:
    to = tmp_path_factory.mktemp("page") / "toy.html"
    write_report(catalog, "toy", to=to)
    return to


@pytest.fixture(scope="module")
def page(written: Path) -> Page:
    return Page(written.read_text(encoding="utf-8"))


def findings_of(catalog: Catalog, name: str = "toy") -> Findings:
    subject = find_subject(catalog, name)
    return gather(catalog, subject, pool=make_pool(catalog, subject))


def nothing_is_near(reason: str, *, figure: str, low: float, high: float) -> tuple[int, float]:
    return 0, 0.0


def test_the_funnel_goes_from_lines_to_the_release(findings: Findings, made: Production) -> None:
    funnel = findings.funnel

    numbers = (funnel.lines, funnel.takes, funnel.measured, funnel.judged, funnel.kept, funnel.released)
    summary = made.summary()
    assert numbers == (12, 12, 12, 12, summary.kept, summary.kept)
    assert (funnel.audio_s, funnel.kept_s) == (pytest.approx(summary.audio_s), pytest.approx(summary.kept_s))


def test_the_error_rate_of_a_group_is_that_of_all_its_words(findings: Findings) -> None:
    groups = findings.groups

    words = sum(len(text.split()) for text in TEXTS)
    assert groups.whole is not None
    assert groups.whole.wer == pytest.approx(1 / words)
    assert [group.takes for group in groups.voices] == [6, 6]
    assert [group.wer for group in groups.kept_voices] == [0.0, 0.0]


def test_reasons_are_told_with_the_takes_they_alone_drop(findings: Findings) -> None:
    reasons = [(r.reason, r.voice, r.takes, r.alone) for r in findings.reasons]

    assert reasons == [
        ("wer > 0.4", "tone/high", 1, 1),
        ("wer > 0.4", "tone/low", 1, 1),
    ]


def test_verdicts_are_those_of_the_policy_of_the_job_whoever_has_judged_since(small: Production) -> None:
    other = content_id("policy", "another")
    verdicts = [Verdict(take_id, other, "drop", ("wer > 0",)) for take_id, _ in small.kept()]
    small.catalog.commit(Done(verdicts=verdicts))

    funnel = findings_of(small.catalog).funnel

    assert (funnel.kept, funnel.dropped) == (4, 0)


def test_a_text_that_no_voice_reads_well_is_told(findings: Findings, page: Page) -> None:
    hard = findings.hard_texts

    assert [(text.text, text.takes, text.voices) for text in hard] == [("xylophone wizard", 2, 2)]
    assert "1 text no voice reads well enough" in page.text


def test_whatever_a_corpus_holds_is_shown_and_never_run(small: Production, tmp_path: Path) -> None:
    catalog = small.catalog
    voice = VoiceCard.new(engine="human", speaker=EVIL, language="en", sample_rate_hz=16_000, checkpoint_sha256="",
                          licence=EVIL, consent=EVIL)  # fmt: skip
    prompt = Prompt(Prompt.id_of(EVIL, "en"), EVIL, "en", domain=EVIL)
    (place,) = catalog.lake.rows('SELECT shard, "offset", num_bytes FROM take ORDER BY id LIMIT 1')
    take_id = Take.id_of_recording(prompt.id, voice.id, "0")
    take = Take(take_id, None, prompt.id, voice.id, "real", *place, "0", 16_000, 16_000)
    catalog.add([voice])
    catalog.add([prompt])
    verdict = Verdict(take_id, content_id("policy", EVIL), "drop", (EVIL,))
    catalog.commit(Done([take], verdicts=[verdict], failures=[Failure(EVIL, take_id, 1, EVIL, EVIL)]))
    freeze(catalog, EVIL, take_ids=[take_id], made_by="by hand")

    write_report(catalog, EVIL, to=tmp_path / "evil.html")

    page = Page((tmp_path / "evil.html").read_text())
    assert len(page.of("script")) == 1
    assert [name for _, attributes in page.elements for name in attributes if name.startswith("on")] == []
    assert page.text.count(EVIL) > 10
    assert "49" not in page.text.split()


def test_the_page_asks_nobody_for_anything(page: Page) -> None:
    places = [a[name] for _, a in page.elements for name in ("src", "href", "action", "srcset") if name in a]

    assert {place.partition(":")[0] for place in places if not place.startswith("#")} == {"data"}
    (policy,) = [a["content"] for a in page.of("meta") if "http-equiv" in a]
    assert policy.startswith("default-src 'none'")


def test_every_take_that_is_played_has_text_verdict_figures_and_audio(page: Page) -> None:
    assert len(page.of("audio")) == len(page.of("article")) == 12
    assert all(audio["src"].startswith("data:audio/ogg;base64,") for audio in page.of("audio"))
    assert "✗ dropped" in page.text
    assert "✓ kept, released" in page.text


def test_what_was_not_heard_is_struck_through(page: Page) -> None:
    assert len(page.of("del")) == 2
    assert page.of("ins") == []


def test_ids_are_unique_and_every_picture_is_described_by_its_own(page: Page) -> None:
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    described = [a["aria-labelledby"].split() for a in page.of("svg") if a.get("role") == "img"]

    assert len(ids) == len(set(ids))
    assert described
    assert {name for pair in described for name in pair} <= set(ids)


def test_the_same_corpus_gives_the_same_bytes(catalog: Catalog, written: Path, tmp_path: Path) -> None:
    with Catalog.open(catalog.folder) as again:
        write_report(again, "toy", to=tmp_path / "again.html")

    assert (tmp_path / "again.html").read_bytes() == written.read_bytes()


def test_half_of_the_players_are_dropped_takes_if_there_are_so_many(catalog: Catalog) -> None:
    make_pool(catalog, find_subject(catalog, "toy"))

    few = playing.choose_players(catalog, most=3)
    many = playing.choose_players(catalog, most=10)

    assert [player.take.state for player in few] == ["dropped", "kept", "kept"]
    assert [player.take.state for player in many] == ["dropped"] * 2 + ["kept"] * 8
    assert {player.take.voice for player in few[1:]} == {"tone/low", "tone/high"}


def test_audio_that_would_make_the_page_too_large_is_left_out_and_told(
    catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(playing, "AUDIO_BYTES", 12_000)

    written = write_report(catalog, "toy", to=tmp_path / "small.html")

    assert 0 < written.without_audio < written.players == 12
    assert f"{written.without_audio} of those shown have no audio" in Page((tmp_path / "small.html").read_text()).text


def test_audio_that_is_gone_is_told_and_the_page_is_made_all_the_same(make: Make, tmp_path: Path) -> None:
    production = make(TEXTS[:2])
    for shard in (production.catalog.folder / "audio").glob("*.tar*"):
        shard.unlink()

    written = write_report(production.catalog, "toy", to=tmp_path / "gone.html")

    assert (written.players, written.without_audio) == (4, 4)
    assert "its audio is gone or damaged" in (tmp_path / "gone.html").read_text()


def test_a_corpus_without_words_or_prosody_is_told_without_them(make: Make, tmp_path: Path) -> None:
    production = make(TEXTS[:2], metrics=(), policy=Policy())

    write_report(production.catalog, "toy", to=tmp_path / "bare.html")

    text = Page((tmp_path / "bare.html").read_text()).text
    assert "No take has been measured." in text
    assert "it needs the metric families words and prosody" in text


def test_figures_of_sets_are_drawn_along_their_share(small: Production, tmp_path: Path) -> None:
    release_id = small.catalog.lake.rows("SELECT id::VARCHAR FROM release")[0][0]
    small.catalog.add(
        [
            SetScore(release_id, f"alpha={share}", "h_p", "1", 10 - share, 50, 9 - share, 11 - share)
            for share in (0.0, 0.5, 0.9)
        ]
    )

    write_report(small.catalog, "toy", to=tmp_path / "sets.html")

    page = Page((tmp_path / "sets.html").read_text())
    assert "Figures of sets, and erosion" in page.text
    assert [a for a in page.of("path") if a.get("class") == "curve"]


def test_a_figure_of_one_set_stands_beside_what_it_means(small: Production, tmp_path: Path) -> None:
    release_id = small.catalog.lake.rows("SELECT id::VARCHAR FROM release")[0][0]
    small.catalog.add([SetScore(release_id, "", "vendi:timbre_vector", "1", 6.5, 50, 6.0, 7.0)])

    write_report(small.catalog, "toy", to=tmp_path / "sets.html")

    page = Page((tmp_path / "sets.html").read_text())
    assert "vendi:timbre_vector" in page.text
    assert meaning("vendi:timbre_vector") in page.text


def test_failures_are_told_with_what_reopens_them(small: Production) -> None:
    take_id = small.kept()[0][0]
    small.catalog.commit(Done(failures=[Failure("measure", take_id, 1, "worker_crashed", "out of memory")]))

    findings = findings_of(small.catalog)

    assert [(f.stage, f.error, f.items) for f in findings.failures] == [("measure", "worker_crashed", 1)]
    (advice,) = [a for a in advise(findings, nothing_is_near) if "worker_crashed" in a.title]
    assert advice.how == "synthgen retry -c CORPUS --reason worker_crashed"


def test_texts_that_are_stored_with_other_labels_are_not_said_to_be_left_out(small: Production) -> None:
    prompt_id = small.catalog.lake.rows("SELECT id::VARCHAR FROM prompt ORDER BY id LIMIT 1")[0][0]
    small.catalog.add([Failure("ingest", prompt_id, 1, "other-labels", "stored with split 'test', not 'train'")])

    titles = [advice.title for advice in advise(findings_of(small.catalog), nothing_is_near)]

    assert "Mend the texts: 1 texts are stored with other labels (other-labels)" in titles


def test_a_voice_of_which_little_is_kept_is_advised_against_once(findings: Findings) -> None:
    low = replace(findings.groups.voices[0], name="tone/low", judged=10, kept=2)
    findings = replace(
        findings,
        groups=replace(findings.groups, voices=(low,)),
        reasons=tuple(replace(r, takes=8, voice="tone/low") for r in findings.reasons[:1]),
    )

    titles = [advice.title for advice in advise(findings, nothing_is_near)]

    assert "Do without tone/low, or cast it less" in titles
    assert not [title for title in titles if "of all drops" in title]


@pytest.mark.parametrize(
    ("low_st", "high_st", "is_told"), [(0.05, 0.75, True), (-0.02, 0.82, False), (0.01, 0.09, False)]
)
def test_judging_is_said_to_prefer_flat_readings_if_chance_does_not_explain_it(
    findings, low_st, high_st, is_told
) -> None:
    lost = SpreadLost((low_st + high_st) / 2, low_st, high_st, takes=40, texts=20)

    told = [a for a in advise(replace(findings, spread_lost=lost), nothing_is_near) if "flat readings" in a.title]

    assert [(a.takes, "0.40 semitones more than kept ones (0.05 to 0.75" in a.why) for a in told] == [
        (40, True)
    ] * is_told


def test_takes_that_miss_a_threshold_by_little_are_worth_hearing(findings: Findings) -> None:
    asked = []

    def near(reason: str, *, figure: str, low: float, high: float) -> tuple[int, float]:
        asked.append((reason, figure, low, high))
        return 7, 120.0

    findings = replace(findings, reasons=tuple(replace(r, alone=9) for r in findings.reasons))

    titles = [advice.title for advice in advise(findings, near)]

    assert asked == [("wer > 0.4", "wer", 0.4, pytest.approx(0.44))]
    assert "7 takes miss wer ≤ 0.4 by a tenth or less" in titles


def test_a_job_is_found_by_its_id_and_told_with_its_release(catalog: Catalog, made: Production) -> None:
    subject = find_subject(catalog, made.job_id)

    assert subject.release is not None
    assert (subject.name, subject.job_id, subject.policy_id) == ("toy", made.job_id, made.recipe.policy.id)


def test_a_name_that_is_not_there_is_told_with_those_that_are(catalog: Catalog) -> None:
    with pytest.raises(CatalogError, match="neither a release nor a job 'tory'; known: toy"):
        find_subject(catalog, "tory")


def test_a_file_that_cannot_be_written_is_told_and_nothing_is_left(catalog: Catalog, tmp_path: Path) -> None:
    (tmp_path / "taken.html").mkdir()

    with pytest.raises(CatalogError, match=r"cannot be written to .*taken\.html"):
        write_report(catalog, "toy", to=tmp_path / "taken.html")

    assert [path.name for path in tmp_path.iterdir()] == ["taken.html"]


def test_the_verb_writes_a_file_and_says_what_is_in_it(catalog: Catalog, tmp_path: Path) -> None:
    app = typer.Typer()
    app.callback()(lambda: None)
    register(app)

    done = CliRunner().invoke(
        app, ["report", "toy", "-c", str(catalog.folder), "--to", str(tmp_path / "r.html"), "--players", "2"]
    )

    assert done.exit_code == 0
    assert done.stdout.endswith("MB, 2 of 12 takes to play\n")
    assert (tmp_path / "r.html").stat().st_size < 15_000_000
