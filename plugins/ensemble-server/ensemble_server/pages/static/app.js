/* On every page: the switch between light and dark, copying, small notes, menus that close. */
const root = document.documentElement;

for (const button of document.querySelectorAll("[data-theme-switch]")) {
  button.addEventListener("click", () => {
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    document.cookie = `ensemble_theme=${root.dataset.theme}; path=/; max-age=31536000; samesite=lax`;
  });
}

for (const button of document.querySelectorAll("[data-copy]")) {
  button.addEventListener("click", async () => {
    const input = document.getElementById(button.dataset.copy);
    input.select();
    try { await navigator.clipboard.writeText(input.value); } catch { document.execCommand("copy"); }
    ensemble.toast("Copied");
  });
}

const menus = [...document.querySelectorAll("details.menu")];
document.addEventListener("click", (event) => {
  for (const menu of menus) if (!menu.contains(event.target)) menu.open = false;
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of menus.filter((each) => each.open)) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

globalThis.ensemble = {
  /* Headers of a request that changes something. */
  headers() { return document.body.dataset.csrf ? { "X-CSRF-Token": document.body.dataset.csrf } : {}; },
  toast(text, action = null, seconds = 5) {
    const toast = Object.assign(document.createElement("div"), { className: "toast", textContent: text });
    let button = null;
    if (action) {
      button = Object.assign(document.createElement("button"), { type: "button", textContent: action.name });
      button.addEventListener("click", () => { toast.remove(); action.run(); });
      toast.append(button);
    }
    document.getElementById("toasts").append(toast);
    setTimeout(() => toast.remove(), seconds * 1000);
    return { toast, button };
  },
  /* What went wrong, in one sentence, of a problem+json answer. */
  problem(status, body) {
    try { const problem = JSON.parse(body); return problem.detail || problem.title || `Error ${status}`; }
    catch { return status ? `The service answered ${status}.` : "The service cannot be reached."; }
  },
  minutes(seconds) { return `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`; },
};
