// <section data-trace data-selected="…"> <article data-observation-id="…">…</article> … </section>
// <button data-walk="1" data-hotkey="]"> goes to the next step (-1: the previous one); in the tree it opens it.
// <button data-fold data-hotkey="c"> folds or unfolds the current step, or everything while there is none.
const steps = (trace) => [...trace.querySelectorAll("[data-observation-id]:not(.turn__also)")].filter((step) => step.checkVisibility());
const current = (trace) => trace.querySelector(".is-current[data-observation-id], .tree__row[aria-current]");

function show(trace, step) {
  for (const other of trace.querySelectorAll(".is-current")) other.classList.remove("is-current");
  step.classList.add("is-current");
  step.focus({ preventScroll: true });
  step.scrollIntoView({ block: "nearest" });
  if (step.getBoundingClientRect().height > innerHeight / 2) step.scrollIntoView({ block: "start" });
}

function walk(trace, by) {
  const all = steps(trace);
  const at = all.indexOf(current(trace));
  const next = at < 0 ? (by > 0 ? 0 : all.length - 1) : at + by;
  if (next >= all.length) trace.querySelector("[data-more]")?.click();
  if (!all[next]) return;
  show(trace, all[next]);
  if (all[next].matches(".tree__row")) all[next].click();
}

function fold(trace) {
  const scope = trace.querySelector(".is-current") ?? trace;
  const all = [...scope.querySelectorAll("details"), ...(scope.matches("details") ? [scope] : [])];
  const open = all.some((one) => !one.open);
  for (const one of all) one.open = open;
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-walk], [data-fold]");
  const trace = button?.closest("[data-trace]");
  if (trace && button.dataset.walk) walk(trace, Number(button.dataset.walk));
  else if (trace) fold(trace);
  const row = event.target.closest(".tree__row[data-observation-id]");
  if (!row || event.ctrlKey || event.metaKey || event.shiftKey) return;
  for (const other of document.querySelectorAll(".tree__row[aria-current]")) other.removeAttribute("aria-current");
  row.setAttribute("aria-current", "true");
});

function reveal() {
  for (const trace of document.querySelectorAll("[data-trace][data-selected]:not([data-selected=''])")) {
    const id = CSS.escape(trace.dataset.selected);
    const step = trace.querySelector(`[data-observation-id="${id}"]`);
    trace.dataset.selected = "";
    if (step && !step.matches(".tree__row")) show(trace, step.matches(".turn__also") ? step.parentElement : step);
    else step?.scrollIntoView({ block: "nearest" });
  }
}

reveal();
document.addEventListener("htmx:load", reveal);
