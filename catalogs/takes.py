"""The view people query: ``takes``, one row a take, every metric a typed column.

Each metric family has an append-only table, which is the truth. Joining them all costs about a second per
million takes, so `flatten` keeps the joined rows in one flat table; ``takes`` reads that, and joins only what has
been committed since (DuckLake knows the snapshot every row came in, and skips older files). It is right at every
moment and for several writers, and fast when the tail is short.
"""

from collections.abc import Sequence

import pyarrow as pa

from catalogs.about_voice import write_about_voice
from catalogs.families import Family, dictionary_rows, families, make_table, refuse_clashes, score_table
from catalogs.ids import Id
from catalogs.lake import Lake, query, quoted
from catalogs.records import MetricCard

__all__ = [
    "BASE",
    "FLAT",
    "Family",
    "declare",
    "dictionary",
    "families",
    "flatten",
    "forget",
    "reset",
    "score_table",
    "tail",
]

FLAT = "takes_flat"

BASE: tuple[tuple[str, str, str], ...] = (
    ("take_id", "take.id", "id of the take"),
    ("prompt_id", "take.prompt_id", "id of the prompt that was read"),
    ("line_id", "take.line_id", "id of the line it records; null for a real recording"),
    ("voice_id", "take.voice_id", "id of the voice card"),
    ("origin", "take.origin", "synthetic or real"),
    ("voice", "voice.name", "engine/speaker"),
    ("engine", "voice.engine", "engine that spoke; human for a real recording"),
    ("speaker", "voice.speaker", "speaker of the voice"),
    ("licence", "voice.licence", "licence of the voice, and so of the take"),
    ("language", "prompt.language", "language of the prompt"),
    ("domain", "prompt.domain", "domain of the prompt"),
    ("split", "coalesce(take.split, prompt.split)", "split of the take, else of the prompt"),
    ("intent", "prompt.intent", "intent label of the prompt"),
    ("slots", "prompt.slots", "slot labels of the prompt, name to value"),
    ("entities", "prompt.entities", "entity labels of the prompt"),
    ("text", "prompt.text", "the prompt as written"),
    ("spoken", "line.text", "the form that was given to the voice; null for a real recording"),
    ("style", "line.style", "whose prosody was asked for; null is the voice's own"),
    ("timbre", "line.timbre", "whose timbre was asked for; null is the voice's own"),
    ("temperature", "line.temperature", "temperature of the line; null for a voice without one"),
    ("seed", "line.seed", "seed of the line; null for a voice without randomness"),
    ("audio_s", "take.num_samples / take.sample_rate_hz", "length of the audio in seconds"),
    ("sample_rate_hz", "take.sample_rate_hz", "sampling rate in hertz"),
    ("num_samples", "take.num_samples", "length of the audio in samples"),
    ("pcm_sha256", "take.pcm_sha256", "SHA-256 of the int16 samples"),
    ("shard", "take.shard", "shard that holds the FLAC bytes"),
    ("offset", 'take."offset"', "first byte of the FLAC in the shard"),
    ("num_bytes", "take.num_bytes", "length of the FLAC in bytes"),
    ("verdict", "judged.decision", "keep or drop, by the policy that judged last"),
    ("reasons", "judged.reasons", "why it was dropped"),
    ("policy", "judged.policy", "id of the policy that judged last"),
)


def declare(lake: Lake, cards: Sequence[MetricCard]) -> None:
    """Make room for the scores of these families; a new version of a known one takes its place in ``takes``.

    Raises:
        CatalogError: if a column's name is taken by another family, or its type has changed.
    """
    if not _undeclared(lake, cards):
        return
    with lake.transaction():
        known = {f.table: f.card for f in families(lake)}
        last: int = lake.rows("SELECT coalesce(max(declared), 0) FROM metric")[0][0]
        for number, card in enumerate(_undeclared(lake, cards), start=last + 1):
            others = [c for table, c in known.items() if table != score_table(card)]
            refuse_clashes(card, others, taken={name: "the take itself" for name, _, _ in BASE})
            make_table(lake, card, known.get(score_table(card)))
            lake.insert("metric", dictionary_rows(card, number))
            known[score_table(card)] = card
        reset(lake)


def flatten(lake: Lake) -> None:
    """Bring the flat table up to date; ``takes`` is the same before and after, but faster.

    Only what has changed is joined again, unless that is most of it.
    """
    with lake.transaction():
        upto = lake.snapshot()
        known, before = families(lake), _flattened_upto(lake)
        changed, held = (0, 0) if before is None else _changes(lake, known, before)
        if before is None or changed > held // 2:
            lake.run(f"DROP TABLE IF EXISTS {FLAT}")
            lake.run(f"CREATE TABLE {FLAT} AS {_joined(known)} ORDER BY voice, take_id")
        elif changed:
            _renew(lake, known, before)
        lake.run("CREATE OR REPLACE TABLE flattened AS SELECT $upto::BIGINT AS upto", upto=upto)
        write_view(lake, upto=upto)


def reset(lake: Lake) -> None:
    """Drop the flat table, after rows were changed that are never changed otherwise; ``takes`` joins all again."""
    with lake.transaction():
        _forget_flat(lake)
        write_view(lake)


def forget(lake: Lake, take_ids: Sequence[Id]) -> None:
    """Remove takes, and all that was said of them, so that their lines can be recorded again."""
    gone = pa.array(take_ids, pa.string())
    with lake.transaction(), lake.lent("gone", pa.table({"id": gone})):
        tables = [
            ("take", "id"),
            ("failure", "subject_id"),
            *((table, "take_id") for table in ("verdict", "hypothesis", "understanding")),
            *((family.table, "take_id") for family in families(lake)),
        ]
        if _flattened_upto(lake) is not None:
            tables.append((FLAT, "take_id"))
        for table, key in tables:
            lake.run(f"DELETE FROM {table} WHERE {key} IN (SELECT id::UUID FROM gone)")


def tail(lake: Lake) -> tuple[int, int]:
    """How many takes the flat table holds, and how many rows of any kind came after it."""
    upto = _flattened_upto(lake)
    if upto is None:
        return 0, lake.rows("SELECT count(*) FROM take")[0][0]
    newer = " + ".join(
        f"(SELECT count(*) FROM {table} WHERE snapshot_id > {upto})"
        for table in ("take", "verdict", *(f.table for f in families(lake)))
    )
    (held, after) = lake.rows(f"SELECT (SELECT count(*) FROM {FLAT}), {newer}")[0]
    return held, after


def write_view(lake: Lake, *, upto: int | None = None) -> None:
    """Define ``takes`` anew: the flat rows, and the join of what came after snapshot ``upto``; and what reads it."""
    known = families(lake)
    if upto is None:
        rows = _joined(known)
    else:
        held = f"SELECT * FROM {FLAT} WHERE take_id NOT IN ({_changed(known, upto)})"
        rows = f"{held} UNION ALL BY NAME {_tail(known, upto)}"
    lake.run(f"CREATE OR REPLACE VIEW takes AS {rows}")
    write_about_voice(lake, {f.named(c) for f in known for c in f.card.columns})


def dictionary(lake: Lake) -> pa.Table:
    """The data dictionary of ``takes``: column, type, unit, which way is better, meaning, family, version."""
    meanings = {name: meaning for name, _, meaning in BASE}
    scores = {f.named(c): (c, f) for f in families(lake) for c in f.card.columns}
    rows = []
    for name, kind in lake.rows("SELECT column_name, column_type FROM (DESCRIBE takes)"):
        column, family = scores.get(name, (None, None))
        rows.append(
            {
                "column": name,
                "type": kind,
                "unit": column.unit if column else "",
                "better": column.better if column else "neither",
                "meaning": column.meaning if column else meanings[name],
                "family": score_table(family.card).removeprefix("score_") if family else "take",
                "version": family.card.version if family else "",
            }
        )
    return pa.Table.from_pylist(rows)


def _undeclared(lake: Lake, cards: Sequence[MetricCard]) -> list[MetricCard]:
    known = {f.table: f.card for f in families(lake)}
    return [card for card in cards if known.get(score_table(card)) != card]


def _changes(lake: Lake, known: Sequence[Family], upto: int) -> tuple[int, int]:
    """How many takes have changed since, and how many the flat table holds."""
    changed = f"SELECT count(DISTINCT take_id) FROM ({_changed(known, upto)})"
    numbers: tuple[int, int] = lake.rows(f"SELECT ({changed}), (SELECT count(*) FROM {FLAT})")[0]
    return numbers


def _renew(lake: Lake, known: Sequence[Family], upto: int) -> None:
    lake.run(f"CREATE TEMP TABLE fresh AS {_tail(known, upto)}")
    lake.run(f"DELETE FROM {FLAT} WHERE take_id IN (SELECT take_id FROM temp.fresh)")
    lake.run(f"INSERT INTO {FLAT} BY NAME FROM temp.fresh ORDER BY voice, take_id")
    lake.run("DROP TABLE temp.fresh")


def _changed(known: Sequence[Family], upto: int) -> str:
    return " UNION ALL ".join(
        f"SELECT {key} AS take_id FROM {table} WHERE snapshot_id > {upto}"
        for table, key in [("take", "id"), ("verdict", "take_id"), *((f.table, "take_id") for f in known)]
    )


def _joined(known: Sequence[Family]) -> str:
    names = [f'{source} AS "{name}"' for name, source, _ in BASE]
    names += [f'{f.table}."{c.name}" AS "{f.named(c)}"' for f in known for c in f.card.columns]
    joins = [
        f"LEFT JOIN {f.table} ON {f.table}.take_id = take.id AND {f.table}.version = {quoted(f.card.version)}"
        for f in known
    ]
    return query("joined").format(columns=", ".join(names), scores=" ".join(joins))


def _tail(known: Sequence[Family], upto: int) -> str:
    base = [(name, source) for name, source, _ in BASE]
    names = [
        f'if(judged.take_id IS NULL, known."{name}", {source}) AS "{name}"' if _is_judged(source) else f'known."{name}"'
        for name, source in base
    ]
    names += [
        f'coalesce({f.table}."{c.name}", known."{f.named(c)}") AS "{f.named(c)}"' for f in known for c in f.card.columns
    ]
    joins = [
        f"LEFT JOIN (SELECT * FROM {f.table} WHERE snapshot_id > {upto} AND version = {quoted(f.card.version)}) "
        f"AS {f.table} ON {f.table}.take_id = known.take_id"
        for f in known
    ]
    return query("tail").format(
        columns=", ".join(names),
        changed=_changed(known, upto),
        upto=upto,
        base=", ".join(f'{source} AS "{name}"' for name, source in base if not _is_judged(source)),
        scores=" ".join(joins),
    )


def _is_judged(source: str) -> bool:
    return source.startswith("judged.")


def _forget_flat(lake: Lake) -> None:
    lake.run("DROP VIEW IF EXISTS takes")
    lake.run(f"DROP TABLE IF EXISTS {FLAT}")
    lake.run("DROP TABLE IF EXISTS flattened")


def _flattened_upto(lake: Lake) -> int | None:
    if not lake.rows("SELECT 1 FROM duckdb_columns() WHERE database_name = 'corpus' AND table_name = 'flattened'"):
        return None
    upto: int = lake.rows("SELECT upto FROM flattened")[0][0]
    return upto
