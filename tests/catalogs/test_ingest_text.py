import gzip
import json
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogs.errors import InputError
from catalogs.ingest import PromptSource, fingerprint, read_prompts
from catalogs.ingest.cells import clean_text
from catalogs.ingest.rows import RowError
from catalogs.records import Failure, Prompt, Slot


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def read(source: PromptSource) -> tuple[list[Prompt], list[Failure]]:
    rows = list(read_prompts(source))
    return [r for r in rows if isinstance(r, Prompt)], [r for r in rows if isinstance(r, Failure)]


def write(name: str, content: str | bytes | Sequence[object]) -> str:
    if isinstance(content, bytes):
        Path(name).write_bytes(content)
    elif isinstance(content, str):
        Path(name).write_text(content, encoding="utf-8", newline="")
    else:
        Path(name).write_text("".join(json.dumps(row) + "\n" for row in content), encoding="utf-8")
    return name


SAME_TEXTS = {
    "p.txt": "pay my bill\n\nwhat is my balance\r\n",
    "p.csv": 'text,domain\r\npay my bill,\r\n"what is\nmy balance",\r\n',
    "p.tsv": "domain\ttext\n\tpay my bill\n\twhat is my balance\n",
    "p.jsonl": '{"text": "pay my bill"}\n\n{"text": "what is my  balance"}',
    "p.ndjson": '\ufeff{"text": "pay my bill"}\r\n{"text": "what is my balance "}\r\n',
}


@pytest.mark.parametrize("name", SAME_TEXTS)
def test_every_format_gives_the_same_prompts(name: str) -> None:
    prompts, failures = read(PromptSource(write(name, SAME_TEXTS[name])))

    assert [p.text for p in prompts] == ["pay my bill", "what is my balance"]
    assert [p.id for p in prompts] == [Prompt.id_of(p.text, "en") for p in prompts]
    assert not failures


@pytest.mark.parametrize("name", SAME_TEXTS)
def test_gzipped_files_are_read_as_they_are(name: str) -> None:
    write(name + ".gz", gzip.compress(SAME_TEXTS[name].encode()))

    assert read(PromptSource(name + ".gz"))[0] == read(PromptSource(write(name, SAME_TEXTS[name])))[0]


def test_labels_come_along() -> None:
    row = {
        "text": "flights to milan on friday",
        "language": "en-GB",
        "domain": "travel",
        "split": "train",
        "intent": "find_flight",
        "slots": {"city": "milan", "day": ["friday", "saturday"], "seat": None},
        "entities": [{"type": "place", "value": "milan"}, {"name": "place", "value": "rome"}],
    }
    in_csv = ",".join('"' + (v if isinstance(v, str) else json.dumps(v)).replace('"', '""') + '"' for v in row.values())

    from_json = read(PromptSource(write("p.jsonl", [row])))[0][0]
    from_csv = read(PromptSource(write("p.csv", ",".join(row) + "\n" + in_csv)))[0][0]

    assert from_json == from_csv
    assert (from_json.language, from_json.domain, from_json.split) == ("en-GB", "travel", "train")
    assert from_json.slots == (Slot("city", "milan"), Slot("day", "friday; saturday"))
    assert from_json.entities == (Slot("place", "milan"), Slot("place", "rome"))


def test_the_source_fills_in_what_a_row_does_not_say() -> None:
    path = write("p.jsonl", [{"say": "sabaidee", "lang": "lao"}, {"say": "hello"}])
    source = PromptSource(path, text="say", language_column="lang", language="en", domain="greeting", split="dev")

    prompts, _ = read(source)

    assert [(p.language, p.domain, p.split) for p in prompts] == [("lao", "greeting", "dev"), ("en", "greeting", "dev")]


BAD_ROWS = {
    "invalid-encoding": (b'{"text": "caf\xe9"}', "byte 0xE9"),
    "not-json": (b'{"text": "open', "not JSON"),
    "not-json ": (b'["text"]', "a JSON object is expected, found list"),
    "not-json  ": (b"[" * 100_000, "nested too deeply"),
    "no-text": (b'{"txt": "no"}', "the text is missing"),
    "no-text ": (b'{"text": 7}', "a number, not a string"),
    "empty-text": (b'{"text": " \\u00a0\\t"}', "empty"),
    "too-long": (b'{"text": "' + b"a" * 50_000 + b'"}', "50,000 characters, where 2,000 are the limit"),
    "control-character": (b'{"text": "a\\u0000b"}', "U+0000"),
    "lone-surrogate": (b'{"text": "half \\ud83d"}', "U+D83D"),
    "damaged-text": (b'{"text": "caf\\ufffd"}', "lost a letter"),
    "bad-language": (b'{"text": "b", "language": "the english one"}', "no language tag"),
    "bad-labels": (b'{"text": "c", "slots": {"a": {"b": 1}}}', "the value of 'a'"),
    "bad-labels ": (b'{"text": "d", "entities": "city=milan"}', "entities is not JSON"),
    "bad-labels  ": (b'{"text": "e", "domain": ["x"]}', "domain is a list"),
    "duplicate": (b'{"text": "good  one"}', "the same text as p.jsonl:1"),
    "duplicate ": (b'{"text": "good one", "intent": "i"}', "with other labels; the first are kept"),
}


@pytest.mark.parametrize("kind", BAD_ROWS)
def test_a_bad_row_is_a_failure_with_its_line_and_the_others_are_read(kind: str) -> None:
    bad, sentence = BAD_ROWS[kind]
    path = write("p.jsonl", b'{"text": "good one"}\n' + bad + b'\n{"text": "good two"}\n')

    prompts, failures = read(PromptSource(path))

    assert [p.text for p in prompts] == ["good one", "good two"]
    assert [f.error for f in failures] == [kind.strip()]
    assert failures[0].message.startswith("p.jsonl:2: ")
    assert sentence in failures[0].message
    assert len(failures[0].message) < 300
    assert (failures[0].stage, failures[0].attempt) == ("ingest", 1)


def test_a_language_for_all_rows_that_is_none_is_a_failure_of_each_without_its_own() -> None:
    source = PromptSource(
        write("p.jsonl", [{"text": "a", "language": "de"}, {"text": "b"}]), language="the english one"
    )

    prompts, failures = read(source)

    assert [(p.text, p.language) for p in prompts] == [("a", "de")]
    assert [f.error for f in failures] == ["bad-language"]
    assert "'the english one' is no language tag" in failures[0].message


def test_failures_of_different_rows_have_different_ids() -> None:
    _, failures = read(PromptSource(write("p.jsonl", [{"text": ""}, {"text": ""}, {"text": "c"}])))

    assert len({f.subject_id for f in failures}) == 2


def test_a_csv_row_with_too_many_cells_is_not_cut_off_in_silence() -> None:
    prompts, failures = read(PromptSource(write("p.csv", 'text,intent\nyes, please,affirm\n"no, thanks",deny\n')))

    assert [(p.text, p.intent) for p in prompts] == [("no, thanks", "deny")]
    assert "3 cells where the header has 2" in failures[0].message


def test_a_quote_that_never_closes_costs_no_row_before_it() -> None:
    prompts, failures = read(PromptSource(write("p.csv", 'text\none\n"two\nthree\n')))

    assert [p.text for p in prompts] == ["one"]
    assert failures[0].error == "bad-row"
    assert failures[0].message.startswith("p.csv:3: ")


def test_quotes_in_tsv_are_just_characters() -> None:
    prompts, _ = read(PromptSource(write("p.tsv", 'text\n"hello" she said\n"so\n')))

    assert [p.text for p in prompts] == ['"hello" she said', '"so']


@pytest.mark.parametrize(
    "text", ["see you 👩\u200d👩\u200d👧 soon", "\u200fשלום עולם", "مرحبا\u200cبك", "ປະກາດ\u200bສາກົນ", "Ünïcödé"]
)
def test_emoji_joiners_and_right_to_left_text_pass(text: str) -> None:
    prompts, failures = read(PromptSource(write("p.jsonl", [{"text": text}])))

    assert [p.text for p in prompts] == [unicodedata.normalize("NFC", text)]
    assert not failures


def test_texts_that_differ_only_in_composition_or_invisible_marks_are_one_prompt() -> None:
    prompts, failures = read(PromptSource(write("p.txt", "café\ncafe\u0301\n\ufeffca\u00adfé\n")))

    assert [p.text for p in prompts] == ["café"]
    assert [f.error for f in failures] == ["duplicate", "duplicate"]


def test_the_same_text_in_another_language_is_another_prompt() -> None:
    rows = [{"text": "taxi", "language": "en"}, {"text": "taxi", "language": "de"}]

    assert len(read(PromptSource(write("p.jsonl", rows)))[0]) == 2


def test_a_folder_and_a_glob_are_read_in_order_of_names_and_duplicates_name_the_first_file() -> None:
    Path("in").mkdir()
    write("in/b.txt", "two\none\n")
    write("in/a.jsonl", [{"text": "one"}])
    write("in/.hidden.txt", "three")
    write("in/notes.md", "four")

    folder, failures = read(PromptSource("in"))

    assert [p.text for p in folder] == ["one", "two"]
    assert failures[0].message == "in/b.txt:2: the same text as in/a.jsonl:1"
    assert read(PromptSource("in/*.txt"))[0] == [folder[1], folder[0]]
    assert [p.text for p in read(PromptSource("in", format="txt"))[0]] == ["two", "one"]


def test_a_limit_counts_prompts_and_not_failures() -> None:
    prompts, failures = read(PromptSource(write("p.txt", "one\none\ntwo\nthree\n"), limit=2))

    assert [p.text for p in prompts] == ["one", "two"]
    assert len(failures) == 1


WHOLE_FILES = {
    "p.jsonl": (PromptSource("p.json"), '{"text": "a"}', "there is no file p.json; did you mean p.jsonl?"),
    "empty.txt": (PromptSource("empty.txt"), "", "empty.txt is empty"),
    "blank.txt": (PromptSource("blank.txt"), "\n \n", "blank.txt has no rows"),
    "head.csv": (PromptSource("head.csv"), "text,domain\n", "head.csv has no rows"),
    "typo.csv": (PromptSource("typo.csv"), "txet,domain\na,b\n", "no column 'text'; did you mean 'txet'?"),
    "typo.jsonl": (PromptSource("typo.jsonl", text="sentnce"), '{"sentence": "a"}', "did you mean 'sentence'?"),
    "lang.jsonl": (PromptSource("lang.jsonl", domain_column="topic"), '{"text": "a"}', "no column 'topic'"),
    "twice.csv": (PromptSource("twice.csv"), "text,text\na,b\n", "two columns named 'text'"),
    "p.data": (PromptSource("p.data"), "a", 'set format = "txt"'),
    "none": (PromptSource("*.csv"), "", r"no file matches \*.csv"),
    "wide.txt": (PromptSource("wide.txt"), "hello".encode("utf-16"), 'UTF-16, not UTF-8; set encoding = "utf-16"'),
    "code.txt": (PromptSource("code.txt", encoding="utf-9"), "a", "no encoding named 'utf-9'"),
    "cut.txt.gz": (PromptSource("cut.txt.gz"), gzip.compress(b"a" * 9999)[:30], "cannot be read"),
}


@pytest.mark.parametrize("name", WHOLE_FILES)
def test_a_file_that_is_wrong_as_a_whole_is_an_error_and_not_a_failure_a_row(name: str) -> None:
    source, content, sentence = WHOLE_FILES[name]
    write(name, content)

    with pytest.raises(InputError, match=sentence.replace("?", r"\?")):
        read(source)


def test_a_folder_with_nothing_to_read_is_an_error() -> None:
    Path("in").mkdir()

    with pytest.raises(InputError, match="in holds no file to read"):
        read_prompts(PromptSource("in"))


def test_other_encodings_can_be_named() -> None:
    latin = write("l.txt", "café".encode("latin-1"))
    wide = write("w.csv", "text\r\ncafé\r\n".encode("utf-16"))

    assert read(PromptSource(latin, encoding="latin-1"))[0] == read(PromptSource(wide, encoding="utf-16"))[0]


def test_the_fingerprint_is_of_the_bytes_and_the_settings_and_not_of_the_place() -> None:
    first = fingerprint(PromptSource(write("a.txt", "one\n")))

    assert fingerprint(PromptSource(write("moved.txt", "one\n"))) == first
    assert fingerprint(PromptSource(write("b.txt", "two\n"))) != first
    assert fingerprint(PromptSource("a.txt", language="lo")) != first
    with pytest.raises(InputError, match="there is no file"):
        fingerprint(PromptSource("gone.txt"))


@given(text=st.text(max_size=80))
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    try:
        once = clean_text(text, max_chars=100)
    except RowError:
        return

    assert clean_text(once, max_chars=100) == once
    assert unicodedata.is_normalized("NFC", once)
    assert once == " ".join(once.split())


def test_a_hundred_thousand_prompts_are_a_stream() -> None:
    path = Path("big.txt")
    path.write_text("".join(f"prompt number {n}\n" for n in range(100_000)))

    rows = read_prompts(PromptSource(str(path)))
    first = next(rows)

    assert isinstance(first, Prompt)
    assert sum(1 for _ in rows) == 99_999
