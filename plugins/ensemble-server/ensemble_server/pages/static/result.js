/* The result: takes the figures and the data out of the exported page, and brings them to life. */
const body = document.body;
const result = document.getElementById("result");

/* Nothing in it is trusted: elements that could act are taken out, and the policy lets no handler run. */
function clean(holder) {
  for (const element of holder.querySelectorAll("script, style, foreignObject, iframe, object, embed, link, a")) element.remove();
  return [...holder.children].map((child) => document.adoptNode(child));
}

async function open() {
  const answer = await fetch(result.dataset.viewUrl);
  if (!answer.ok) throw new Error(ensemble.problem(answer.status, await answer.text()));
  // Its style sheet would be refused, and said to be so; the pages' own has the same rules.
  const text = (await answer.text()).replace(/<style>[\s\S]*?<\/style>/, "");
  const page = new DOMParser().parseFromString(text, "text/html");
  const data = JSON.parse(page.getElementById("data").textContent);
  for (const id of ["source", "score"]) document.getElementById(id).replaceChildren(...clean(page.getElementById(id)));
  body.dataset.layout = page.body.dataset.layout;
  body.dataset.narrow = page.body.dataset.narrow;
  const summary = page.querySelector(".summary")?.textContent.trim();
  const composer = page.querySelector(".composer")?.textContent.trim();
  const facts = document.querySelector("#summary > span:last-child");
  facts.textContent = [composer, summary].filter(Boolean).join(" · ") || facts.textContent;
  globalThis.score = scoreKit.openScore(data);
  if (document.querySelector(".box.doubtful")) document.getElementById("only-doubtful").click();
  const remarks = document.getElementById("remarks");
  if (matchMedia("(max-width: 1180px)").matches) remarks.open = false;
  body.dataset.ready = "yes";
}

open().catch((error) => {
  for (const skeleton of document.querySelectorAll(".skeleton")) skeleton.remove();
  ensemble.toast(`The score cannot be shown: ${error.message}`, null, 30);
});
