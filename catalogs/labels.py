"""The labels of texts: what a text lacks is filled in, what it has stays, and a split that holds it out wins."""

from collections.abc import Sequence
from dataclasses import replace

import pyarrow as pa

from catalogs import takes
from catalogs.catalog import Catalog
from catalogs.ids import Id
from catalogs.lake import query
from catalogs.records import Prompt, Slot
from catalogs.rows import to_arrow

OTHER_LABELS = "other-labels"
"""The error of a `Failure` that tells what a text was said to be and is not."""

_LABELS = ("domain", "intent", "slots", "entities")


def add_prompts(catalog: Catalog, prompts: Sequence[Prompt], *, with_splits: bool = True) -> dict[Prompt, str]:
    """Add texts, or what they say of texts that are there; gives in what they differ from what is stored.

    Without ``with_splits`` the split of a text that is there stays as it is, and nothing is said of it: real takes have
    splits of their own.
    """
    with catalog.lake.transaction():
        stored = _stored(catalog, {prompt.id for prompt in prompts})
        now, told = dict(stored), dict[Prompt, str]()
        for prompt in prompts:
            known = now.setdefault(prompt.id, prompt)
            asked = prompt if with_splits else replace(prompt, split=None)
            now[prompt.id] = merged(known, asked)
            differs = differences(now[prompt.id], known, asked)
            if differs:
                told[prompt] = (
                    f"the text {prompt.text!r} is stored with {differs}; "
                    "a corpus has one set of labels for a text: correct the row, or use another corpus"
                )
        catalog.add([prompt for prompt in now.values() if prompt.id not in stored])
        _replace(catalog, [prompt for prompt in now.values() if stored.get(prompt.id, prompt) != prompt])
    return told


def is_held_out(split: str | None) -> bool:
    """Whether nothing in a split may be learned from: it has a name that does not begin with "train"."""
    return split is not None and not split.lower().startswith("train")


def merged(known: Prompt, other: Prompt) -> Prompt:
    """A known text with the labels that it lacks; its split is one that holds it out, if either does."""
    labels = {name: getattr(known, name) or getattr(other, name) for name in _LABELS}
    is_moved = is_held_out(other.split) and not is_held_out(known.split)
    return replace(known, **labels, split=other.split if is_moved else known.split or other.split)


def differences(now: Prompt, *rows: Prompt) -> str:
    """What rows say otherwise than the text as it is now, in words; empty if nothing."""
    found = {
        f"{name} {getattr(now, name)!r}, not {getattr(row, name)!r}": None
        for row in rows
        for name in ("split", *_LABELS)
        if getattr(row, name) and _whole(getattr(row, name)) != _whole(getattr(now, name))
    }
    return "; ".join(found)


def _whole(label: str | tuple[Slot, ...] | None) -> str | set[Slot] | None:
    """A label as it is compared: the order of slots and entities is nobody's promise."""
    return set(label) if isinstance(label, tuple) else label


def _stored(catalog: Catalog, ids: set[Id]) -> dict[Id, Prompt]:
    with catalog.lake.lent("wanted", pa.table({"id": pa.array(sorted(ids), pa.string())})):
        rows = catalog.lake.table(query("prompts_wanted")).to_pylist()
    return {row["id"]: _prompt(**row) for row in rows}


def _prompt(*, slots: list[tuple[str, str]] | None, entities: list[dict[str, str]] | None, **row: str) -> Prompt:
    return Prompt(
        **row,
        slots=tuple(Slot(name, value) for name, value in slots or ()),
        entities=tuple(Slot(each["name"], each["value"]) for each in entities or ()),
    )


def _replace(catalog: Catalog, prompts: Sequence[Prompt]) -> None:
    if not prompts:
        return
    with catalog.lake.lent("gone", pa.table({"id": [prompt.id for prompt in prompts]})):
        catalog.lake.run("DELETE FROM prompt WHERE id IN (SELECT id::UUID FROM gone)")
    catalog.lake.insert("prompt", to_arrow(prompts))
    takes.reset(catalog.lake)
