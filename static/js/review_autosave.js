// <form data-review data-draft-url="…"> <input name="draft_version"> <p data-saved> <div id="draft-conflict">
// Saves what was typed 600 ms after the last change, one request at a time, and says so. A refused save (409) shows
// the other text, which the answer brings along; any other failure keeps the text and tries again.
const retryAfter = [2000, 5000, 15000, 30000];
let timer = 0;
let failures = 0;

const cookie = (name) => document.cookie.split("; ").find((part) => part.startsWith(`${name}=`))?.slice(name.length + 1) ?? "";
const current = () => document.querySelector("form[data-draft-url]");

function show(form, state, id) {
  const place = form.querySelector("[data-saved]");
  place.className = `saved ${state ? `saved--${state}` : ""}`;
  if (id) place.replaceChildren(document.getElementById(id).content.cloneNode(true));
  return place;
}

function post(form, url, keepalive = false) {
  const data = new FormData(form);
  data.set("csrfmiddlewaretoken", cookie("csrftoken") || data.get("csrfmiddlewaretoken"));
  return fetch(url, { method: "POST", body: data, keepalive, headers: { "HX-Request": "true" } });
}

async function save(form) {
  clearTimeout(timer);
  if ("saving" in form.dataset || "conflict" in form.dataset || !("dirty" in form.dataset)) return;
  form.dataset.saving = "";
  delete form.dataset.dirty;
  try {
    const response = await post(form, form.dataset.draftUrl);
    const version = response.headers.get("X-Draft-Version");
    if (response.status === 409) {
      form.dataset.conflict = version;
      document.getElementById("draft-conflict").innerHTML = await response.text();
      show(form, "failed", "draft-conflicts");
    } else if (response.ok && version) {
      failures = 0;
      form.elements.draft_version.value = version;
      show(form, "").innerHTML = await response.text();
      form.dispatchEvent(new CustomEvent("draft:saved", { bubbles: true }));
    } else {
      fail(form, response.status === 401 || response.redirected ? "draft-signed-out" : "draft-failed");
    }
  } catch {
    fail(form, "draft-offline");
  } finally {
    delete form.dataset.saving;
    if ("dirty" in form.dataset && !failures && form.isConnected) timer = setTimeout(save, 200, form);
  }
}

function fail(form, id) {
  form.dataset.dirty = "";
  show(form, "failed", id);
  timer = setTimeout(save, retryAfter[Math.min(failures++, retryAfter.length - 1)], form);
}

document.addEventListener("input", (event) => {
  const form = event.target.closest("form[data-draft-url]");
  if (!form) return;
  form.dataset.dirty = "";
  if (!failures && !("conflict" in form.dataset)) show(form, "pending", "draft-saving");
  clearTimeout(timer);
  timer = setTimeout(save, 600, form);
});
document.addEventListener("click", (event) => {
  const form = current();
  if (event.target.closest("[data-save-again]")) save(form);
  if (event.target.closest("[data-keep-mine]")) {
    if ("conflict" in form.dataset) form.elements.draft_version.value = form.dataset.conflict;
    delete form.dataset.conflict;
    document.getElementById("draft-conflict").replaceChildren();
    form.dataset.dirty = "";
    save(form);
  }
});
// A completion carries the text itself: no draft has to follow it, and leaving the page saves what is not saved yet.
document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.target.closest("form[data-draft-url]") && event.detail.requestConfig.verb === "post") clearTimeout(timer);
  else if (current()) save(current());
});
addEventListener("online", () => current() && save(current()));
addEventListener("pagehide", () => {
  const form = current();
  if (form && "dirty" in form.dataset && !("conflict" in form.dataset)) post(form, form.dataset.draftUrl, true);
});
setInterval(() => {
  const form = current();
  if (form && !document.hidden) post(form, form.dataset.heartbeatUrl).catch(() => {});
}, 60_000);
