// <div class="panes" data-panes="review"> <div class="pane">…</div>
//   <div class="pane-handle" data-pane-handle role="separator" tabindex="0" aria-orientation="vertical" aria-label="Width of the tree"></div> …
// Drag it, or use the arrow keys; data-pane-handle="end" measures from the end side. The width stays in localStorage.
function set(panes, width) {
  const size = Math.round(Math.min(Math.max(width, 200), panes.clientWidth - 240));
  panes.style.setProperty("--pane", `${size}px`);
  panes.querySelector("[data-pane-handle]").setAttribute("aria-valuenow", String(size));
  localStorage.setItem(`panes:${panes.dataset.panes}`, String(size));
}

function widthAt(handle, x) {
  const box = handle.closest("[data-panes]").getBoundingClientRect();
  return handle.dataset.paneHandle === "end" ? box.right - x : x - box.left;
}

document.addEventListener("pointerdown", (event) => {
  const handle = event.target.closest("[data-pane-handle]");
  if (!handle) return;
  event.preventDefault();
  handle.setPointerCapture(event.pointerId);
  handle.classList.add("is-dragging");
});
document.addEventListener("pointermove", (event) => {
  const handle = event.target.closest?.("[data-pane-handle].is-dragging");
  if (handle) set(handle.closest("[data-panes]"), widthAt(handle, event.clientX));
});
document.addEventListener("lostpointercapture", (event) => event.target.classList.remove("is-dragging"));
document.addEventListener("keydown", (event) => {
  const handle = event.target.closest?.("[data-pane-handle]");
  const step = { ArrowLeft: -24, ArrowRight: 24 }[event.key];
  if (!handle || !step) return;
  event.preventDefault();
  set(handle.closest("[data-panes]"), widthAt(handle, handle.getBoundingClientRect().left + step));
});

function restore() {
  for (const panes of document.querySelectorAll("[data-panes]")) {
    const handle = panes.querySelector("[data-pane-handle]");
    const saved = Number(localStorage.getItem(`panes:${panes.dataset.panes}`));
    if (saved && !panes.style.getPropertyValue("--pane")) set(panes, saved);
    else handle?.setAttribute("aria-valuenow", String(Math.round(widthAt(handle, handle.getBoundingClientRect().left))));
  }
}

restore();
document.addEventListener("htmx:load", restore);
