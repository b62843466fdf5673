// <div id="announcer" role="status"></div> says what went wrong with an htmx request, and whatever a
// behaviour or the response header HX-Trigger: {"announce": {"text": "Saved.", "tone": "error"}} asks it to say.
// An error stays until the next success; anything else leaves after five seconds.
const SENTENCES = {
  401: "You are signed out. Reload the page to sign in again.",
  403: "You may not do this. If you think you should, ask an admin of the project.",
  404: "This isn't there any more. Reload the page to see what is.",
  409: "Somebody else was faster. Reload the page to see their change.",
  413: "That is too much to send at once.",
  429: "Too many requests in a short time. Wait a moment and try again.",
};
let timer = 0;

function announce(text, tone = "") {
  const announcer = document.getElementById("announcer");
  if (!announcer) return;
  clearTimeout(timer);
  announcer.textContent = text;
  if (text) announcer.dataset.shown = tone;
  else delete announcer.dataset.shown;
  if (text && tone !== "error") timer = setTimeout(() => announce(""), 5000);
}

document.addEventListener("announce", (event) => announce(event.detail.text ?? "", event.detail.tone));
document.addEventListener("htmx:responseError", ({ detail }) => {
  const { status } = detail.xhr;
  announce(SENTENCES[status] ?? `The server could not do this (${status}). Nothing was changed; try again.`, "error");
});
document.addEventListener("htmx:sendError", () => announce("No connection to the server. What you typed is still here; try again.", "error"));
document.addEventListener("htmx:timeout", () => announce("The server took too long to answer. Try again.", "error"));
document.addEventListener("htmx:afterRequest", ({ detail }) => {
  const shown = document.getElementById("announcer")?.dataset.shown;
  if (detail.successful && shown === "error") announce("");
});
