"use strict";
(() => {
const data = JSON.parse(document.getElementById("data").textContent);
const body = document.body;
const at = (id) => document.getElementById(id);
const all = (query, root = document) => [...root.querySelectorAll(query)];
const smooth = matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth";
const MEASURES = new Map(); // id → position
data.measures.forEach(([, ids], position) => ids.forEach((id) => MEASURES.set(id, position)));

/* ---- one name, two places: the box on the source and the symbol in the score ---- */

const places = new Map(); // id → elements, in both panels
for (const box of all("[data-ref]")) push(places, box.dataset.ref, box);
for (const symbol of all(".engraved [data-id]")) {
  const id = symbol.dataset.id;
  if (id in data.notes || MEASURES.has(id) || places.has(id)) push(places, id, symbol);
}
const starts = new Map(); // id → index of its first sound
data.sounds.forEach((sound, index) => starts.has(sound[5]) || starts.set(sound[5], index));

function push(map, key, value) {
  if (map.has(key)) map.get(key).push(value); else map.set(key, [value]);
}
function mark(id, name, on) {
  for (const element of places.get(id) || []) element.classList.toggle(name, on);
}
function nameAt(target) {
  if (!(target instanceof Element)) return null;
  const box = target.closest("[data-ref]");
  if (box) return box.dataset.ref;
  let symbol = target.closest("[data-id]");
  while (symbol && !(symbol.dataset.id in data.notes)) {
    symbol = symbol.parentElement && symbol.parentElement.closest("[data-id]");
  }
  return symbol ? symbol.dataset.id : null;
}
function positionOf(id) {
  if (id in data.notes) return data.notes[id][1];
  if (MEASURES.has(id)) return MEASURES.get(id);
  return id in data.places ? data.places[id] : null;
}
function words(id) {
  const box = (places.get(id) || []).find((element) => element.dataset.ref);
  const note = data.notes[id];
  const found = [note ? note[0] : box ? box.dataset.kind : ""];
  const position = positionOf(id);
  if (position !== null) found.push("measure " + data.measures[position][0]);
  if (box && box.dataset.sure) found.push(box.dataset.sure + " % sure");
  return found.filter(Boolean);
}
const visible = (element) => element.getClientRects().length > 0;
function reveal(element, block = "nearest") {
  const panel = element.closest(".panel");
  if (!panel || !visible(element)) return;
  const inner = element.getBoundingClientRect(), outer = panel.getBoundingClientRect();
  const room = Math.min(90, outer.height / 5);
  if (block === "nearest" && inner.top > outer.top + room && inner.bottom < outer.bottom - room) return;
  panel.scrollBy({ top: inner.top - outer.top - outer.height * 0.35, behavior: smooth });
}

/* ---- hovering and choosing ---- */

const tip = at("tip");
let hot = null, picked = null;

function point(id, x, y) {
  if (hot !== id) {
    if (hot !== null) mark(hot, "hot", false);
    hot = id;
    if (hot !== null) mark(hot, "hot", true);
  }
  if (id === null) { tip.hidden = true; return; }
  tell(id);
  const { width, height } = tip.getBoundingClientRect();
  tip.style.left = Math.max(6, Math.min(innerWidth - width - 6, x + 14)) + "px";
  tip.style.top = (y + 20 + height > innerHeight ? y - height - 12 : y + 18) + "px";
}
function tell(id) {
  const [first, ...rest] = words(id);
  tip.replaceChildren(Object.assign(document.createElement("b"), { textContent: first }));
  if (rest.length) tip.append(" · " + rest.join(" · "));
  tip.hidden = false;
}
function pick(id, { from = null, seek = true, sound = true } = {}) {
  if (picked !== null) mark(picked, "picked", false);
  picked = id;
  if (id === null) { tip.hidden = true; return; }
  mark(id, "picked", true);
  const seen = new Set(from ? [from] : []);
  for (const element of places.get(id) || []) {
    const panel = element.closest(".panel");
    if (!seen.has(panel) && visible(element)) { seen.add(panel); reveal(element); }
  }
  if (!starts.has(id)) return;
  const index = starts.get(id);
  if (seek) player.seek(data.sounds[index][0]);
  if (sound && !player.playing) player.touch(data.sounds[index]);
}
for (const panel of all(".panel")) {
  panel.addEventListener("pointermove", (event) => {
    if (event.pointerType !== "touch") point(nameAt(event.target), event.clientX, event.clientY);
  });
  panel.addEventListener("pointerleave", () => point(null));
  panel.addEventListener("click", (event) => {
    const id = nameAt(event.target);
    pick(id, { from: panel });
    point(id, event.clientX, event.clientY);
  });
  panel.addEventListener("scroll", () => { if (hot !== null) point(null); }, { passive: true });
}
/* Heads are small and hollow ones have holes: each gets a place to hit, once it can be measured. */
function addHits() {
  for (const symbol of all(".engraved g[data-id]")) {
    if (!(symbol.dataset.id in data.notes) || symbol.querySelector("rect.hit")) continue;
    if (!visible(symbol)) continue;
    const { x, y, width, height } = (symbol.querySelector(".notehead") || symbol).getBBox();
    const hit = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    const room = 40; // of Verovio's units: a quarter of a staff space
    for (const [key, value] of Object.entries({ class: "hit", x: x - room, y: y - room, width: width + 2 * room, height: height + 2 * room })) hit.setAttribute(key, value);
    symbol.append(hit);
  }
}
function step(by) {
  const order = data.sounds;
  if (!order.length) return;
  const here = picked !== null && starts.has(picked) ? starts.get(picked) : player.index() - (by > 0 ? 1 : 0);
  const index = Math.max(0, Math.min(order.length - 1, here + by));
  const id = order[index][5];
  if (picked !== null) mark(picked, "picked", false);
  pick(id);
  const symbol = (places.get(id) || []).find(visible);
  if (!symbol) return;
  const box = symbol.getBoundingClientRect();
  point(null);
  tell(id);
  tip.style.left = Math.max(6, Math.min(innerWidth - 220, box.left)) + "px";
  tip.style.top = Math.min(innerHeight - 120, box.bottom + 26) + "px";
}

/* ---- a measure, washed with colour: the one being played, or one a remark speaks of ---- */

function wash(position, name) {
  for (const old of all("rect." + name)) old.remove();
  for (const box of all(".box." + name)) box.classList.remove(name);
  if (position === null) return [];
  const washed = data.measures[position][1].flatMap((id) => places.get(id) || []).filter(visible);
  for (const element of washed) {
    if (!element.dataset.id) { element.classList.add(name); continue; }
    // The staves alone: Verovio puts empty number texts at the origin of the system.
    const boxes = all(":scope > g.staff", element).map((staff) => staff.getBBox());
    if (!boxes.length) continue;
    const x = Math.min(...boxes.map((box) => box.x)), y = Math.min(...boxes.map((box) => box.y));
    const width = Math.max(...boxes.map((box) => box.x + box.width)) - x;
    const height = Math.max(...boxes.map((box) => box.y + box.height)) - y;
    const rect = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    for (const [key, value] of Object.entries({ class: "wash " + name, x, y, width, height })) rect.setAttribute(key, value);
    element.prepend(rect);
  }
  return washed;
}
let fading = 0;
function showMeasure(position) {
  const seen = new Set();
  for (const element of wash(position, "told")) {
    const panel = element.closest(".panel");
    if (!seen.has(panel)) { seen.add(panel); reveal(element, "always"); }
  }
  clearTimeout(fading);
  fading = setTimeout(() => wash(null, "told"), 6000);
  const first = data.bars.find(([, place]) => place === position);
  if (first) player.seek(first[0]);
}
(function listRemarks() {
  if (!data.remarks.length) return;
  const holder = at("remarks"), list = holder.querySelector("ol");
  holder.hidden = false;
  const count = data.remarks.length;
  holder.querySelector("summary").textContent = count === 1 ? "1 remark from the reader" : count + " remarks from the reader";
  for (const remark of data.remarks) {
    const item = document.createElement("li");
    item.className = remark.severity;
    const line = document.createElement(remark.measure === null ? "span" : "button");
    if (remark.measure === null) line.className = "still"; else line.type = "button";
    line.append(Object.assign(document.createElement("span"), { className: "dot" }));
    line.append(remark.message);
    const more = [remark.page === null ? "" : "page " + (remark.page + 1), remark.hint].filter(Boolean);
    if (more.length) line.append(Object.assign(document.createElement("small"), { textContent: " · " + more.join(" · ") }));
    if (remark.measure !== null) line.addEventListener("click", () => showMeasure(remark.measure));
    item.append(line);
    list.append(item);
  }
})();

/* ---- sound: a few partials, a soft hammer, a filter that follows the pitch ---- */

const synth = {
  context: null, gains: [], voices: new Set(),
  open() {
    const Context = window.AudioContext || window.webkitAudioContext;
    if (!this.context && Context) {
      const context = this.context = new Context();
      const limiter = context.createDynamicsCompressor();
      const master = context.createGain();
      master.gain.value = 0.3;
      master.connect(limiter).connect(context.destination);
      this.wave = context.createPeriodicWave(
        new Float32Array(9), new Float32Array([0, 1, 0.42, 0.24, 0.15, 0.07, 0.05, 0.03, 0.02]));
      this.gains = data.parts.map(() => {
        const gain = context.createGain();
        gain.connect(master);
        return gain;
      });
      this.mute();
    }
    if (this.context && this.context.state === "suspended") this.context.resume();
  },
  mute() {
    this.gains.forEach((gain, part) => { gain.gain.value = heard[part] ? 1 : 0; });
  },
  play(midi, part, start, seconds) {
    const context = this.context;
    if (!context || !midi) return;
    const begin = Math.max(start, context.currentTime + 0.005);
    const length = Math.max(0.06, seconds);
    const envelope = context.createGain(), level = envelope.gain;
    const source = midi < 0 ? this.drum() : this.string(midi, begin);
    const fade = midi < 0 ? 0.05 : 2.6 * Math.pow(2, (60 - midi) / 30);
    level.setValueAtTime(0, begin);
    level.linearRampToValueAtTime(0.5, begin + 0.008);
    level.setTargetAtTime(0.0001, begin + 0.008, fade / 3);
    level.setTargetAtTime(0, begin + length, 0.06);
    source.out.connect(envelope).connect(this.gains[part]);
    source.node.start(begin);
    source.node.stop(begin + length + 0.4);
    const voice = { level, node: source.node };
    this.voices.add(voice);
    source.node.onended = () => { this.voices.delete(voice); envelope.disconnect(); };
  },
  string(midi) {
    const node = this.context.createOscillator(), filter = this.context.createBiquadFilter();
    const frequency = 440 * Math.pow(2, (midi - 69) / 12);
    node.setPeriodicWave(this.wave);
    node.frequency.value = frequency;
    filter.type = "lowpass";
    filter.frequency.value = Math.min(9000, 900 + frequency * 4);
    node.connect(filter);
    return { node, out: filter };
  },
  drum() {
    const node = this.context.createBufferSource();
    const buffer = this.context.createBuffer(1, 4410, 44100), samples = buffer.getChannelData(0);
    let seed = 7;
    for (let i = 0; i < samples.length; i++) samples[i] = (seed = (seed * 16807) % 2147483647) / 1073741824 - 1;
    node.buffer = buffer;
    return { node, out: node };
  },
  hush() {
    for (const { level, node } of this.voices) {
      level.cancelScheduledValues(0);
      level.setTargetAtTime(0, this.context.currentTime, 0.02);
      node.stop(this.context.currentTime + 0.12);
    }
  },
};

/* ---- playing: score time runs with the audio clock, looked up ahead of it ---- */

const heard = data.parts.map(() => true);
const player = {
  playing: false, clocked: false, time: 0, began: 0, speed: 1, next: 0, timer: 0, active: [], here: null,
  clock() { return this.clocked ? synth.context.currentTime : performance.now() / 1000; },
  now() { return this.playing ? this.time + (this.clock() - this.began) * 1000 * this.speed : this.time; },
  index(time = this.now()) {
    const found = data.sounds.findIndex((sound) => sound[0] >= time - 1);
    return found < 0 ? data.sounds.length : found;
  },
  async play() {
    if (this.playing || !data.length) return;
    synth.open();
    if (synth.context && synth.context.state !== "running") {
      await Promise.race([synth.context.resume(), new Promise((done) => setTimeout(done, 400))]);
    }
    if (this.time >= data.length - 1) this.time = 0;
    this.clocked = synth.context !== null && synth.context.state === "running";
    this.began = this.clock();
    this.playing = true;
    this.next = this.index(this.time);
    body.classList.add("playing");
    at("play").setAttribute("aria-label", "Pause");
    this.feed();
    requestAnimationFrame(() => this.draw());
  },
  pause() {
    if (!this.playing) return;
    this.time = Math.min(this.now(), data.length);
    this.playing = false;
    clearTimeout(this.timer);
    synth.hush();
    body.classList.remove("playing");
    at("play").setAttribute("aria-label", "Play");
    this.show();
  },
  async change(what) {
    const on = this.playing;
    if (on) this.pause();
    what();
    this.show();
    if (on) await this.play();
  },
  seek(time) { return this.change(() => { this.time = Math.max(0, Math.min(time, data.length)); }); },
  feed() {
    const ahead = (document.hidden ? 2.5 : 0.35) * 1000 * this.speed, now = this.now();
    for (; this.next < data.sounds.length && data.sounds[this.next][0] < now + ahead; this.next++) {
      const [on, , until, midi, part] = data.sounds[this.next];
      if (this.clocked) synth.play(midi, part, this.began + (on - this.time) / 1000 / this.speed, (until - on) / 1000 / this.speed);
    }
    this.timer = setTimeout(() => this.feed(), 100);
  },
  touch(sound) {
    synth.open();
    if (synth.context && heard[sound[4]]) synth.play(sound[3], sound[4], 0, Math.min(0.7, (sound[2] - sound[0]) / 1000));
  },
  draw() {
    if (!this.playing) return;
    if (this.now() >= data.length) { this.pause(); this.time = 0; this.show(); return; }
    this.show();
    requestAnimationFrame(() => this.draw());
  },
  show() {
    const now = this.now();
    const lit = this.playing ? sounding(now) : [];
    for (const id of this.active) if (!lit.includes(id)) mark(id, "now", false);
    for (const id of lit) {
      if (this.active.includes(id)) continue;
      mark(id, "now", true);
      if (id === lit[lit.length - 1]) for (const element of places.get(id) || []) reveal(element);
    }
    this.active = lit;
    const slider = at("position");
    if (document.activeElement !== slider || this.playing) slider.value = data.length ? (1000 * now) / data.length : 0;
    at("clock").textContent = minutes(now / this.speed) + " / " + minutes(data.length / this.speed);
    const bar = last(data.bars, now), here = this.playing && bar ? bar[1] : null;
    if (here !== this.here) wash(this.here = here, "here");
    const text = bar ? "Measure " + data.measures[bar[1]][0] : "–";
    if (at("bar").textContent !== text) at("bar").textContent = text;
    slider.setAttribute("aria-valuetext", text);
    const tempo = last(data.tempi, now);
    at("tempo-text").textContent = Math.round(this.speed * 100) + " %" + (tempo ? " · ♩ = " + Math.round(tempo[1] * this.speed) : "");
  },
};
const LONGEST = data.sounds.reduce((most, sound) => Math.max(most, sound[1] - sound[0]), 0);
function sounding(now) {
  const lit = [];
  for (let index = player.index(now - LONGEST - 1); index < data.sounds.length; index++) {
    const [on, off, , , , id] = data.sounds[index];
    if (on > now) break;
    if (off > now && data.notes[id][0] && !lit.includes(id)) lit.push(id);
  }
  return lit;
}
function last(list, now) {
  let found = null;
  for (const entry of list) { if (entry[0] > now + 1) break; found = entry; }
  return found;
}
function minutes(milliseconds) {
  const seconds = Math.floor(milliseconds / 1000 + 0.001);
  return Math.floor(seconds / 60) + ":" + String(seconds % 60).padStart(2, "0");
}

/* ---- controls ---- */

at("play").addEventListener("click", () => (player.playing ? player.pause() : player.play()));
at("position").addEventListener("input", (event) => player.seek((event.target.value / 1000) * data.length));
at("tempo").addEventListener("input", (event) => player.change(() => { player.speed = event.target.value / 100; }));
data.parts.forEach((name, part) => {
  const button = Object.assign(document.createElement("button"), { type: "button", textContent: name, title: "Hear or mute " + name });
  button.setAttribute("aria-pressed", "true");
  button.addEventListener("click", () => {
    heard[part] = !heard[part];
    button.setAttribute("aria-pressed", String(heard[part]));
    synth.mute();
  });
  at("parts").append(button);
});
for (const button of all(".tabs button")) button.addEventListener("click", () => view(button.dataset.view));
function view(name) {
  body.dataset.view = name;
  for (const button of all(".tabs button")) button.setAttribute("aria-pressed", String(button.dataset.view === name));
  addHits();
  const shown = picked !== null && (places.get(picked) || []).find((element) => visible(element) && element.closest("#" + name));
  if (shown) reveal(shown);
}
view(body.dataset.layout === "both" ? "source" : "score");
at("show-boxes").addEventListener("change", (event) => body.classList.toggle("hide-boxes", !event.target.checked));
at("only-doubtful").addEventListener("change", (event) => body.classList.toggle("only-doubtful", event.target.checked));
if (!document.querySelector(".box")) for (const element of all(".needs-boxes")) element.hidden = true;
if (!document.querySelector(".box[data-sure]")) for (const element of all(".needs-sure")) element.hidden = true;
let zoom = 1;
function resize(by) {
  zoom = Math.max(0.5, Math.min(4, zoom * by));
  document.documentElement.style.setProperty("--zoom", zoom);
}
at("larger").addEventListener("click", () => resize(1.25));
at("smaller").addEventListener("click", () => resize(0.8));
at("theme").addEventListener("click", () => {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
});
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const busy = event.target instanceof Element && event.target.closest("input, button, summary");
  const tempo = at("tempo");
  const keys = {
    " ": () => (player.playing ? player.pause() : player.play()),
    ArrowRight: () => step(1), ArrowLeft: () => step(-1),
    Home: () => player.seek(0), End: () => player.seek(data.length),
    b: () => at("show-boxes").click(), Escape: () => { pick(null); point(null); },
    "+": () => { tempo.stepUp(); tempo.dispatchEvent(new Event("input")); },
    "-": () => { tempo.stepDown(); tempo.dispatchEvent(new Event("input")); },
  };
  if (!keys[event.key] || (busy && !["Escape", "b", "+", "-"].includes(event.key))) return;
  event.preventDefault();
  keys[event.key]();
});
addEventListener("resize", () => { addHits(); wash(player.here, "here"); });
player.show();
})();
