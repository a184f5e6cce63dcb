"""What comes along with the audio: a dataset card for people and for the Hugging Face hub, and the licences."""

import json
from collections.abc import Iterable, Mapping

from catalogs.export.item import ExportConfig, Format
from catalogs.export.names import escape, hub_split
from catalogs.export.tally import Count, Tally
from catalogs.records import Release

_LOADING: Mapping[Format, str] = {
    "shar": 'from lhotse import CutSet\n\ncuts = CutSet.from_shar(in_dir="{split}")',
    "webdataset": (
        'from glob import glob\n\nimport webdataset\n\nsamples = webdataset.WebDataset(sorted(glob("{split}-*.tar")))'
    ),
    "parquet": 'from datasets import load_dataset\n\nrows = load_dataset(".", split="{hub_split}")',
    "nemo": 'model.cfg.train_ds.manifest_filepath = "{split}/manifest.json"',
    "nemo-tarred": (
        "model.cfg.train_ds.is_tarred = True\n"
        'model.cfg.train_ds.manifest_filepath = "{split}/tarred_audio_manifest.json"\n'
        'model.cfg.train_ds.tarred_audio_filepaths = "{split}/audio__OP_0..{last_shard}_CL_.tar"'
    ),
    "kaldi": 'import kaldiio\n\naudio = kaldiio.load_scp("{split}/wav.scp")  # utterance: (rate, int16 samples)',
    "jsonl": 'from datasets import load_dataset\n\nrows = load_dataset("audiofolder", data_dir="{split}")',
}
# Licences by the names that the hub knows; whatever else is found there is "other".
_HUB_LICENCES = {
    name.lower(): name.lower()
    for name in ("Apache-2.0", "MIT", "CC0-1.0", "CC-BY-4.0", "CC-BY-SA-4.0", "CC-BY-NC-4.0", "CC-BY-NC-SA-4.0")
}
_VOICES_SHOWN = 50


def readme(release: Release, config: ExportConfig, tally: Tally) -> str:
    """The dataset card, with the YAML head that the hub reads."""
    parts = [
        _head(release, config, tally),
        f"# {_cell(release.name)}",
        _sentence(config, tally),
        "## Contents",
        _table("split", ((_cell(name), count) for name, count in sorted(tally.splits.items()))),
        _table("language", ((_cell(name), count) for name, count in sorted(tally.languages.items()))),
        _voices(tally),
        "## Licences",
        "Every take is under the licence of its voice. `NOTICE` has every voice, and what its speaker agreed to.",
        licences_table(tally),
        "## How it was made",
        _origin(release, config),
        "## How to read it",
        _loading(config, tally),
        "`sha256sum -c SHA256SUMS` proves that every file is as it was written.",
    ]
    return "\n\n".join(parts) + "\n"


def notice(release: Release, tally: Tally) -> str:
    """Every licence, the voices under it, and what is known of each speaker's consent."""
    parts = [
        f"{_line(release.name)}\nrelease {release.id}",
        "This data set holds speech by the voices below. Every take is under the licence of its voice.",
    ]
    for licence, voices in tally.licences().items():
        takes = sum(tally.voices[voice].takes for voice in voices)
        rows = [
            f"  {_line(voice.name)}: {_some(tally.voices[voice].takes, 'take')}, "
            f"{'recorded from a person' if voice.engine == 'human' else 'synthetic'}\n"
            f"    consent: {_line(voice.consent) or 'not stated'}"
            + (f"\n    checkpoint: sha256 {voice.checkpoint_sha256}" if voice.checkpoint_sha256 else "")
            for voice in voices
        ]
        parts.append("\n".join([f"{_line(licence) or 'no licence stated'} ({_some(takes, 'take')})", *rows]))
    return "\n\n".join(parts) + "\n"


def _head(release: Release, config: ExportConfig, tally: Tally) -> str:
    known = [_HUB_LICENCES.get(licence.lower()) for licence in tally.licences()]
    lines = [
        "---",
        f"pretty_name: {_yaml(release.name)}",
        f"license: {known[0] if len(known) == 1 and known[0] else 'other'}",
        *_list("language", sorted(tally.languages)),
        *_list("task_categories", ("automatic-speech-recognition", "text-to-speech")),
        *_list("tags", ("audio", "speech", *_origins(tally))),
    ]
    if config.format == "parquet":
        lines += ["configs:", "- config_name: default", "  data_files:"]
        for split in sorted(map(hub_split, tally.splits)):
            lines += [f"  - split: {_yaml(split)}", f"    path: {_yaml(f'data/{split}-*.parquet')}"]
    return "\n".join([*lines, "---"])


def _origins(tally: Tally) -> list[str]:
    return sorted({"real" if voice.engine == "human" else "synthetic" for voice in tally.voices})


def _sentence(config: ExportConfig, tally: Tally) -> str:
    rates = " and ".join(f"{rate_hz:,} Hz" for rate_hz in sorted(tally.rates_hz))
    return (
        f"{_some(tally.total.takes, 'take')}, {_hours(tally.total)} hours of {' and '.join(_origins(tally))} speech by "
        f"{_some(len(tally.voices), 'voice')}, mono 16-bit {'WAV' if config.format == 'kaldi' else 'FLAC'} at {rates}."
    )


def _voices(tally: Tally) -> str:
    """A table of the voices with most takes; a corpus of real speech may have thousands."""
    largest = sorted(tally.voices.items(), key=lambda row: (-row[1].takes, row[0]))[:_VOICES_SHOWN]
    rows = ((f"{_cell(voice.name)} | {_cell(voice.licence)}", count) for voice, count in largest)
    table = _table("voice | licence", rows, columns=2)
    more = len(tally.voices) - len(largest)
    return table + (f"\n\nand {_some(more, 'voice')} more." if more else "")


def licences_table(tally: Tally) -> str:
    """Takes and hours under each licence."""

    def count(licence: str) -> Count:
        counts = [tally.voices[voice] for voice in tally.licences()[licence]]
        return Count(sum(c.takes for c in counts), sum(c.audio_s for c in counts))

    return _table("licence", ((_cell(licence) or "not stated", count(licence)) for licence in tally.licences()))


def _origin(release: Release, config: ExportConfig) -> str:
    audio = "are the recorded ones, unchanged" if config.rate_hz is None else f"were resampled to {config.rate_hz:,} Hz"
    lines = [
        f"Release `{release.id}`, frozen {release.created:%Y-%m-%d} and written with synthgen as {config.format}, "
        f"for {config.intended_use} use. The samples {audio}"
        + (" where they had another rate." if config.rate_hz is not None else "."),
        "Its takes were chosen by:",
        "\n".join(f"    {line}" for line in release.made_by.splitlines()) or "    (not stated)",
    ]
    if release.job_id is not None:
        lines.append(f"They were generated by the job `{release.job_id}`.")
    return "\n\n".join(lines)


def _loading(config: ExportConfig, tally: Tally) -> str:
    split = "train" if "train" in tally.splits else min(tally.splits)
    last_shard = (tally.splits[split].takes - 1) // config.shard_size
    code = _LOADING[config.format].format(split=escape(split), hub_split=hub_split(split), last_shard=last_shard)
    return f"```python\n{code}\n```"


def _table(heading: str, rows: Iterable[tuple[str, Count]], *, columns: int = 1) -> str:
    lines = [f"| {heading} | takes | hours |", "|" + "---|" * columns + "---:|---:|"]
    lines += [f"| {cells} | {count.takes:,} | {_hours(count)} |" for cells, count in rows]
    return "\n".join(lines)


def _some(number: int, word: str) -> str:
    return f"{number:,} {word}" + ("" if number == 1 else "s")


def _hours(count: Count) -> str:
    return f"{count.audio_s / 3600:,.2f}"


def _list(name: str, values: Iterable[str]) -> list[str]:
    return [f"{name}:", *(f"- {_yaml(value)}" for value in values)]


def _yaml(value: str) -> str:
    """A string as YAML reads it; JSON's form is one of its."""
    return json.dumps(value)


def _cell(value: str) -> str:
    """A string that cannot leave its table cell or its heading."""
    return _line(value).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")


def _line(value: str) -> str:
    return " ".join(value.split())
