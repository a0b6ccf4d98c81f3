"use strict";
/* Hovering, choosing, walking from note to note. */
(() => {
const kit = (globalThis.scoreKit ??= {});

kit.makePointing = (data, marks, player) => {
  const { all } = kit;
  const tip = document.getElementById("tip");
  const starts = new Map(); // id → index of its first sound
  data.sounds.forEach((sound, index) => starts.has(sound[5]) || starts.set(sound[5], index));
  let hot = null, picked = null, fading = 0;

  function point(id, x, y) {
    if (hot !== id) {
      if (hot !== null) marks.mark(hot, "hot", false);
      hot = id;
      if (hot !== null) marks.mark(hot, "hot", true);
    }
    if (id === null) { tip.hidden = true; return; }
    tell(id);
    const { width, height } = tip.getBoundingClientRect();
    tip.style.left = Math.max(6, Math.min(innerWidth - width - 6, x + 14)) + "px";
    tip.style.top = (y + 20 + height > innerHeight ? y - height - 12 : y + 18) + "px";
  }
  function tell(id) {
    const [first, ...rest] = marks.words(id);
    tip.replaceChildren(Object.assign(document.createElement("b"), { textContent: first }));
    if (rest.length) tip.append(" · " + rest.join(" · "));
    tip.hidden = false;
  }
  function pick(id, from = null) {
    if (picked !== null) marks.mark(picked, "picked", false);
    picked = id;
    if (id === null) { tip.hidden = true; return; }
    marks.mark(id, "picked", true);
    const seen = new Set(from ? [from] : []);
    for (const element of marks.at(id)) {
      const panel = element.closest(".panel");
      if (!seen.has(panel) && marks.visible(element)) { seen.add(panel); marks.reveal(element); }
    }
    if (!starts.has(id)) return;
    const sound = data.sounds[starts.get(id)];
    player.seek(sound[0]);
    if (!player.playing) player.touch(sound);
  }
  function step(by) {
    const order = data.sounds;
    if (!order.length) return;
    const here = picked !== null && starts.has(picked) ? starts.get(picked) : player.index() - (by > 0 ? 1 : 0);
    const id = order[Math.max(0, Math.min(order.length - 1, here + by))][5];
    pick(id);
    const symbol = marks.at(id).find(marks.visible);
    if (!symbol) return;
    const box = symbol.getBoundingClientRect();
    point(null);
    tell(id);
    tip.style.left = Math.max(6, Math.min(innerWidth - 220, box.left)) + "px";
    tip.style.top = Math.min(innerHeight - 120, box.bottom + 26) + "px";
  }
  function showMeasure(position) {
    const seen = new Set();
    for (const element of marks.wash(position, "told")) {
      const panel = element.closest(".panel");
      if (!seen.has(panel)) { seen.add(panel); marks.reveal(element, "always"); }
    }
    clearTimeout(fading);
    fading = setTimeout(() => marks.wash(null, "told"), 6000);
    const first = data.bars.find(([, place]) => place === position);
    if (first) player.seek(first[0]);
  }
  for (const panel of all(".panel")) {
    panel.addEventListener("pointermove", (event) => {
      if (event.pointerType !== "touch") point(marks.nameAt(event.target), event.clientX, event.clientY);
    });
    panel.addEventListener("pointerleave", () => point(null));
    panel.addEventListener("click", (event) => {
      const id = marks.nameAt(event.target);
      pick(id, panel);
      point(id, event.clientX, event.clientY);
    });
    panel.addEventListener("scroll", () => { if (hot !== null) point(null); }, { passive: true });
  }
  return { pick, point, step, showMeasure, picked: () => picked };
};
})();
