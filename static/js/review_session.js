// <form data-review> <p data-saved> <template id="draft-signed-out"> <template id="draft-not-sent">
// When an answer does not come (signed out, server error, no network), nothing is swapped and the form says what to
// do. After signing in again in another tab the CSRF token is a new one, which is read from its cookie.
const cookie = (name) => document.cookie.split("; ").find((part) => part.startsWith(`${name}=`))?.slice(name.length + 1) ?? "";

function say(elt, id) {
  const place = elt.closest("form[data-review]")?.querySelector("[data-saved]");
  if (!place) return;
  place.className = "saved saved--failed";
  place.replaceChildren(document.getElementById(id).content.cloneNode(true));
}

document.addEventListener("htmx:configRequest", ({ detail }) => {
  const token = cookie("csrftoken");
  if (token && detail.parameters.csrfmiddlewaretoken) detail.parameters.csrfmiddlewaretoken = token;
});
document.addEventListener("submit", (event) => {
  const field = event.target.querySelector?.("form[data-review] [name=csrfmiddlewaretoken]");
  if (field && cookie("csrftoken")) field.value = cookie("csrftoken");
}, true);
document.addEventListener("htmx:responseError", ({ detail, target }) => say(target, detail.xhr.status === 401 ? "draft-signed-out" : "draft-not-sent"));
document.addEventListener("htmx:sendError", ({ target }) => say(target, "draft-not-sent"));
document.addEventListener("htmx:timeout", ({ target }) => say(target, "draft-not-sent"));
