// <form data-review="17"> <input name="draft_version"> <template id="draft-restored">
// Keeps what is typed in localStorage until the server has it, and puts it back when the page comes without it.
// If the server's text is newer than what this browser started from, both are shown and the person decides.
const key = (form) => `draft:${form.dataset.review}`;
const mine = ([name]) => name.startsWith("answer-") || name === "anchor";
const values = (form) => Object.fromEntries([...new FormData(form)].filter(mine).filter(([, value]) => value !== ""));
const text = (entries) => JSON.stringify(Object.entries(entries).sort());

function keep(form) {
  const copy = { version: form.elements.draft_version.value, at: Date.now(), values: values(form) };
  localStorage.setItem(key(form), JSON.stringify(copy));
}

function put(form, entries) {
  for (const element of form.elements) {
    if (!mine([element.name])) continue;
    if (element.type === "radio") element.checked = entries[element.name] === element.value;
    else element.value = entries[element.name] ?? "";
  }
  form.dispatchEvent(new Event("input", { bubbles: true }));
  form.dispatchEvent(new CustomEvent("draft:restored", { bubbles: true }));
}

function restore() {
  const form = document.querySelector("form[data-review]");
  if (!form || "restored" in form.dataset) return;
  form.dataset.restored = "";
  const copy = JSON.parse(localStorage.getItem(key(form)) ?? "null");
  if (!copy) return;
  if (text(copy.values) === text(values(form))) localStorage.removeItem(key(form));
  else if (copy.version === form.elements.draft_version.value) put(form, copy.values);
  else {
    const notice = document.getElementById("draft-restored").content.cloneNode(true);
    notice.querySelector("[data-text]").textContent = Object.values(copy.values).join("\n");
    document.getElementById("draft-conflict").append(notice);
  }
}

document.addEventListener("input", (event) => {
  const form = event.target.closest("form[data-review]");
  if (form) keep(form);
});
document.addEventListener("draft:saved", ({ target }) => "dirty" in target.dataset || localStorage.removeItem(key(target)));
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  const form = detail.requestConfig.elt.closest("form[data-review]");
  if (form && detail.requestConfig.verb === "post" && detail.xhr.status === 200 && detail.shouldSwap) localStorage.removeItem(key(form));
});
document.addEventListener("click", (event) => {
  const form = document.querySelector("form[data-review]");
  const copy = form && JSON.parse(localStorage.getItem(key(form)) ?? "null");
  if (event.target.closest("[data-take-stored], [data-copy-drop]")) {
    localStorage.removeItem(key(form));
    delete form.dataset.dirty;
  }
  if (event.target.closest("[data-copy-use]") && copy) put(form, copy.values);
  if (event.target.closest("[data-copy-use], [data-copy-drop]")) event.target.closest(".notice").remove();
});

restore();
document.addEventListener("htmx:load", restore);
