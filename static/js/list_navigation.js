// <table data-list> … <tr><td><input type="checkbox"></td><td><a class="table__link" href="…">…</a></td></tr>
// j and k (or the arrows, once in the list) move the current row, Enter opens its link, x ticks its checkbox.
// <ul data-list data-list-items="li > a"> for lists that aren't tables.
const TYPING = "input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]";

function rowsOf(list) {
  return [...list.querySelectorAll(list.dataset.listItems ?? "tbody > tr")].filter((row) => row.checkVisibility());
}

function mark(list, row) {
  for (const other of list.querySelectorAll(".is-current")) other.classList.remove("is-current");
  row.classList.add("is-current");
  const link = row.matches("a") ? row : row.querySelector(".table__link, a");
  (link ?? row).focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.target.closest?.(TYPING) || document.querySelector("dialog:modal")) return;
  if (document.documentElement.dataset.hotkeys === "off") return;
  const list = event.target.closest?.("[data-list]") ?? document.querySelector("[data-list]");
  if (!list) return;
  const rows = rowsOf(list);
  const at = rows.findIndex((row) => row.contains(document.activeElement) || row.classList.contains("is-current"));
  const arrows = list.contains(document.activeElement);
  const step = event.key === "j" || (arrows && event.key === "ArrowDown") ? 1 : event.key === "k" || (arrows && event.key === "ArrowUp") ? -1 : 0;
  if (step && rows.length) {
    mark(list, rows[at < 0 ? 0 : Math.min(Math.max(at + step, 0), rows.length - 1)]);
    event.preventDefault();
  } else if (at >= 0 && event.key === "x") {
    rows[at].querySelector("input[type=checkbox]")?.click();
    event.preventDefault();
  } else if (at >= 0 && event.key === "Enter" && !event.target.closest("a, button, summary")) {
    rows[at].querySelector(".table__link, a")?.click();
  }
});
