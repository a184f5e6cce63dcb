"""The main job, text to release: cast, record and measure, judge, freeze; then the same command has nothing to do."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from catalogs import takes
from catalogs.catalog import Catalog
from catalogs.clerk import Clerk
from catalogs.errors import ReleaseError
from catalogs.ids import Id
from catalogs.ingest.speakers import add_voices
from catalogs.lake import query
from catalogs.progress import Progress
from catalogs.records import Job, Release, Verdict
from catalogs.release import freeze
from catalogs.stage import Crew, Outcome, Stream
from curation.derived import derive
from curation.dgsa.rows import Whose, note_preferences
from curation.measuring import critics, measure_missing
from curation.policies.judging import ArrivalJudge, judge_job
from curation.recipe import Recipe
from curation.rounds import Rounds, is_met, lines_wanted, members_within
from curation.scope import Scope
from curation.sets.described import describe
from curation.tdsc.rounds import TdscRounds
from synthgen.fleet import at_work
from synthgen.recording import recording_streams

Watch = Callable[[Outcome, Sequence[Verdict]], None]


@dataclass(frozen=True, slots=True)
class Summary:
    """What a job has come to, over all its runs."""

    job_id: Id
    lines: int
    takes: int
    audio_s: float
    kept: int
    kept_s: float
    failed: int
    unmeasured: int
    left_out: int
    relabelled: int = 0
    unpaired: int = 0
    release: Release | None = None

    @property
    def trouble(self) -> str | None:
        """What went wrong with single items, in a few words; None if nothing did."""
        counts = [
            (self.left_out, "prompt", "left out"),
            (self.relabelled, "text", "stored with another split or other labels"),
            (self.failed, "line", "not recorded"),
            (self.unmeasured, "take", "not measured in full"),
        ]
        told = [f"{count:,} {thing}{'s' if count > 1 else ''} {what}" for count, thing, what in counts if count]
        return ", ".join(told) or None

    def text(self) -> str:
        """The summary in a few lines."""
        share = f" ({self.kept / self.takes:.0%})" if self.takes else ""
        lines = [
            f"lines {self.lines:,} · takes {self.takes:,} ({self.audio_s / 3600:.2f} h) · failed {self.failed:,}",
            f"kept {self.kept:,}{share} ({self.kept_s / 3600:.2f} h)",
        ]
        if self.unpaired:
            lines.append(f"left out of pairs for want of a figure {self.unpaired:,} (failure, stage dgsa)")
        if self.release:
            release = self.release
            lines.append(
                f"release {release.name}: {release.num_takes:,} takes, {release.audio_s / 3600:.2f} h, {release.id}"
            )
        return "\n".join(lines)


class _Rehearsed(Exception):
    """Takes back a transaction."""


class Production:
    """One job on one corpus, under its lock; every method does what is missing, and doing it again changes nothing."""

    def __init__(self, recipe: Recipe, catalog: Catalog, *, run_id: Id, progress: Progress) -> None:
        self.recipe = recipe
        self.catalog = catalog
        self._run_id = run_id
        self._progress = progress
        self.job_id = recipe.job_id
        self._tdsc = TdscRounds(recipe, recipe.tdsc, catalog, self.job_id) if recipe.tdsc else None

    def run(self) -> Summary:
        """Do all that is missing, from the prompts to the release.

        Raises:
            InputError: if there is nothing to read.
            CatalogError: if a voice is in the corpus under another licence or consent.
            EngineError: if a voice or a metric is not to be had.
            ReleaseError: if nothing was kept.
        """
        self.prepare()
        for _ in self.rounds():
            self.record()
            self.measure()
            self.judge()
        release = self.freeze()
        self.settle()
        if release is None:
            raise ReleaseError(self._nothing_kept())
        describe(self.catalog, release, progress=self._progress)
        return replace(self.summary(), release=release)

    def prepare(self) -> None:
        """Note the job, its voices and its metrics; bring in order what a killed run left."""
        catalog, recipe = self.catalog, self.recipe
        catalog.seal_abandoned()
        if not catalog.lake.rows("SELECT 1 FROM job WHERE id = $id::UUID", id=self.job_id):
            add_voices(catalog, [card for config in recipe.voices for card in config.cards()])
            catalog.add([Job(self.job_id, recipe.name, recipe.definition)])
        takes.declare(catalog.lake, recipe.cards())
        catalog.lake.run(query("add_policy"), id=recipe.policy.id, definition=recipe.policy.definition)

    def rounds(self) -> Iterator[None]:
        """Cast what the job needs; with a quota, again and again, until enough is kept or the prompts are used up."""
        if self._tdsc:
            yield from self._tdsc.barriers()
            return
        dgsa = self.recipe.dgsa
        rounds = Rounds(self.recipe, self.catalog, self.job_id, manners=dgsa.manners if dgsa else None)
        done = rounds.last()
        if done and not rounds.is_next_begun(done):
            yield
        while not (done and (done.is_last or self._has_enough())):
            self._progress.note("casting")
            found = self.summary()
            size = lines_wanted(self.recipe.release, takes=found.takes, kept=found.kept, kept_s=found.kept_s)
            done = rounds.cast(done, size=size)
            yield

    def _has_enough(self) -> bool:
        found = self.summary()
        return is_met(self.recipe.release, kept=found.kept, kept_s=found.kept_s)

    def record(self) -> None:
        """Record the lines that have no take; they are measured and judged as they arrive."""
        recipe = self.recipe
        workers = recipe.fleet.workers
        missing = self.catalog.lake.rows(query("count_lines_to_record"), job_id=self.job_id)[0][0]
        if missing:
            streams = recording_streams(self.catalog, self.job_id, recipe.voices, workers=workers)
            self.work("recording", missing, streams, critics(recipe.metrics, workers=workers), judge=True)

    def measure(self) -> None:
        """Score takes that lack a family: those that other jobs recorded, or that a new version has not seen."""
        measure_missing(
            self.catalog,
            Scope(job_id=self.job_id),
            self.recipe.metrics,
            fleet=self.recipe.fleet,
            run_id=self._run_id,
            progress=self._progress,
        )

    def judge(self) -> None:
        """What follows from scores, and verdicts, of takes that lack them; no model is loaded."""
        derive(self.catalog, self.job_id, self.recipe.cards())
        judge_job(self.catalog, self.job_id, self.recipe.policy)

    def freeze(self) -> Release | None:
        """The release: what was kept (of candidates, what was chosen), in the job's order, as far as its quota goes.

        The preferences that TDSC and DGSA give are noted on the way. None if nothing was kept.
        """
        recipe = self.recipe
        if recipe.dgsa:
            note_preferences(self.catalog, recipe.dgsa, Whose(self.job_id, recipe.policy.id))
        members = members_within(recipe.release, self._tdsc.conclude() if self._tdsc else self.kept())
        if not members:
            return None
        return freeze(
            self.catalog,
            recipe.release.name or recipe.name,
            take_ids=members,
            job_id=self.job_id,
            made_by=recipe.policy.definition,
        )

    def rehearse(self) -> list[tuple[Id, float]]:
        """What would be kept if the takes that are there were all, as `kept` gives it; nothing of it is written."""
        with suppress(_Rehearsed), self.catalog.lake.transaction():
            derive(self.catalog, self.job_id, self.recipe.cards(), awaits=False)
            judge_job(self.catalog, self.job_id, self.recipe.policy)
            kept = self.kept()
            raise _Rehearsed
        return kept

    def kept(self) -> list[tuple[Id, float]]:
        """The takes that the policy keeps, (id, seconds), in the job's order."""
        rows = self.catalog.lake.rows(query("kept_takes"), job_id=self.job_id, policy=self.recipe.policy.id)
        return [(str(take_id), audio_s) for take_id, audio_s in rows]

    def settle(self) -> None:
        """Flatten and compact, if anything has come in."""
        _, tail = takes.tail(self.catalog.lake)
        if tail:
            takes.flatten(self.catalog.lake)
            self.catalog.lake.compact()

    def summary(self) -> Summary:
        """What the job has come to."""
        row = self.catalog.lake.rows(query("job_summary"), job_id=self.job_id, policy=self.recipe.policy.id)[0]
        return Summary(self.job_id, *row)

    def _nothing_kept(self) -> str:
        found, lake = self.summary(), self.catalog.lake
        if not found.takes:
            ((why,),) = lake.rows(query("an_unrecorded_line"), job_id=self.job_id) or [("nobody knows why",)]
            return f"no release: none of {found.lines:,} lines could be recorded; for example, {why}"
        if found.kept and self._tdsc:
            return f"no release: {self._tdsc.refusals_told()}"
        reasons = lake.rows(query("drop_reasons"), job_id=self.job_id, policy=self.recipe.policy.id)
        told = ", ".join(f"{reason} ({count:,})" for reason, count in reasons[:3])
        return (
            f"no release: the policy keeps none of {found.takes:,} takes: {told}; "
            "change policy.thresholds and run again, nothing is recorded twice"
        )

    def work(
        self,
        stage: str,
        total: int,
        streams: Sequence[Stream],
        crews: Sequence[Crew],
        *,
        judge: bool,
        watch: Watch | None = None,
    ) -> None:
        """Send streams through their crews, and write down what comes; ``watch`` sees every outcome as it arrives."""
        self._progress.start(stage, total)
        policy, families = self.recipe.policy, takes.families(self.catalog.lake)
        judging = ArrivalJudge(policy, families) if judge and not policy.judges_late else None
        with Clerk(self.catalog, self._run_id, judge=judging) as clerk:
            for outcome in at_work(self.recipe.fleet)(streams, crews):
                verdicts = clerk.receive(outcome)
                self._progress.receive(outcome, verdicts)
                if watch:
                    watch(outcome, verdicts)
        self._progress.finish()
