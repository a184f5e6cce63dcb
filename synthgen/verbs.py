"""The verbs of generation: what voices there are, and hearing one."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

PANEL = "Generate"


def register(app: typer.Typer) -> None:
    """Mount `voices` and `say`."""
    app.command("voices", rich_help_panel=PANEL)(voices)
    app.command("say", rich_help_panel=PANEL)(say)


def voices(
    engine: Annotated[str | None, typer.Argument(help="Only this engine.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """List the voices that speak with their default configuration, and what each is."""
    from dataclasses import asdict

    from catalogs.config import load_registered, registered
    from catalogs.errors import SynthgenError

    for name in [engine] if engine else registered("synthgen.voices"):
        try:
            cards = load_registered("synthgen.voices", name, source="voices")().cards()
        except (SynthgenError, TypeError) as error:
            print(f"{name}: needs a checkpoint in its recipe table ({error})", file=sys.stderr)
            continue
        for card in cards:
            if as_json:
                print(json.dumps(asdict(card)))
            else:
                knob = card.temperature or "none: one reading a line"
                print(
                    f"{card.name:24} {card.language:6} {card.sample_rate_hz:6} Hz  {card.licence}  temperature: {knob}"
                )


def say(
    text: Annotated[str, typer.Argument(help="What to say.")],
    to: Annotated[Path, typer.Option("--to", help="The WAV or FLAC file to write.")] = Path("say.wav"),
    voice: Annotated[str, typer.Option(help="engine or engine/speaker.")] = "kokoro",
    style: Annotated[str | None, typer.Option(help="Whose prosody.")] = None,
    timbre: Annotated[str | None, typer.Option(help="Whose timbre.")] = None,
    temperature: Annotated[float | None, typer.Option(help="What it does, `synthgen voices` says.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of a voice with a temperature.")] = 0,
) -> None:
    """Say a sentence, to hear a voice before a job is made of it."""
    import soundfile

    from catalogs.config import parse_named
    from catalogs.records import Line, Prompt
    from synthgen.spoken import Spoken, SpokenConfig

    engine, _, speaker = voice.partition("/")
    table = {"engine": engine} | ({"speakers": [speaker]} if speaker else {})
    config = parse_named("synthgen.voices", table, field="engine", source="--voice")
    card = config.cards()[0]
    spoken = Spoken(SpokenConfig())
    line = Line.new(
        prompt_id=Prompt.id_of(text, card.language),
        voice_id=card.id,
        text=spoken(text, card.language),
        normaliser=spoken.version,
        style=style,
        timbre=timbre,
        temperature=temperature,
        seed=None if temperature is None else seed,
    )
    reading = config.build().speak([line])[0]
    soundfile.write(to, reading.samples, reading.sample_rate_hz)
    seconds = len(reading.samples) / reading.sample_rate_hz
    print(json.dumps({"file": str(to), "voice": card.name, "spoken": line.text, "audio_s": round(seconds, 3)}))
