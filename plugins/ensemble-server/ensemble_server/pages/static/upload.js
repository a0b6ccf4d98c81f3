/* Choosing files: by dialog, drop, paste or camera; with previews; sent with a progress bar. */
const form = document.getElementById("upload");
const drop = document.getElementById("drop");
const chooser = document.getElementById("files");
const camera = document.getElementById("camera");
const list = document.getElementById("picked");
const problem = document.getElementById("problem");
const convert = document.getElementById("convert");
const SHOWN = /^image\/(png|jpe?g|gif|webp|bmp|avif|svg\+xml)$/;
const most = { files: Number(form.dataset.mostFiles), bytes: Number(form.dataset.mostBytes) };
let files = [];
chooser.required = false; // without files, Convert opens the dialog

function size(bytes) {
  return bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1e3))} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
function say(text) {
  problem.textContent = text;
  problem.hidden = !text;
}
function add(given) {
  const good = [...given].filter((file) => file.size <= most.bytes);
  const large = given.length - good.length;
  say(large ? `${large === 1 ? "A file is" : `${large} files are`} larger than ${size(most.bytes)}.` : "");
  files = [...files, ...good];
  if (files.length > most.files) {
    files = files.slice(0, most.files);
    say(`A score may have ${most.files} files at most.`);
  }
  show();
  if (good.length) convert.focus();
}
function element(tag, properties, ...inside) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...inside);
  return made;
}
function drawing(path) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
  line.setAttribute("d", path);
  svg.append(line);
  return svg;
}
function tool(label, path, run) {
  const button = element("button", { type: "button", title: label }, drawing(path));
  button.setAttribute("aria-label", label);
  button.addEventListener("click", run);
  return button;
}
function show() {
  for (const image of list.querySelectorAll("img")) URL.revokeObjectURL(image.src);
  list.replaceChildren(...files.map((file, index) => {
    const thumb = element("div", { className: "thumb" });
    if (SHOWN.test(file.type)) thumb.append(element("img", { src: URL.createObjectURL(file), alt: "" }));
    else thumb.append((file.name.split(".").pop() || "file").toUpperCase().slice(0, 5));
    const tools = element("div", { className: "tools" });
    if (index) tools.append(tool(`Move ${file.name} before the one ahead of it`, "M15 5l-7 7 7 7", () => move(index)));
    tools.append(tool(`Remove ${file.name}`, "M6 6l12 12M18 6 6 18", () => remove(index)));
    const name = element("span", { className: "name", title: file.name }, file.name, element("small", { textContent: size(file.size) }));
    return element("li", {}, thumb, name, tools);
  }));
  list.hidden = !files.length;
  drop.classList.toggle("filled", files.length > 0);
  drop.querySelector("label[for=files]").textContent = files.length ? "Add more" : "Choose files";
}
function move(index) {
  [files[index - 1], files[index]] = [files[index], files[index - 1]];
  show();
  list.children[index - 1].querySelector("button").focus();
}
function remove(index) {
  files.splice(index, 1);
  show();
  (list.children[Math.min(index, files.length - 1)]?.querySelector(".tools button:last-child") || chooser).focus();
}

for (const input of [chooser, camera]) {
  const take = () => { add(input.files); input.value = ""; };
  input.addEventListener("change", take);
  if (input.files.length) take(); // chosen before this script was there
}
/* A label is no button for the keyboard; the input behind it is. */
for (const kind of ["dragenter", "dragover"]) {
  addEventListener(kind, (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    drop.classList.add("over");
  });
}
addEventListener("dragleave", (event) => { if (!event.relatedTarget) drop.classList.remove("over"); });
addEventListener("drop", (event) => {
  drop.classList.remove("over");
  if (!event.dataTransfer?.files.length) return;
  event.preventDefault();
  add(event.dataTransfer.files);
});
addEventListener("paste", (event) => {
  const pasted = [...(event.clipboardData?.files || [])];
  if (!pasted.length) return;
  event.preventDefault();
  const named = (file, index) => (file.name && file.name !== "image.png" ? file : new File([file], `pasted-${files.length + index + 1}.png`, { type: file.type }));
  add(pasted.map(named));
});

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (!files.length) { chooser.click(); return; }
  say("");
  const data = new FormData(form);
  data.delete("files");
  for (const file of files) data.append("files", file, file.name);
  const request = new XMLHttpRequest();
  const bar = document.getElementById("sent");
  const busy = (on) => { document.getElementById("sending").hidden = !on; convert.disabled = on; };
  const fail = () => { busy(false); say(ensemble.problem(request.status, request.responseText)); };
  request.open("POST", form.action);
  request.setRequestHeader("Accept", "application/json");
  for (const [key, value] of Object.entries(ensemble.headers())) request.setRequestHeader(key, value);
  request.upload.addEventListener("progress", ({ loaded, total }) => { bar.value = total ? loaded / total : 0; });
  request.addEventListener("load", () => {
    if (request.status >= 300) { fail(); return; }
    location.assign(JSON.parse(request.responseText).location);
  });
  request.addEventListener("error", fail);
  bar.value = 0;
  busy(true);
  request.send(data);
});
/* Back from the next page: the browser may have kept this one. */
addEventListener("pageshow", () => { document.getElementById("sending").hidden = true; convert.disabled = false; });
