// <form data-selection> <input type="checkbox" data-select-all> … <input type="checkbox" name="ids" data-select>
//   <div class="selection-bar" data-selection-bar hidden><span data-selection-count></span> …buttons… </div> </form>
// The header box ticks all boxes; Shift ticks a range; the bar is there while anything is ticked.
let last = null;

function update(scope) {
  const boxes = [...scope.querySelectorAll("[data-select]")];
  const ticked = boxes.filter((box) => box.checked).length;
  const all = scope.querySelector("[data-select-all]");
  if (all) {
    all.checked = ticked > 0 && ticked === boxes.length;
    all.indeterminate = ticked > 0 && ticked < boxes.length;
  }
  for (const bar of scope.querySelectorAll("[data-selection-bar]")) bar.hidden = ticked === 0;
  for (const count of scope.querySelectorAll("[data-selection-count]")) count.textContent = `${ticked} selected`;
}

document.addEventListener("click", (event) => {
  const box = event.target.closest("[data-select], [data-select-all]");
  const scope = box?.closest("[data-selection]");
  if (!scope) return;
  const boxes = [...scope.querySelectorAll("[data-select]")];
  if (box.matches("[data-select-all]")) {
    for (const other of boxes) other.checked = box.checked;
  } else {
    const [from, to] = [boxes.indexOf(last), boxes.indexOf(box)].sort((a, b) => a - b);
    if (event.shiftKey && from >= 0) for (const other of boxes.slice(from, to + 1)) other.checked = box.checked;
    last = box;
  }
  update(scope);
});

function updateAll() {
  for (const scope of document.querySelectorAll("[data-selection]")) update(scope);
}

updateAll();
addEventListener("pageshow", updateAll);
document.addEventListener("htmx:load", updateAll);
