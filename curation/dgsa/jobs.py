"""DGSA on a job that has been run: whose takes it compares, and the settings that its recipe has."""

import json

from catalogs.catalog import Catalog
from catalogs.config import parse
from catalogs.ids import canonical, content_id
from curation.dgsa.config import DgsaConfig
from curation.dgsa.rows import Whose
from curation.policies.judging import find_scope

_RESOLVED = ("banks", "class")
"""What a stored recipe says beside the settings."""


def job_named(catalog: Catalog, name: str) -> tuple[Whose, DgsaConfig]:
    """The takes of a job, by its name or id, judged by its recipe's policy, and its [dgsa], or the usual settings.

    Raises:
        CatalogError: if there is no such job, or there are several.
    """
    job_id = find_scope(catalog, job=name).job_id
    ((stored,),) = catalog.lake.rows("SELECT recipe FROM job WHERE id = $id::UUID", id=job_id)
    recipe = json.loads(stored)
    policy = {key: value for key, value in recipe["policy"].items() if key != "class"}
    settings = {key: value for key, value in recipe.get("dgsa", {}).items() if key not in _RESOLVED}
    whose = Whose(job_id, content_id("policy", canonical(policy)))
    return whose, parse(DgsaConfig, settings, source=f"the recipe of job {name}")
