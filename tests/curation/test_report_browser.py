"""The report in a real browser: headless Chromium, spoken to over a pipe."""

import fcntl
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pytest

from catalogs.catalog import Catalog, Done
from catalogs.flac import encode, pcm_sha256
from catalogs.records import Prompt, Take, Verdict, VoiceCard
from catalogs.release import freeze
from curation.report.writing import write_report

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
PATIENCE_S = 60

LAUNCH = """
import os, sys
for here, there in zip(sys.argv[1:3], (3, 4)):
    os.dup2(int(here), there)
os.execvp(sys.argv[3], sys.argv[3:])
"""
"""Starts Chromium with the ends of the pipes where it looks for them."""

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium here: apt install chromium")

Evaluate: TypeAlias = Callable[[str], Any]


class Browser:
    """One page in a headless Chromium, driven by the DevTools protocol: JSON messages that end in a zero byte."""

    def __init__(self, folder: Path) -> None:
        to_read, self._to = os.pipe()
        self._from, to_write = os.pipe()
        options = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--mute-audio",
                   "--autoplay-policy=no-user-gesture-required", "--remote-debugging-pipe")  # fmt: skip
        low, high = (fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (to_read, to_write))
        self._process = subprocess.Popen(
            [sys.executable, "-c", LAUNCH, f"{low}", f"{high}", str(CHROMIUM), *options, f"--user-data-dir={folder}"],
            pass_fds=(low, high), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        for end in (to_read, to_write, low, high):
            os.close(end)
        self._number, self._rest = 0, b""
        self._session: str | None = None
        self.events: list[dict[str, Any]] = []
        target_id = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target_id, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call a method and wait for its answer; events that come meanwhile are kept."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while (answer := self._next()).get("id") != self._number:
            self.events.append(answer)
        assert "error" not in answer, answer
        return dict(answer["result"])

    def evaluate(self, script: str) -> Any:
        """The value of an expression, awaited if it is a promise."""
        done = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in done, done
        return done["result"].get("value")

    def press(self, key: str) -> None:
        """Press a key and let it go."""
        text = {"text": key} if len(key) == 1 else {}
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key)

    def wait_for(self, condition: str) -> None:
        """Wait until an expression is true."""
        deadline = time.monotonic() + PATIENCE_S
        while not self.evaluate(condition):
            assert time.monotonic() < deadline, f"never true: {condition}"
            time.sleep(0.05)

    def close(self) -> None:
        """End the process."""
        self._process.terminate()
        self._process.wait()
        os.close(self._to)
        os.close(self._from)

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            read = os.read(self._from, 1 << 16)
            assert read, "chromium is gone"
            self._rest += read
        message, _, self._rest = self._rest.partition(b"\0")
        return dict(json.loads(message))


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a release of three kept takes, beside two dropped ones, half a second of tone each."""
    folder = tmp_path_factory.mktemp("browser")
    voice = VoiceCard.new(engine="human", speaker="ann", language="en", sample_rate_hz=16_000, checkpoint_sha256="",
                          licence="CC0-1.0", consent="given")  # fmt: skip
    prompts = [Prompt(Prompt.id_of(f"text <{n}>", "en"), f"text <{n}>", "en") for n in range(5)]
    times = np.arange(8000) / 16_000
    with Catalog.create(folder / "corpus") as catalog:
        writer, takes = catalog.audio.writer("test"), []
        for n, prompt in enumerate(prompts):
            samples = (8000 * np.sin(2 * np.pi * (150 + 20 * n) * times)).astype(np.int16)
            sha256 = pcm_sha256(samples)
            take_id = Take.id_of_recording(prompt.id, voice.id, sha256)
            (place,) = writer.append([(take_id, encode(samples, 16_000))])
            takes.append(Take(take_id, None, prompt.id, voice.id, "real", place.shard, place.offset, place.num_bytes,
                              sha256, 16_000, len(samples)))  # fmt: skip
        catalog.add([voice])
        catalog.add(prompts)
        verdicts = [Verdict(take.id, voice.id, "keep", ()) for take in takes[:3]]
        verdicts += [Verdict(take.id, voice.id, "drop", ("wer > 0.25",)) for take in takes[3:]]
        catalog.commit(Done(takes, writer.seal(), verdicts=verdicts))
        freeze(catalog, "tones", take_ids=[take.id for take in takes[:3]], made_by="by hand")
        write_report(catalog, "tones", to=folder / "tones.html")
    return folder / "tones.html"


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    browser = Browser(tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


@pytest.fixture
def browser(chromium: Browser, report: Path) -> Browser:
    """The report, freshly opened."""
    chromium.events.clear()
    chromium.call("Page.navigate", url=report.as_uri())
    chromium.wait_for("document.readyState === 'complete' && document.title.startsWith('tones')")
    return chromium


def shown(browser: Browser) -> int:
    return int(browser.evaluate("[...document.querySelectorAll('.take')].filter(t => t.offsetParent).length"))


def at(browser: Browser) -> int:
    """Which of the players shown has the focus; -1 if none has."""
    takes = "[...document.querySelectorAll('.take')].filter(t => t.offsetParent)"
    return int(browser.evaluate(f"{takes}.indexOf(document.activeElement)"))


def test_every_player_plays(browser: Browser) -> None:
    played = browser.evaluate(
        """Promise.all([...document.querySelectorAll("audio")].map((audio) => new Promise((done) => {
            audio.addEventListener("canplaythrough", () => done(audio.duration));
            audio.addEventListener("error", () => done(audio.error.message));
            audio.preload = "auto";
            audio.load();
        })))"""
    )

    assert played == pytest.approx([0.5] * 5, abs=0.01)


def test_space_plays_the_player_that_has_the_focus_and_stops_it(browser: Browser) -> None:
    browser.press("j")
    browser.press(" ")
    browser.wait_for("document.activeElement.querySelector('audio').currentTime > 0.05")
    browser.press(" ")

    assert browser.evaluate("[...document.querySelectorAll('audio')].every(a => a.paused || a.ended)")


def test_one_player_plays_at_a_time(browser: Browser) -> None:
    browser.evaluate("document.querySelectorAll('audio').forEach(a => { a.loop = true })")
    for key in ("j", " ", "j", " "):
        browser.press(key)
    browser.wait_for("document.activeElement.querySelector('audio').currentTime > 0.05")

    assert browser.evaluate("[...document.querySelectorAll('audio')].filter(a => !a.paused).length") == 1


def test_j_and_k_go_to_the_next_and_the_previous_player(browser: Browser) -> None:
    places = []
    for key in ("j", "j", "j", "k"):
        browser.press(key)
        places.append(at(browser))

    assert places == [0, 1, 2, 1]


@pytest.mark.parametrize(("key", "number"), [("d", 2), ("K", 3), ("a", 5)])
def test_a_key_shows_the_dropped_the_kept_or_all(browser: Browser, key: str, number: int) -> None:
    browser.press(key)

    assert shown(browser) == number
    assert at(browser) == 0


def test_filters_and_tables_work_without_javascript(chromium: Browser, report: Path) -> None:
    chromium.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        chromium.call("Page.navigate", url=report.as_uri())
        chromium.wait_for("document.readyState === 'complete'")
        chromium.evaluate("document.getElementById('show-dropped').click()")

        assert shown(chromium) == 2
    finally:
        chromium.call("Emulation.setScriptExecutionDisabled", value=False)


def test_the_console_stays_silent_and_nothing_is_fetched(browser: Browser) -> None:
    browser.press("j")
    browser.press(" ")
    browser.wait_for("document.activeElement.querySelector('audio').currentTime > 0")

    loud = ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded")
    noises = [event for event in browser.events if event["method"] in loud]
    asked = [e["params"]["request"]["url"] for e in browser.events if e["method"] == "Network.requestWillBeSent"]
    assert noises == []
    assert {url.partition(":")[0] for url in asked} <= {"file", "data"}


@pytest.mark.parametrize("width", [360, 800, 1400])
def test_the_page_is_never_wider_than_its_window(browser: Browser, width: int) -> None:
    browser.call("Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=False)

    assert browser.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground_by_light_and_by_night(browser: Browser, scheme: str) -> None:
    browser.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    contrasts = browser.evaluate(
        """(() => {
            const style = getComputedStyle(document.documentElement);
            const light = (name) => {
                const hex = style.getPropertyValue(name).trim().slice(1);
                const full = hex.length === 3 ? [...hex].map((c) => c + c).join("") : hex;
                const parts = [0, 2, 4].map((n) => parseInt(full.slice(n, n + 2), 16) / 255);
                const [r, g, b] = parts.map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
                return 0.2126 * r + 0.7152 * g + 0.0722 * b;
            };
            const pairs = [["--ink", "--paper"], ["--soft", "--paper"], ["--soft", "--card"], ["--kept", "--card"],
                ["--dropped", "--card"], ["--dropped", "--dropped-wash"], ["--kept", "--kept-wash"],
                ["--release", "--paper"]];
            return pairs.map(([a, b]) => {
                const [low, high] = [light(a), light(b)].sort((x, y) => x - y);
                return [a, b, (high + 0.05) / (low + 0.05)];
            });
        })()"""
    )

    assert [pair for pair in contrasts if pair[2] < 4.5] == []
