"use strict";
/* Playing: score time runs with the audio clock, looked up ahead of it. Times are milliseconds. */
(() => {
const kit = (globalThis.scoreKit ??= {});
const at = (id) => document.getElementById(id);

function last(list, now) {
  let found = null;
  for (const entry of list) { if (entry[0] > now + 1) break; found = entry; }
  return found;
}
function minutes(milliseconds) {
  const seconds = Math.floor(milliseconds / 1000 + 0.001);
  return Math.floor(seconds / 60) + ":" + String(seconds % 60).padStart(2, "0");
}

kit.makePlayer = (data, marks, synth) => ({
  playing: false, clocked: false, time: 0, began: 0, speed: 1, next: 0, timer: 0, frame: 0, active: [], here: null, loop: null,
  longest: data.sounds.reduce((most, sound) => Math.max(most, sound[1] - sound[0]), 0),
  clock() { return this.clocked ? synth.context.currentTime : performance.now() / 1000; },
  now() { return this.playing ? this.time + (this.clock() - this.began) * 1000 * this.speed : this.time; },
  end() { return this.loop ? this.loop.end : data.length; },
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
    if (this.loop && (this.time < this.loop.start || this.time >= this.loop.end - 1)) this.time = this.loop.start;
    if (this.time >= data.length - 1) this.time = 0;
    this.clocked = synth.context !== null && synth.context.state === "running";
    this.began = this.clock();
    this.playing = true;
    this.next = this.index(this.time);
    document.body.classList.add("playing");
    at("play").setAttribute("aria-label", "Pause");
    this.feed();
    this.frame = requestAnimationFrame(() => this.draw());
  },
  pause() {
    if (!this.playing) return;
    this.time = Math.min(this.now(), data.length);
    this.playing = false;
    clearTimeout(this.timer);
    cancelAnimationFrame(this.frame);
    synth.hush();
    document.body.classList.remove("playing");
    at("play").setAttribute("aria-label", "Play");
    this.show();
  },
  toggle() { return this.playing ? this.pause() : this.play(); },
  async change(what) {
    const on = this.playing;
    if (on) this.pause();
    what();
    this.show();
    if (on) await this.play();
  },
  seek(time) { return this.change(() => { this.time = Math.max(0, Math.min(time, data.length)); }); },
  /* By whole bars, as they are played: back goes to the beginning of this bar first. */
  skip(by) {
    const now = this.now(), bar = last(data.bars, now);
    let index = bar ? data.bars.indexOf(bar) : 0;
    if (by > 0 || !bar || now - bar[0] < 350 * this.speed) index += by;
    const goal = data.bars[Math.max(0, Math.min(data.bars.length - 1, index))];
    if (!goal) return;
    this.seek(goal[0]);
    marks.wash(this.here = goal[1], "here").forEach((element) => marks.reveal(element));
  },
  /* Bars `from` to `to` (0-based positions) again and again; null: no more. */
  repeat(from, to) {
    this.change(() => {
      this.loop = null;
      if (from === null) return;
      const first = data.bars.findIndex(([, position]) => position === from);
      const final = data.bars.findIndex(([, position], index) => index >= first && position === to);
      if (first < 0 || final < 0) return;
      const after = data.bars[final + 1];
      this.loop = { start: data.bars[first][0], end: after ? after[0] : data.length };
    });
  },
  feed() {
    const ahead = (document.hidden ? 2.5 : 0.35) * 1000 * this.speed;
    const until = Math.min(this.now() + ahead, this.end());
    for (; this.next < data.sounds.length && data.sounds[this.next][0] < until - 1; this.next++) {
      const [on, , off, midi, part] = data.sounds[this.next];
      if (this.clocked) synth.play(midi, part, this.began + (on - this.time) / 1000 / this.speed, (off - on) / 1000 / this.speed);
    }
    this.timer = setTimeout(() => this.feed(), 100);
  },
  touch(sound) {
    synth.open();
    if (synth.context) synth.play(sound[3], sound[4], 0, Math.min(0.7, (sound[2] - sound[0]) / 1000));
  },
  draw() {
    if (!this.playing) return;
    if (this.loop && this.now() >= this.loop.end) { this.seek(this.loop.start); return; }
    if (this.now() >= data.length) { this.pause(); this.time = 0; this.show(); return; }
    this.show();
    this.frame = requestAnimationFrame(() => this.draw());
  },
  show() {
    const now = this.now();
    this.light(this.playing ? this.sounding(now) : []);
    const slider = at("position");
    if (document.activeElement !== slider || this.playing) slider.value = data.length ? (1000 * now) / data.length : 0;
    at("clock").textContent = minutes(now / this.speed) + " / " + minutes(data.length / this.speed);
    const bar = last(data.bars, now), here = this.playing && bar ? bar[1] : null;
    if (here !== this.here) marks.wash(this.here = here, "here");
    const text = bar ? "Bar " + data.measures[bar[1]][0] : "–";
    if (at("bar").textContent !== text) at("bar").textContent = text;
    slider.setAttribute("aria-valuetext", text);
    const tempo = last(data.tempi, now);
    at("tempo-text").textContent = Math.round(this.speed * 100) + " %" + (tempo ? " · ♩ = " + Math.round(tempo[1] * this.speed) : "");
  },
  light(lit) {
    for (const id of this.active) if (!lit.includes(id)) marks.mark(id, "now", false);
    for (const id of lit) {
      if (this.active.includes(id)) continue;
      marks.mark(id, "now", true);
      if (id === lit[lit.length - 1]) for (const element of marks.at(id)) marks.reveal(element);
    }
    this.active = lit;
  },
  sounding(now) {
    const lit = [];
    for (let index = this.index(now - this.longest - 1); index < data.sounds.length; index++) {
      const [on, off, , , , id] = data.sounds[index];
      if (on > now) break;
      if (off > now && data.notes[id][0] && !lit.includes(id)) lit.push(id);
    }
    return lit;
  },
});
})();
