// <div id="review-trace"> … <article class="is-current" data-observation-id="a1">
// <button data-mark> <input name="anchor"> <span data-anchor><span data-anchor-name> … <button data-anchor-remove>
// Marks the current step (observation_walk.js, or a click) as the first failure: the anchor of the note.
const trace = () => document.getElementById("review-trace");
const steps = () => [...(trace()?.querySelectorAll("[data-observation-id]") ?? [])].filter((step) => step.checkVisibility() && !step.matches(".turn__also"));
const anchorInput = () => document.querySelector("form[data-review] [name=anchor]");
const named = (id) => trace()?.querySelector(`[data-observation-id="${CSS.escape(id)}"]`);

function focusOn(step) {
  for (const other of trace().querySelectorAll(".is-current")) other.classList.remove("is-current");
  step.classList.add("is-current");
}

function inView() {
  const top = trace().getBoundingClientRect().top;
  return steps().find((step) => step.getBoundingClientRect().bottom > top + 24);
}

function show() {
  const input = anchorInput();
  if (!trace() || !input) return;
  for (const other of trace().querySelectorAll(".is-anchor")) other.classList.remove("is-anchor");
  const step = input.value ? named(input.value) : null;
  (step?.matches(".turn__also") ? step.parentElement : step)?.classList.add("is-anchor");
  const place = document.querySelector("[data-anchor]");
  if (!place) return;
  place.hidden = !input.value;
  const at = step ? steps().indexOf(step.matches(".turn__also") ? step.parentElement : step) + 1 : 0;
  place.querySelector("[data-anchor-name]").textContent = at ? `Step ${at}` : "Marked step";
}

function mark(id) {
  anchorInput().value = id;
  anchorInput().dispatchEvent(new Event("input", { bubbles: true }));
  show();
}

document.addEventListener("click", (event) => {
  const step = event.target.closest("#review-trace [data-observation-id]:not(.tree__row)");
  if (step) focusOn(step);
  if (event.target.closest("[data-mark]")) {
    const chosen = trace().querySelector("[data-observation-id].is-current") ?? inView();
    if (chosen) mark(anchorInput().value === chosen.dataset.observationId ? "" : chosen.dataset.observationId);
  }
  if (event.target.closest("[data-anchor-remove]")) mark("");
  if (event.target.closest("[data-anchor-show]")) named(anchorInput().value)?.scrollIntoView({ block: "center" });
});

show();
document.addEventListener("htmx:load", show);
document.addEventListener("draft:restored", show);
