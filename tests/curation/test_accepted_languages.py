"""What counts as right in languages other than English, where text, normaliser and spoken form meet."""

import pytest

from curation.words.accepted import match_accepted
from synthgen.spoken import SpokenConfig

SPOKEN = SpokenConfig().build()


def errors(text: str, heard: str, language: str) -> int:
    return match_accepted((text, SPOKEN(text, language)), heard, language=language).errors.errors


@pytest.mark.parametrize(
    ("text", "heard", "language"),
    [
        ("Der Haustürschlüssel fehlt.", "Der Haustür Schlüssel fehlt.", "de"),
        ("Der Haustür-Schlüssel fehlt.", "Der Haustürschlüssel fehlt.", "de"),
        ("Ich brauche das E-Mail-Programm.", "Ich brauche das Emailprogramm.", "de"),
        ("Es kostet 1.200,50 €.", "Es kostet eintausendzweihundert Euro fünfzig.", "de"),
        ("Am 3. Mai um 7:30 Uhr.", "am dritten Mai um sieben Uhr dreißig", "de"),
        ("Am dritten Mai um sieben Uhr dreißig.", "Am 3. Mai um 7.30 Uhr.", "de"),
        ("PIN 0042", "Pin 0042", "de"),
        ("PIN 0042", "Pin null null vier zwei", "de"),
        ("Ca. 20 kg in der Hauptstr. 5", "Circa 20 Kilogramm in der Hauptstraße 5.", "de"),
        ("De fietsenstalling kost twee euro.", "De fietsen stalling kost 2 euro.", "nl"),
        ("Het kost € 2,50.", "Het kost twee euro vijftig.", "nl"),
        ("เด็ก ๆ", "เด็กๆ", "th"),
        ("เด็ก ๆ", "เด็กเด็ก", "th"),
        ("มี 25 คน", "มียี่สิบห้าคน", "th"),
        ("ມີ 21 ຄົນ", "ມີຊາວເອັດຄົນ", "lo"),
        ("ມີຊາວເອັດຄົນ", "ມີ ໒໑ ຄົນ", "lo"),
    ],
)
def test_another_spelling_is_no_error(text: str, heard: str, language: str) -> None:
    assert errors(text, heard, language) == 0


@pytest.mark.parametrize(
    ("text", "heard", "language"),
    [
        ("Der Haustürschlüssel fehlt.", "Der Haustür Schüssel fehlt.", "de"),
        ("Es kostet 12,50 €.", "Es kostet zwölf Euro fünfzehn.", "de"),
        ("Die Mütter kommen.", "Die Mutter kommen.", "de"),
        ("เด็ก ๆ", "เด็ก", "th"),
        ("ມີ 21 ຄົນ", "ມີຊາວຄົນ", "lo"),
    ],
)
def test_another_word_is_one(text: str, heard: str, language: str) -> None:
    assert errors(text, heard, language) > 0
