"""The doctor looks at all that is registered, and has a finding for each."""

from catalogs.config import registered
from curation.doctor import examine


def test_every_voice_has_a_finding_and_none_is_broken_for_want_of_a_recipe() -> None:
    found = {finding.subject: finding for finding in examine(speak=False)}

    voices = {f"voice {engine}" for engine in registered("synthgen.voices")}
    assert voices <= found.keys()
    assert not [finding for finding in found.values() if finding.state == "broken" and finding.subject in voices]
    assert found["voice transplant"].detail == "speaks by the base and bank that a recipe names"
    assert "voices by default" in found["voice tone"].detail
