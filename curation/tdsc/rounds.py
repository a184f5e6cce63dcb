"""The rounds of TDSC, each cast from the stored rows of those before it: a killed job goes on as it would have.

The first round reads the prompts; later ones read again the texts that need more. `catalogs.records.Round` rows number
them from 0, `Group` rows from 1, as the paper does.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace

from catalogs.catalog import Catalog
from catalogs.choices import note_pairs
from catalogs.ids import Id
from catalogs.records import JobLine, Line, Round, VoiceCard
from catalogs.stage import batched
from curation.recipe import Recipe
from curation.rounds import GUESSED_TAKE_S, PAGE, Rounds, parts_of
from curation.tdsc.accounts import accounts_of, set_scores
from curation.tdsc.candidates import Text, groups_of, texts_of
from curation.tdsc.choosing import METHOD, chosen_of, preference_of
from curation.tdsc.config import TdscConfig
from curation.tdsc.controller import Steps, plan_round
from curation.tdsc.ladder import How, Ladder
from curation.tdsc.refusals import refusals_told
from synthgen.casting import Casting, Manner
from synthgen.spoken import Spoken


class TdscRounds:
    """Casts and concludes one job."""

    def __init__(self, recipe: Recipe, config: TdscConfig, catalog: Catalog, job_id: Id) -> None:
        self._recipe = recipe
        self._config = config
        self._catalog = catalog
        self._job_id = job_id
        dual_mode = [card for voice in recipe.voices for card in voice.cards()] if recipe.dgsa else []
        self._ladder = Ladder(config, dual_mode)
        self._first = Rounds(recipe, catalog, job_id, manners=self._first_manners, groups=True)

    def barriers(self) -> Iterator[None]:
        """Cast a round, let it be recorded and judged, and so on, until no text needs another."""
        done = self._first.last()
        if done:
            yield
        while done is None or not done.is_last:
            done = self._cast_first() if done is None else self._cast_next(done)
            yield

    def conclude(self) -> list[tuple[Id, float]]:
        """Note preferences and accounts; gives the chosen takes, (id, seconds), in the job's order."""
        texts = self._texts(upto=self._config.iterations, tokens=True)
        found = (preference_of(text, self._config) for text in texts)
        pairs = [replace(preference, job_id=self._job_id) for preference in found if preference]
        note_pairs(self._catalog, pairs, method=METHOD, job_id=self._job_id)
        self._catalog.add(set_scores(self._job_id, accounts_of(texts, self._config)))
        seconds = {c.take_id: c.audio_s for text in texts for c in text.candidates}
        return [(take_id, seconds[take_id]) for text in texts for take_id in self._chosen(text)]

    def refusals_told(self) -> str:
        """Why nothing is accepted of what the policy keeps, and what to do."""
        return refusals_told(self._texts(upto=self._config.iterations), self._config)

    def _chosen(self, text: Text) -> list[Id]:
        expressive = (
            candidate.take_id
            for candidate in text.candidates
            if self._ladder.is_expressive(text.line.voice_id, candidate.style, candidate.temperature)
        )
        return chosen_of(text, self._config, lively={take_id for take_id in expressive if take_id})

    def _texts(self, *, upto: int, tokens: bool = False) -> list[Text]:
        return texts_of(self._catalog, self._job_id, self._recipe.policy, upto=upto, tokens=tokens)

    def _first_manners(self, card: VoiceCard, prompt_id: Id) -> Iterator[Manner]:
        counts = self._ladder.evenly() if self._config.spend == "evenly" else (1,) * len(self._ladder)
        return self._ladder.readings(card.id, prompt_id, 1, counts=counts, made={})

    def _cast_first(self) -> Round:
        budget_s = self._config.budget_audio_s
        size = None if budget_s is None else max(1, int(budget_s / GUESSED_TAKE_S))
        return self._first.cast(None, size=size, is_last=self._config.iterations == 1)

    def _cast_next(self, done: Round) -> Round:
        """Cast the round after ``done``; if no text needs one, ``done`` is followed by an empty last round."""
        number = done.number + 1
        texts = self._texts(upto=number)
        plan = plan_round(texts, self._config, self._ladder)
        position = done.lines
        for page in batched(self._lines(texts, plan, iteration=number + 1), PAGE):
            with self._catalog.lake.transaction():
                self._catalog.add(page)
                self._catalog.add([JobLine(self._job_id, line.id, position + n) for n, line in enumerate(page)])
                self._catalog.add(groups_of(page, self._job_id, iteration=number + 1))
            position += len(page)
        is_last = not plan or number + 1 >= self._config.iterations
        cast = Round(self._job_id, number, done.prompts, position, done.left_out, is_last)
        self._catalog.add([cast])
        return cast

    def _lines(self, texts: list[Text], plan: Mapping[Id, Steps], *, iteration: int) -> Iterator[Line]:
        casting = Casting(self._recipe.casting, parts_of(self._recipe), Spoken(self._recipe.spoken))
        for text in texts:
            made = Counter[How]((candidate.style, candidate.temperature) for candidate in text.candidates)
            counts = plan.get(text.group_id, ())
            voice_id, prompt_id = text.line.voice_id, text.line.prompt_id
            for manner in self._ladder.readings(voice_id, prompt_id, iteration, counts=counts, made=made):
                yield from casting.again(text.line, manner)
        yield from casting.rest()
