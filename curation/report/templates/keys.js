"use strict";
// Shortcuts for the players; without them everything on the page works as well.
(() => {
  const shown = () => [...document.querySelectorAll(".take")].filter((take) => take.offsetParent !== null);
  const current = () => document.activeElement.closest(".take");

  function move(step) {
    const takes = shown();
    const from = takes.indexOf(current());
    const to = from < 0 ? (takes.find((take) => take.getBoundingClientRect().top > 0) ?? takes[0]) : takes[from + step];
    if (!to) return;
    to.focus({ preventScroll: true });
    to.scrollIntoView({ block: "nearest" });
  }

  function quieten(but) {
    for (const audio of document.querySelectorAll("audio")) if (audio !== but) audio.pause();
  }

  function toggle() {
    const audio = current()?.querySelector("audio");
    if (!audio) return;
    if (!audio.paused) return audio.pause();
    quieten(audio);
    audio.play().catch(() => {}); // paused again before it began
  }

  function show(state) {
    const choice = document.getElementById(`show-${state}`);
    if (!choice) return;
    choice.checked = true;
    document.getElementById("listen").scrollIntoView();
    shown()[0]?.focus({ preventScroll: true });
  }

  const actions = { j: () => move(1), k: () => move(-1), " ": toggle, d: () => show("dropped"), D: () => show("dropped"), K: () => show("kept"), a: () => show("all") };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || !(event.key in actions)) return;
    const isFree = document.activeElement === document.body || document.activeElement.classList.contains("take");
    if (event.key === " " && !(isFree && current())) return;
    event.preventDefault();
    actions[event.key]();
  });

  document.addEventListener("play", (event) => {
    if (!event.target.paused) quieten(event.target);
  }, true);
})();
