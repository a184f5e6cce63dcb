"""Task vectors as rows of a corpus: which models they are made of, what speech those have had, how large they are.

A vector's numbers are not in its row: they come again from the checkpoints of both models, as long as these are there,
or from where they are kept as a file.
What a vector is called, and where its models lie, is no part of it: a row says what the last merge said of that.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from types import MappingProxyType

from torch import Tensor

from catalogs.catalog import Catalog
from catalogs.config import parse
from catalogs.errors import TrainingError
from catalogs.ids import Id, canonical, content_id
from catalogs.lake import query
from catalogs.records import TaskVector
from training.evaluation.leaks import data_of, members_had
from training.merging.composing import Mixture
from training.merging.keeping import is_kept, kept_at
from training.merging.operators import OperatorConfig, combined
from training.merging.parts import Part, Source, load_source
from training.merging.recipe import MergeConfig
from training.merging.vectors import Weights, grouped, norm

DIFFERENCE = "difference"


def corpus_of(config: MergeConfig, target: Part) -> Path | None:
    """The corpus whose catalog keeps a merge's vectors: that of the recipe, else the first that the target has had."""
    if config.corpus is not None:
        return Path(config.corpus).expanduser()
    corpora = [table["corpus"] for table in target.recipe.get("data", ()) if table.get("corpus")]
    return Path(corpora[0]).expanduser() if corpora else None


def rows_of(mixture: Mixture, config: MergeConfig) -> list[TaskVector]:
    """A row for each source, and one for what they become together, if that is something else.

    What is taken out of them for one target is no part of them: rows are of all of a vector.

    Raises:
        DataLeak: if the speech that they were trained on is not there any more.
    """
    found = [_row_of(source) for source in mixture.sources]
    if len(found) == 1 and config.operator.name in ("add", "slerp"):
        return found
    vector = mixture.vector
    if config.text_direction == "removed":
        vector = combined({source.key: source.vector() for source in mixture.sources}, config.operator)
    return [*found, _row_of_all(found, vector, config.operator)]


def keep(corpus: Path, rows: Sequence[TaskVector]) -> None:
    """Add rows that are not there yet; the others get the names, and their models the folders, that they have now.

    It is one transaction: merges side by side, and a job that writes the corpus, wait for no more than each other's.

    Raises:
        CorpusMissing: if there is no such corpus.
    """
    with Catalog.open(corpus):  # there must be one
        pass
    with Catalog.create(corpus) as catalog, catalog.lake.transaction():
        catalog.add(rows)
        before = _rows_in(catalog)
        for now, row in zip(_named_as(rows, before), before, strict=True):
            if now != row:
                catalog.lake.run(
                    query("name_task_vector"), id=row.id, name=now.name, real=now.real, synthetic=now.synthetic
                )


def _named_as(rows: Sequence[TaskVector], known: Sequence[TaskVector]) -> list[TaskVector]:
    """The known rows with the names and folders of these; those of several vectors with the names of their members."""
    now = {row.id: row for row in rows}
    found = [
        replace(row, name=now[row.id].name, real=now[row.id].real, synthetic=now[row.id].synthetic)
        if row.id in now
        else row
        for row in known
    ]
    names = {row.id: row.name for row in found}
    return [replace(row, name=_name_of_all(row, names)) if row.members else row for row in found]


def vectors_in(corpus: Path) -> list[TaskVector]:
    """All vectors of a corpus, differences first.

    Raises:
        CorpusMissing: if there is none.
    """
    with Catalog.open(corpus) as catalog:
        return _rows_in(catalog)


def _rows_in(catalog: Catalog) -> list[TaskVector]:
    rows = catalog.ask("task_vectors").to_pylist()
    lists = ("members", "real_releases", "synthetic_releases", "voices", "layers", "layer_norms")
    return [TaskVector(**row | {name: tuple(row[name] or ()) for name in lists}) for row in rows]


def weights_of(
    row: TaskVector, known: Iterable[TaskVector], found: Mapping[Id, Weights] = MappingProxyType({})
) -> dict[str, Tensor]:
    """The numbers of a vector, from the models that it, or its members, are made of.

    ``found`` are vectors that have been computed before, by their ids: a member that is among them is not loaded again.

    Raises:
        TrainingError: if one of these is not there any more, or has been trained on since.
    """
    if row.operator == DIFFERENCE:
        place = Path(str(row.real)).parent
        source = kept_at(place) if is_kept(place) else load_source(row.name, str(row.real), str(row.synthetic))
        if source.key != row.id:
            raise TrainingError(f"{row.real} or {row.synthetic} is not what vector {row.name!r} was made of any more")
        return source.vector()
    by_id: Mapping[Id, TaskVector] = {each.id: each for each in known}
    members: dict[str, Weights] = {
        key: found[key] if key in found else weights_of(by_id[key], known, found) for key in row.members
    }
    return combined(members, parse(OperatorConfig, _table_of(row.operator), source=f"vector {row.name!r}"))


def _row_of(source: Source) -> TaskVector:
    real, synthetic = source.real, source.synthetic
    voices = {
        member.speaker
        for config, release_id in data_of(synthetic.found)
        for member in members_had(synthetic.found, config, release_id)
        if member.is_synthetic and member.speaker  # texts alone have none
    }
    vector = source.vector()
    layers = grouped(vector, "layer")
    return TaskVector(
        id=source.key,
        name=source.name,
        base_id=str(real.base["id"]),
        method=str(real.recipe["objective"]["method"]),
        operator=DIFFERENCE,
        members=(),
        real=str(real.found.folder.resolve()),
        real_sha256=str(real.pin["sha256"]),
        real_steps=real.found.position.step,
        real_releases=_releases(real),
        synthetic=str(synthetic.found.folder.resolve()),
        synthetic_sha256=str(synthetic.pin["sha256"]),
        synthetic_steps=synthetic.found.position.step,
        synthetic_releases=_releases(synthetic),
        voices=tuple(sorted(voices)),
        num_parameters=sum(tensor.numel() for tensor in vector.values()),
        norm=norm(vector),
        layers=tuple(layers),
        layer_norms=tuple(norm(vector, names) for names in layers.values()),
    )


def _row_of_all(members: Sequence[TaskVector], vector: Weights, operator: OperatorConfig) -> TaskVector:
    how, ids = canonical(asdict(operator)), tuple(sorted(member.id for member in members))
    layers = grouped(vector, "layer")
    first = members[0]
    return TaskVector(
        id=content_id("task vector", how, ids),
        name=_called(operator.name, [member.name for member in members]),
        base_id=first.base_id,
        method=first.method,
        operator=how,
        members=ids,
        real=None,
        real_sha256=None,
        real_steps=None,
        real_releases=_all(member.real_releases for member in members),
        synthetic=None,
        synthetic_sha256=None,
        synthetic_steps=None,
        synthetic_releases=_all(member.synthetic_releases for member in members),
        voices=_all(member.voices for member in members),
        num_parameters=first.num_parameters,
        norm=norm(vector),
        layers=tuple(layers),
        layer_norms=tuple(norm(vector, names) for names in layers.values()),
    )


def _name_of_all(row: TaskVector, names: Mapping[Id, str]) -> str:
    """What a vector of several is called; as before, if one of them is not known."""
    members = [names.get(member) for member in row.members]
    known = [name for name in members if name is not None]
    return _called(str(_table_of(row.operator)["name"]), known) if len(known) == len(members) else row.name


def _called(operator: str, names: Sequence[str]) -> str:
    return f"{operator}({', '.join(sorted(names))})"


def _releases(part: Part) -> tuple[Id, ...]:
    return tuple(release["id"] for release in part.found.provenance.get("releases") or ())


def _all(parts: Iterable[Sequence[str]]) -> tuple[str, ...]:
    return tuple(sorted({each for part in parts for each in part}))


def _table_of(operator: str) -> dict[str, object]:
    table: dict[str, object] = json.loads(operator)
    return table
