"""What flows through the studio: frozen records whose ids are hashes of their content.

Seconds end in ``_s``, hertz in ``_hz``. Nothing here knows how it is stored.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, TypeAlias

from catalogs.ids import Id, content_id

Origin: TypeAlias = Literal["synthetic", "real"]
Decision: TypeAlias = Literal["keep", "drop"]
Value: TypeAlias = "float | int | str | bool | tuple[float, ...] | tuple[str, ...] | None"


@dataclass(frozen=True, slots=True)
class Slot:
    """One named value in a prompt: a filled slot, or an entity of a type."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """A text to be read, in one language; its labels come along but are not its identity.

    The same text is the same prompt, so a text has one split, and no voice reads for training what is held out. A real
    take may have a split of its own.
    """

    id: Id
    text: str
    language: str
    domain: str | None = None
    split: str | None = None
    intent: str | None = None
    slots: tuple[Slot, ...] = ()
    entities: tuple[Slot, ...] = ()

    @staticmethod
    def id_of(text: str, language: str) -> Id:
        """The id of a text: a hash of its language and its characters."""
        return content_id("prompt", language, text)


@dataclass(frozen=True, slots=True)
class VoiceCard:
    """What a voice is: an engine, a speaker, a checkpoint, and all that changes its samples.

    ``threads`` is the number of threads an actor gives it (float sums depend on it). ``batch_exact`` is
    whether a line has the same samples alone and in a batch. ``temperature`` says in words what the knob
    does, and is None for a voice that reads a line in one way only. ``tokens`` names the speech code of
    its takes, or is None. ``config`` is canonical JSON.
    """

    id: Id
    name: str
    engine: str
    speaker: str
    language: str
    sample_rate_hz: int
    checkpoint_sha256: str
    licence: str
    consent: str
    temperature: str | None
    tokens: str | None
    threads: int
    batch_exact: bool
    config: str

    @classmethod
    def new(
        cls,
        *,
        engine: str,
        speaker: str,
        language: str,
        sample_rate_hz: int,
        checkpoint_sha256: str,
        licence: str,
        consent: str,
        temperature: str | None = None,
        tokens: str | None = None,
        threads: int = 1,
        batch_exact: bool = True,
        config: str = "{}",
    ) -> "VoiceCard":
        """Make a card; its id covers everything that may change the samples, licence and consent aside."""
        card = cls(
            id="",
            name=f"{engine}/{speaker}",
            engine=engine,
            speaker=speaker,
            language=language,
            sample_rate_hz=sample_rate_hz,
            checkpoint_sha256=checkpoint_sha256,
            licence=licence,
            consent=consent,
            temperature=temperature,
            tokens=tokens,
            threads=threads,
            batch_exact=batch_exact,
            config=config,
        )
        return replace(card, id=card.base_id)

    @property
    def base_id(self) -> Id:
        """A hash of everything that may change the samples, licence and consent aside: who speaks, whatever is allowed.

        It is the id of a machine's voice; that of a human one (`catalogs.ingest.human_voice`) covers the terms as well.
        """
        model = (self.engine, self.speaker, self.language, self.sample_rate_hz, self.checkpoint_sha256)
        return content_id("voice", *model, self.threads, self.batch_exact, self.config)

    @property
    def terms(self) -> str:
        """What its speech may be used for, in words."""
        return f"{self.licence or 'no licence'} (consent: {self.consent or 'not stated'})"


@dataclass(frozen=True, slots=True)
class Line:
    """Who reads what, and how: one row of planned work.

    ``text`` is the spoken form. ``style`` and ``timbre`` name readings or speakers of the voice's engine;
    None is the voice's own. A voice without randomness has neither temperature nor seed. ``batch_id`` is
    the batch fixed at casting for a voice whose samples depend on their batch; it is not part of the id.
    """

    id: Id
    prompt_id: Id
    voice_id: Id
    text: str
    normaliser: str
    style: str | None = None
    timbre: str | None = None
    temperature: float | None = None
    seed: int | None = None
    batch_id: Id | None = None

    @classmethod
    def new(
        cls,
        *,
        prompt_id: Id,
        voice_id: Id,
        text: str,
        normaliser: str,
        style: str | None = None,
        timbre: str | None = None,
        temperature: float | None = None,
        seed: int | None = None,
    ) -> "Line":
        """Make a line; prompts that are spoken the same way by the same voice share it."""
        made_of = (voice_id, text, normaliser, style, timbre, temperature, seed)
        return cls(
            id=content_id("line", *made_of),
            prompt_id=prompt_id,
            voice_id=voice_id,
            text=text,
            normaliser=normaliser,
            style=style,
            timbre=timbre,
            temperature=temperature,
            seed=seed,
        )


@dataclass(frozen=True, slots=True)
class WordTime:
    """When a word is said, in seconds from the start of its take, as single precision keeps them."""

    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Take:
    """A line that has been recorded, or a real recording: where its FLAC bytes lie and what they hold.

    ``pcm_sha256`` is over the little-endian int16 samples. ``tokens`` are the voice's own speech codes. ``split`` is
    the one that a real recording came with; without one, that of the prompt holds. ``word_times`` are what the voice
    itself knows of the words of its line (`catalogs.pronunciations.spoken_tokens`), None where it knows nothing.
    """

    id: Id
    line_id: Id | None
    prompt_id: Id
    voice_id: Id
    origin: Origin
    shard: str
    offset: int
    num_bytes: int
    pcm_sha256: str
    sample_rate_hz: int
    num_samples: int
    tokens: tuple[int, ...] | None = None
    split: str | None = None
    word_times: tuple[WordTime, ...] | None = None

    @staticmethod
    def id_of_line(line_id: Id) -> Id:
        """The id of the only take a line can have: same line, same PCM."""
        return content_id("take", line_id)

    @staticmethod
    def id_of_recording(prompt_id: Id, voice_id: Id, pcm_sha256: str) -> Id:
        """The id of a real recording: what was said, by whom, and the samples."""
        return content_id("take", prompt_id, voice_id, pcm_sha256)


@dataclass(frozen=True, slots=True)
class Shard:
    """A sealed tar of FLAC files."""

    name: str
    sha256: str
    num_bytes: int
    num_takes: int


@dataclass(frozen=True, slots=True)
class Job:
    """One resolved recipe; its id is the hash of it, prompt files included."""

    id: Id
    name: str
    recipe: str


@dataclass(frozen=True, slots=True)
class JobLine:
    """A line that a job wants, and its place in the job's order."""

    job_id: Id
    line_id: Id
    position: int


@dataclass(frozen=True, slots=True)
class Round:
    """A finished round of casting: up to its end, how many prompts were used, lines made, and prompts left out.

    ``left_out`` are prompts that cannot be read or that no voice speaks; each has its `Failure`.
    """

    job_id: Id
    number: int
    prompts: int
    lines: int
    left_out: int
    is_last: bool


@dataclass(frozen=True, slots=True)
class Run:
    """One go at a job: who ran what, when, with which versions, and how it ended."""

    id: Id
    job_id: Id | None
    command: str
    host: str
    versions: str
    started: datetime
    ended: datetime | None = None
    outcome: str | None = None


@dataclass(frozen=True, slots=True)
class ScoreColumn:
    """One figure of a metric family: its unit, and which way is better ("higher", "lower", "neither")."""

    name: str
    type: Literal["DOUBLE", "INTEGER", "BOOLEAN", "VARCHAR", "FLOAT[]", "INTEGER[]", "VARCHAR[]"]
    unit: str
    better: Literal["higher", "lower", "neither"]
    meaning: str


@dataclass(frozen=True, slots=True)
class MetricCard:
    """A metric family: a version (model, normaliser, code) and the typed columns it writes.

    A family measured by one of several models carries the model in ``variant``; its columns appear in
    ``takes`` as ``name__variant``, those of the default variant also without the suffix.
    """

    family: str
    version: str
    columns: tuple[ScoreColumn, ...]
    variant: str | None = None


@dataclass(frozen=True, slots=True)
class Score:
    """What a metric family says of one take; values in the order of the card's columns."""

    take_id: Id
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class VoiceReference:
    """The mean speaker embedding (unit length) a voice is held against, and how many takes it was made from."""

    voice_id: Id
    version: str
    embedding: tuple[float, ...]
    num_takes: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """Keep or drop, by a policy, with every reason."""

    take_id: Id
    policy: Id
    decision: Decision
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """One candidate of a text: lines with the same group id are read so that the best can be chosen.

    ``iteration`` is the round, from 1, in which the job asked for it.
    """

    id: Id
    line_id: Id
    job_id: Id
    iteration: int

    @staticmethod
    def id_of(job_id: Id, prompt_id: Id, voice_id: Id) -> Id:
        """The id of the candidates that a job wants of one text by one voice."""
        return content_id("group", job_id, prompt_id, voice_id)


@dataclass(frozen=True, slots=True)
class Preference:
    """Of two takes of one prompt, which is better, for which objective, and by which method it was found.

    ``objective`` is what the winner is better at ("words", "stability", "expressivity"), ``method`` the loop that
    chose ("tdsc", "dgsa"). ``job_id`` is whose takes were compared, by its policy; None is the whole corpus.
    ``weight`` is what the loss of its objective counts for, DGSA's λ; None where a method weighs nothing.
    """

    prompt_id: Id
    winner: Id
    loser: Id
    objective: str
    method: str
    iteration: int
    job_id: Id | None = None
    weight: float | None = None


@dataclass(frozen=True, slots=True)
class SetScore:
    """A figure of a set of takes, with its 95 % interval and how many independent items it rests on, such as texts.

    ``set_id`` is a release, a job or another content hash; ``subset`` says which part of it, "" is all.
    """

    set_id: Id
    subset: str
    metric: str
    version: str
    value: float
    num_items: int
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Release:
    """A frozen, named selection; its id is the hash of its members' ids, texts, samples and splits."""

    id: Id
    name: str
    job_id: Id | None
    made_by: str
    created: datetime
    num_takes: int
    audio_s: float
    licences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReleaseItem:
    """One member of a release."""

    release_id: Id
    take_id: Id
    split: str


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A recogniser with one way of decoding, on one release.

    ``recogniser`` is its name for people, ``recogniser_id`` a hash of what it was made of. ``decoding`` is canonical
    JSON, ``normaliser`` the one that errors are counted with.
    """

    id: Id
    recogniser_id: Id
    recogniser: str
    release_id: Id
    decoding: str
    normaliser: str

    @classmethod
    def new(cls, *, recogniser_id: Id, recogniser: str, release_id: Id, decoding: str, normaliser: str) -> "Evaluation":
        """Make one; its id covers all but the recogniser's name."""
        found = content_id("evaluation", recogniser_id, release_id, decoding, normaliser)
        return cls(found, recogniser_id, recogniser, release_id, decoding, normaliser)


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """What a recogniser heard in a take, in its own words, and how that differs from what was to be said.

    Errors, ``num_words`` and ``num_characters`` are of the reference, as written or as spoken, whichever is nearer.
    ``length_ratio`` is words heard over words of the reference. ``repeated`` words say again what is right before
    them, ``loop`` is how many times in a row a phrase is said at most, ``tail`` are words inserted behind the last one
    that was heard right. ``hit_limit``: it was cut, as it had not come to an end. ``missed_slots`` and
    ``missed_entities`` are those of which the value was not heard, as "name=value".
    """

    evaluation_id: Id
    take_id: Id
    text: str
    wer: float
    cer: float
    substitutions: int
    insertions: int
    deletions: int
    num_words: int
    character_errors: int
    num_characters: int
    length_ratio: float
    repeated: int
    loop: int
    tail: int
    hit_limit: bool
    num_slots: int
    missed_slots: tuple[str, ...]
    num_entities: int
    missed_entities: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Understanding:
    """What a recogniser took to be meant by a take, beside its `Hypothesis`: an intent, and values by name.

    ``is_intent_right`` is None where the prompt has no intent. ``num_wanted`` are the slots and entities of the prompt,
    ``num_found`` those that the recogniser wrote, ``num_right`` how many are in both, name and value normalised.
    """

    evaluation_id: Id
    take_id: Id
    intent: str | None
    is_intent_right: bool | None
    found: tuple[Slot, ...]
    num_wanted: int
    num_found: int
    num_right: int


@dataclass(frozen=True, slots=True)
class TaskVector:
    """What a model of real speech has that its like of synthetic speech has not: the difference of their weights.

    ``base_id`` is a hash of what both began from. ``operator`` is "difference", or, of a vector that was made of
    ``members``, how, as JSON; then there are no models and no steps. ``voices`` are those of the synthetic speech.
    ``norm`` is Euclidean, over ``num_parameters``; ``layer_norms`` are those of ``layers``.
    """

    id: Id
    name: str
    base_id: Id
    method: str
    operator: str
    members: tuple[Id, ...]
    real: str | None
    real_sha256: str | None
    real_steps: int | None
    real_releases: tuple[Id, ...]
    synthetic: str | None
    synthetic_sha256: str | None
    synthetic_steps: int | None
    synthetic_releases: tuple[Id, ...]
    voices: tuple[str, ...]
    num_parameters: int
    norm: float
    layers: tuple[str, ...]
    layer_norms: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class LatentReport:
    """How good the latents are that a synthesiser makes of the texts of real takes, each of another text.

    ``checkpoint`` and ``guide`` are folders. Of made latents, of real ones, and of those of ``num_texts`` further texts
    it has the word errors of the guide over words; of frames the Fréchet distance and MMD to real ones, both squared,
    where those of real ones are between two halves of them. ``auc`` is how well a probe tells made from real ones.
    """

    id: Id
    checkpoint: str
    step: int
    training_id: Id
    method: str
    guide: str
    guide_training_id: Id
    release_id: Id
    split: str | None
    num_takes: int
    num_speakers: int
    num_texts: int
    wer_made: float | None
    wer_real: float | None
    wer_texts: float | None
    frechet_made: float | None
    frechet_real: float | None
    mmd_made: float | None
    mmd_real: float | None
    auc: float | None
    frames_per_character_made: float | None
    frames_per_character_real: float | None


@dataclass(frozen=True, slots=True)
class Interleaving:
    """A set of sequences of heard and read units, of the takes of a release, and of texts alone.

    ``choosing`` is how units and modalities are chosen, as canonical JSON, ``version`` that of the code that does it.
    ``texts`` names the texts alone, ``texts_id`` is a hash of them. ``num_takes`` have word times, ``num_untimed`` have
    none, and no sequences; ``num_held_out`` texts are held out, and left out.
    """

    id: Id
    release_id: Id
    split: str | None
    choosing: str
    seed: int
    version: str
    texts: str | None
    texts_id: Id | None
    num_takes: int
    num_untimed: int
    num_texts: int
    num_held_out: int
    num_sequences: int


@dataclass(frozen=True, slots=True)
class SequenceUnit:
    """A unit of a sequence: a piece of a take that is heard, or a text that is read.

    A take has up to two sequences, ``heard_first`` and not, whose units are the same; what is heard in the one is read
    in the other, unless entities are heard by a probability of their own. A text alone has a ``prompt_id``, and neither
    a take nor times. ``confidence`` is that of its worst word, in nats.
    """

    interleaving_id: Id
    take_id: Id | None
    prompt_id: Id | None
    heard_first: bool
    unit_idx: int
    unit_type: Literal["word", "segment", "text"]
    modality: Literal["speech", "text"]
    start_s: float | None
    end_s: float | None
    text: str
    confidence: float | None


@dataclass(frozen=True, slots=True)
class Failure:
    """An item that a stage could not do: a rerun skips it until `synthgen retry` reopens it."""

    stage: str
    subject_id: Id
    attempt: int
    error: str
    message: str
