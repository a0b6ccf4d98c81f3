"use strict";
/* A score to look at and to listen to: ties marks, sound, player and controls together. */
(() => {
const kit = (globalThis.scoreKit ??= {});
const all = (query) => kit.all(query);
const at = (id) => document.getElementById(id);
const make = (tag, properties, ...inside) => {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...inside);
  return element;
};

/* Once the figures stand in #source and #score. `data` is what the exporter put into #data. */
kit.openScore = (data) => {
  const body = document.body;
  const marks = kit.makeMarks(data);
  const synth = kit.makeSynth(data.parts);
  const player = kit.makePlayer(data, marks, synth);
  const pointing = kit.makePointing(data, marks, player);
  listRemarks(data, pointing);
  listParts(data, synth);
  bindLoop(data, player);

  at("play").addEventListener("click", () => player.toggle());
  at("position").addEventListener("input", (event) => player.seek((event.target.value / 1000) * data.length));
  at("tempo").addEventListener("input", (event) => player.change(() => { player.speed = event.target.value / 100; }));
  const tabs = all(".tabs button");
  function view(name) {
    body.dataset.view = name;
    for (const button of tabs) button.setAttribute("aria-pressed", String(button.dataset.view === name));
    const picked = pointing.picked();
    if (picked !== null) marks.at(picked).filter(marks.visible).forEach((element) => marks.reveal(element));
  }
  for (const button of tabs) button.addEventListener("click", () => view(button.dataset.view));
  view(body.dataset.layout === "both" ? body.dataset.view : "score");

  at("show-boxes").addEventListener("change", (event) => body.classList.toggle("hide-boxes", !event.target.checked));
  at("only-doubtful").addEventListener("change", (event) => body.classList.toggle("only-doubtful", event.target.checked));
  for (const [need, found] of [[".needs-boxes", ".box"], [".needs-sure", ".box[data-sure]"]]) {
    if (!document.querySelector(found)) for (const element of all(need)) element.hidden = true;
  }
  let zoom = 1;
  function resize(by) {
    zoom = Math.max(0.5, Math.min(4, zoom * by));
    document.documentElement.style.setProperty("--zoom", zoom);
  }
  at("larger").addEventListener("click", () => resize(1.25));
  at("smaller").addEventListener("click", () => resize(0.8));
  addEventListener("resize", () => marks.wash(player.here, "here"));

  const tempo = at("tempo");
  const keys = {
    " ": () => player.toggle(),
    ArrowRight: (event) => (event.shiftKey ? pointing.step(1) : player.skip(1)),
    ArrowLeft: (event) => (event.shiftKey ? pointing.step(-1) : player.skip(-1)),
    Home: () => player.seek(0), End: () => player.seek(data.length),
    b: () => at("show-boxes").click(), Escape: () => { pointing.pick(null); pointing.point(null); },
    l: () => at("loop").click(),
    "+": () => { tempo.stepUp(); tempo.dispatchEvent(new Event("input")); },
    "-": () => { tempo.stepDown(); tempo.dispatchEvent(new Event("input")); },
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !keys[event.key]) return;
    const target = event.target instanceof Element ? event.target : body;
    if (target.closest("input:not([type=range], [type=checkbox]), textarea, select, dialog")) return;
    // What a control does with the key itself stays its own.
    if (event.key === " " && target.closest("button, summary, input")) return;
    if (/^(Arrow|Home|End)/.test(event.key) && target.closest("input")) return;
    event.preventDefault();
    keys[event.key](event);
  });
  player.show();
  return { player, pointing, marks, synth };
};

function listRemarks(data, pointing) {
  if (!data.remarks.length) return;
  const holder = at("remarks"), list = holder.querySelector("ol");
  holder.hidden = false;
  const count = data.remarks.length, several = all(".sheet.source").length > 1;
  holder.querySelector("summary").textContent = count === 1 ? "1 thing to look at" : count + " things to look at";
  for (const remark of data.remarks) {
    const line = make(remark.measure === null ? "span" : "button", {}, make("span", { className: "dot" }));
    if (remark.measure === null) line.className = "still"; else line.type = "button";
    if (remark.measure !== null) line.append(make("b", { textContent: "Bar " + data.measures[remark.measure][0] }), " ");
    line.append(remark.measure === null ? remark.message : remark.message.replace(/^(bar|measure) \d+:\s*/i, ""));
    const more = [remark.page === null || !several ? "" : "page " + (remark.page + 1), remark.hint].filter(Boolean);
    if (more.length) line.append(make("small", { textContent: more.join(" · ") }));
    if (remark.measure !== null) line.addEventListener("click", () => pointing.showMeasure(remark.measure));
    list.append(make("li", { className: remark.severity }, line));
  }
}

function listParts(data, synth) {
  data.parts.forEach((name, part) => {
    const button = make("button", { type: "button", textContent: name, title: "Hear or mute " + name });
    button.setAttribute("aria-pressed", "true");
    const volume = make("input", { type: "range", min: 0, max: 100, value: 100 });
    volume.setAttribute("aria-label", "Volume of " + name);
    button.addEventListener("click", () => {
      synth.muted[part] = !synth.muted[part];
      button.setAttribute("aria-pressed", String(!synth.muted[part]));
      synth.level();
    });
    volume.addEventListener("input", () => { synth.volumes[part] = volume.value / 100; synth.level(); });
    at("parts").append(make("div", { className: "part" }, button, volume));
  });
  const mixer = at("parts").closest("details");
  const close = (event) => { if (!mixer.contains(event.target)) mixer.open = false; };
  document.addEventListener("click", close);
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !mixer.open) return;
    mixer.open = false;
    mixer.querySelector("summary").focus();
  });
}

/* The loop counts bars from 1 as they are written; it begins as the bar that is played and the three after. */
function bindLoop(data, player) {
  const button = at("loop"), from = at("loop-from"), to = at("loop-to");
  const count = data.measures.length;
  for (const input of [from, to]) Object.assign(input, { min: 1, max: count });
  const set = () => player.repeat(from.value - 1, Math.max(from.value, to.value) - 1);
  button.addEventListener("click", () => {
    const on = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(on));
    at("loop-bars").hidden = !on;
    if (!on) { player.repeat(null, null); return; }
    const bar = data.bars.filter(([time]) => time <= player.now() + 1).pop();
    from.value = (bar ? bar[1] : 0) + 1;
    to.value = Math.min(count, Number(from.value) + 3);
    set();
  });
  for (const input of [from, to]) input.addEventListener("change", () => {
    input.value = Math.max(1, Math.min(count, Math.round(input.value) || 1));
    set();
  });
}
})();
