"use strict";
/* One name, two places: the box on the source and the symbol in the score. */
(() => {
const kit = (globalThis.scoreKit ??= {});
kit.all = (query, root = document) => [...root.querySelectorAll(query)];
const SVG = "http://www.w3.org/2000/svg";

function shape(attributes) {
  const rect = document.createElementNS(SVG, "rect");
  for (const [key, value] of Object.entries(attributes)) rect.setAttribute(key, value);
  return rect;
}

kit.makeMarks = (data) => {
  const { all } = kit;
  const measures = new Map(); // id → position
  data.measures.forEach(([, ids], position) => ids.forEach((id) => measures.set(id, position)));
  const places = new Map(); // id → elements, in both panels
  const push = (id, element) => (places.has(id) ? places.get(id).push(element) : places.set(id, [element]));
  for (const box of all("[data-ref]")) push(box.dataset.ref, box);
  for (const symbol of all(".engraved [data-id]")) {
    const id = symbol.dataset.id;
    if (id in data.notes || measures.has(id) || places.has(id)) push(id, symbol);
  }
  const washes = new Map(); // name → what is washed with it
  const smooth = matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth";

  const marks = {
    at: (id) => places.get(id) || [],
    visible: (element) => element.getClientRects().length > 0,
    mark(id, name, on) {
      for (const element of marks.at(id)) element.classList.toggle(name, on);
    },
    nameAt(target) {
      if (!(target instanceof Element)) return null;
      const box = target.closest("[data-ref]");
      if (box) return box.dataset.ref;
      let symbol = target.closest("[data-id]");
      while (symbol && !(symbol.dataset.id in data.notes)) {
        symbol = symbol.parentElement && symbol.parentElement.closest("[data-id]");
      }
      return symbol ? symbol.dataset.id : null;
    },
    positionOf(id) {
      if (id in data.notes) return data.notes[id][1];
      if (measures.has(id)) return measures.get(id);
      return id in data.places ? data.places[id] : null;
    },
    words(id) {
      const box = marks.at(id).find((element) => element.dataset.ref);
      const note = data.notes[id], position = marks.positionOf(id);
      const found = [note ? note[0] : box ? box.dataset.kind : ""];
      if (position !== null) found.push("bar " + data.measures[position][0]);
      if (box && box.dataset.sure) found.push(box.dataset.sure + " % sure");
      return found.filter(Boolean);
    },
    reveal(element, block = "nearest") {
      const panel = element.closest(".panel");
      if (!panel || !marks.visible(element)) return;
      const inner = element.getBoundingClientRect(), outer = panel.getBoundingClientRect();
      const room = Math.min(90, outer.height / 5);
      if (block === "nearest" && inner.top > outer.top + room && inner.bottom < outer.bottom - room) return;
      panel.scrollBy({ top: inner.top - outer.top - outer.height * 0.35, behavior: smooth });
    },
    /* A measure, washed with colour: the one being played, or one a remark speaks of. */
    wash(position, name) {
      for (const undo of washes.get(name) || []) undo();
      washes.set(name, []);
      if (position === null) return [];
      const washed = data.measures[position][1].flatMap(marks.at).filter(marks.visible);
      for (const element of washed) {
        if (!element.dataset.id) {
          element.classList.add(name);
          washes.get(name).push(() => element.classList.remove(name));
          continue;
        }
        // The staves alone: Verovio puts empty number texts at the origin of the system.
        const boxes = all(":scope > g.staff", element).map((staff) => staff.getBBox());
        if (!boxes.length) continue;
        const x = Math.min(...boxes.map((box) => box.x)), y = Math.min(...boxes.map((box) => box.y));
        const width = Math.max(...boxes.map((box) => box.x + box.width)) - x;
        const height = Math.max(...boxes.map((box) => box.y + box.height)) - y;
        const rect = shape({ class: "wash " + name, x, y, width, height });
        element.prepend(rect);
        washes.get(name).push(() => rect.remove());
      }
      return washed;
    },
  };

  /* Heads are small and hollow ones have holes: each gets a place to hit, once its sheet is near. */
  function addHits(sheet) {
    const found = []; // all are measured before any is added, which would lay out everything anew
    for (const symbol of all("g[data-id]", sheet)) {
      if (symbol.dataset.id in data.notes) found.push([symbol, (symbol.querySelector(".notehead") || symbol).getBBox()]);
    }
    const room = 40; // of Verovio's units: a quarter of a staff space
    for (const [symbol, { x, y, width, height }] of found) {
      symbol.append(shape({ class: "hit", x: x - room, y: y - room, width: width + 2 * room, height: height + 2 * room }));
    }
  }
  const near = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (!isIntersecting) continue;
      near.unobserve(target);
      addHits(target);
    }
  }, { rootMargin: "300px" });
  for (const sheet of all(".sheet.engraved")) near.observe(sheet);
  /* Sheets that are not seen are not laid out; this says how large they will be. */
  for (const sheet of all(".sheet")) {
    const [width, height] = (sheet.querySelector(":scope > svg").getAttribute("viewBox") || "").split(" ").slice(2);
    if (width > 0) sheet.style.containIntrinsicSize = `auto 600px auto ${Math.round((600 * height) / width)}px`;
  }
  return marks;
};
})();
