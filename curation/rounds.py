"""Rounds of casting: a job without a quota has one; a job with one is cast bit by bit, until enough is kept.

A round is decided only from rows of finished rounds, so a killed job goes on as if nothing had happened.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, islice

from catalogs.catalog import Catalog
from catalogs.errors import InputError
from catalogs.ids import Id
from catalogs.ingest import read_prompts
from catalogs.labels import OTHER_LABELS, add_prompts
from catalogs.lake import query
from catalogs.records import Failure, JobLine, Line, Prompt, Round
from curation.recipe import Recipe, ReleaseConfig
from curation.tdsc.candidates import groups_of
from synthgen.casting import Casting, Manners, Part
from synthgen.recording import BATCH
from synthgen.spoken import Spoken

PAGE = 8192
SMALLEST_ROUND = 64
GUESSED_YIELD = 0.8
GUESSED_TAKE_S = 3.0


class Rounds:
    """Casts one job; prompts are read as they are needed and never held together."""

    def __init__(
        self, recipe: Recipe, catalog: Catalog, job_id: Id, *, manners: Manners | None = None, groups: bool = False
    ) -> None:
        """``manners`` read the prompts in place of the recipe's; with ``groups`` their lines are candidates."""
        self._recipe = recipe
        self._catalog = catalog
        self._job_id = job_id
        self._manners = manners
        self._groups = groups

    def last(self) -> Round | None:
        """The last finished round."""
        rows = self._catalog.lake.rows(query("last_round"), job_id=self._job_id)
        return Round(self._job_id, *rows[0]) if rows else None

    def is_next_begun(self, done: Round) -> bool:
        """Whether a run was killed while it cast the round after this one."""
        rows = self._catalog.lake.rows(query("last_position"), job_id=self._job_id)
        return bool(rows[0][0] >= done.lines)

    def cast(self, before: Round | None, *, size: int | None, is_last: bool | None = None) -> Round:
        """Cast about ``size`` more lines, or all that are left, which is the end unless ``is_last`` says otherwise.

        Raises:
            InputError: if no prompt of the job can be read and cast.
        """
        before = before or Round(self._job_id, -1, prompts=0, lines=0, left_out=0, is_last=False)
        used, position, left_out = before.prompts, before.lines, before.left_out
        end = None if size is None else position + size
        casting = Casting(self._recipe.casting, parts_of(self._recipe), Spoken(self._recipe.spoken))
        page = _Page()
        for item in islice(self._prompts(), used, None):
            used += 1
            left_out += page.add(item, casting, self._manners)
            if len(page) >= PAGE:
                position, page = self._store(page, position), _Page()
            if end is not None and position + len(page.lines) >= end:
                break
        else:
            end = None
        page.lines += casting.rest()
        position = self._store(page, position)
        if position == 0:
            raise InputError(self._nothing())
        is_last = end is None if is_last is None else is_last
        done = Round(self._job_id, before.number + 1, used, position, left_out, is_last)
        self._catalog.add([done])
        return done

    def _prompts(self) -> Iterator[Prompt | Failure]:
        return chain.from_iterable(read_prompts(source) for source in self._recipe.prompts)

    def _store(self, page: "_Page", position: int) -> int:
        with self._catalog.lake.transaction():
            self._tell(add_prompts(self._catalog, page.prompts))
            self._catalog.add(page.failures)
            self._catalog.add(page.lines)
            self._catalog.add([JobLine(self._job_id, line.id, position + n) for n, line in enumerate(page.lines)])
            if self._groups:
                self._catalog.add(groups_of(page.lines, self._job_id, iteration=1))
        return position + len(page.lines)

    def _tell(self, differing: Mapping[Prompt, str]) -> None:
        """Note texts whose labels are not as their rows say; one that was noted before is noted anew."""
        if differing:
            self._catalog.lake.run(query("forget_other_labels"), ids=[prompt.id for prompt in differing])
            self._catalog.add([Failure("ingest", text.id, 1, OTHER_LABELS, why) for text, why in differing.items()])

    def _nothing(self) -> str:
        rows = self._catalog.lake.rows("SELECT any_value(message) FROM failure WHERE stage IN ('ingest', 'cast')")
        why = f"; for example: {rows[0][0]}" if rows and rows[0][0] else ""
        return f"{self._recipe.name}: not one line to record from its prompts{why}"


class _Page:
    """What is stored together."""

    def __init__(self) -> None:
        self.prompts: list[Prompt] = []
        self.failures: list[Failure] = []
        self.lines: list[Line] = []

    def __len__(self) -> int:
        return len(self.prompts) + len(self.lines)

    def add(self, item: Prompt | Failure, casting: Casting, manners: Manners | None) -> bool:
        """Add a prompt with its lines, or a row that could not be read; gives whether it is left out of the job.

        A row that repeats a text is not: its text is there.
        """
        if isinstance(item, Failure):
            self.failures.append(item)
            return item.error != "duplicate"
        self.prompts.append(item)
        made = list(casting.lines(item, manners))
        failures = [each for each in made if isinstance(each, Failure)]
        self.lines += [each for each in made if isinstance(each, Line)]
        self.failures += failures
        return bool(failures)


def parts_of(recipe: Recipe) -> list[Part]:
    """The voices of a recipe, as they are cast."""
    return [Part(card, int(getattr(config, "batch", BATCH))) for config in recipe.voices for card in config.cards()]


def lines_wanted(quota: ReleaseConfig, *, takes: int, kept: int, kept_s: float) -> int | None:
    """How many lines the next round needs: what the quota lacks, at the yield seen so far; None without a quota."""
    share = max(kept / takes, 0.05) if takes else GUESSED_YIELD
    if quota.accepted_takes is not None:
        lacking = float(quota.accepted_takes - kept)
    elif quota.accepted_hours is not None:
        lacking = (quota.accepted_hours * 3600 - kept_s) / (kept_s / kept if kept else GUESSED_TAKE_S)
    else:
        return None
    return max(SMALLEST_ROUND, round(lacking / share))


def is_met(quota: ReleaseConfig, *, kept: int, kept_s: float) -> bool:
    """Whether enough has been kept; never without a quota."""
    if quota.accepted_takes is not None:
        return kept >= quota.accepted_takes
    return quota.accepted_hours is not None and kept_s >= quota.accepted_hours * 3600


def members_within(quota: ReleaseConfig, members: Sequence[tuple[Id, float]]) -> list[Id]:
    """The kept takes, (id, seconds) in the job's order, as far as the quota goes."""
    chosen: list[Id] = []
    audio_s = 0.0
    for take_id, take_s in members:
        if is_met(quota, kept=len(chosen), kept_s=audio_s):
            break
        chosen.append(take_id)
        audio_s += take_s
    return chosen
