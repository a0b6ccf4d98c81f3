/* A job under way: server-sent events, or asking every second where they do not get through. */
const live = document.getElementById("live");
const job = live.dataset.job;
const stage = document.getElementById("stage");
const share = document.getElementById("share");
const list = document.getElementById("pages");
const ENDS = ["done", "partial", "failed", "cancelled"];
const STAGES = { loader: "Opening the file", preprocessor: "Preparing the picture", recognizer: "Reading the notes", exporter: "Engraving the score" };
const began = Date.now() - 1000 * Number(live.dataset.age);
let pages = Number(live.dataset.pages) || 0, current = null, over = false, doing = null, component = null;

function tell(text) { if (stage.textContent !== text) stage.textContent = text; }
function row(number) {
  let item = list.querySelector(`[data-page="${number}"]`);
  if (item) return item;
  item = document.createElement("li");
  item.dataset.page = number;
  item.className = "waiting";
  for (const [name, text] of [["leaf", ""], ["name", `Page ${number}`], ["says", ""]]) {
    item.append(Object.assign(document.createElement("span"), { className: name, textContent: text }));
  }
  const after = [...list.children].find((each) => Number(each.dataset.page) > number);
  list.insertBefore(item, after || null);
  return item;
}
function count(number) {
  pages = number;
  for (let page = 1; page <= Math.min(pages, 200); page++) row(page);
}
function done(page) {
  const item = row(page.number);
  item.className = page.status;
  item.querySelector(".says").textContent = page.status === "ok" ? `read in ${page.seconds.toFixed(1)} s` : page.status;
  measure(0);
}
function run(number) {
  if (number === null || number === undefined || number === current) return;
  current = number;
  const item = row(number);
  if (item.className === "waiting") { item.className = "running"; item.querySelector(".says").textContent = "reading…"; }
}
function measure(within) {
  const ready = list.querySelectorAll(".ok, .failed").length;
  const total = Math.max(pages, list.children.length);
  if (total) share.value = Math.max(share.value || 0, Math.min(1, (ready + within * 0.9) / total));
}
function hear({ kind, data }) {
  if (ENDS.includes(kind) || kind === "gone") finish();
  else if (kind === "started") tell("Opening the file");
  else if (kind === "queued") tell("Waiting for its turn");
  else if (kind === "page") done(data);
  else if (kind === "progress") {
    if (data.stage === "started") { count(data.pages); return; }
    // What is done to a page is reading, unless its beginning said otherwise; the rest is engraving.
    if (STAGES[data.stage]) [doing, component] = [data.stage, data.component];
    else if (data.component !== component) [doing, component] = [data.page ? "recognizer" : "exporter", data.component];
    tell(STAGES[doing] + (data.page && pages > 1 ? ` – page ${data.page} of ${pages}` : ""));
    run(data.page);
    if (data.page && doing === "recognizer" && data.share) measure(data.share);
  }
}
function finish() {
  if (over) return;
  over = true;
  tell("Done");
  share.value = 1;
  location.reload();
}
/* Ask once; what events said before this page listened is found so. */
async function look() {
  if (over) return;
  try {
    const answer = await fetch(`/v1/jobs/${job}`);
    if (answer.status === 404) { finish(); return; }
    if (answer.ok) {
      const told = await answer.json();
      if (ENDS.includes(told.state)) { finish(); return; }
      if (told.page_count) count(told.page_count);
      for (const page of told.pages || []) done(page);
      if (told.progress) hear({ kind: "progress", data: told.progress });
    }
  } catch { /* the service is away; it may come back */ }
}
function poll(every) {
  look().then(() => { if (!over) setTimeout(poll, every, every); });
}
function listen() {
  if (!globalThis.EventSource) { poll(1000); return; }
  setTimeout(poll, 1000, 5000);
  const source = new EventSource(`/v1/jobs/${job}/events?after=${live.dataset.after}`);
  let heard = false, failures = 0;
  const take = (event) => {
    heard = true;
    failures = 0;
    const told = JSON.parse(event.data);
    hear(told.kind ? told : { kind: event.type, data: told });
    if (over) source.close();
  };
  for (const kind of ["message", "queued", "started", "page", "progress", "diagnostic", "gone", ...ENDS]) source.addEventListener(kind, take);
  source.addEventListener("error", () => {
    failures++;
    if (source.readyState === EventSource.CLOSED || (failures > 2 && !heard)) { source.close(); poll(1000); }
  });
}
setInterval(() => { document.getElementById("took").textContent = ensemble.minutes((Date.now() - began) / 1000); }, 500);
addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
listen();
