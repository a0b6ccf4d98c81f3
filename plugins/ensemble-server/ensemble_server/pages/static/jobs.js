/* The list of one's scores: deleting with a way back, and cards that follow what happens. */
const WORKING = ["queued", "running"];

for (const form of document.querySelectorAll(".card .remove")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const card = form.closest(".card"), id = card.dataset.job;
    const next = card.nextElementSibling || card.previousElementSibling;
    card.hidden = true;
    let waiting = true;
    const remove = async () => {
      if (!waiting) return;
      waiting = false;
      const answer = await fetch(`/v1/jobs/${id}`, { method: "DELETE", headers: ensemble.headers(), keepalive: true });
      if (answer.ok || answer.status === 404) card.remove();
      else { card.hidden = false; ensemble.toast(ensemble.problem(answer.status, await answer.text())); }
    };
    const { button } = ensemble.toast("Score deleted", { name: "Undo", run() { waiting = false; card.hidden = false; card.querySelector(".called a").focus(); } }, 6);
    setTimeout(remove, 6000);
    addEventListener("pagehide", remove);
    (next?.querySelector(".called a") || button).focus();
  });
}

async function follow() {
  const busy = [...document.querySelectorAll(".card")].filter((card) => WORKING.includes(card.dataset.state));
  if (!busy.length) return;
  for (const card of busy) {
    const answer = await fetch(`/v1/jobs/${card.dataset.job}`).catch(() => null);
    if (answer?.ok && (await answer.json()).state !== card.dataset.state) { location.reload(); return; }
  }
  setTimeout(follow, 2500);
}
if (!document.hidden) setTimeout(follow, 2500);
