// <button data-hotkey="n">New queue <kbd>n</kbd></button>       pressed by n, outside of fields
// <textarea data-hotkey="n">                                     focused by n
// <button data-hotkey="mod+Enter">Complete and next</button>     Ctrl or Cmd; works while typing too
// Several keys are separated by spaces. Escape leaves a field. Keys are dead behind an open dialog, and all
// but the mod ones when the person switched them off (<html data-hotkeys="off">).
const TYPING = "input:not([type=checkbox], [type=radio], [type=button], [type=submit], [type=range]), textarea, select, [contenteditable]";

function visible(element) {
  return element.checkVisibility() && !element.disabled && element.getAttribute("aria-disabled") !== "true";
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.isComposing || event.altKey) return;
  const field = event.target.closest?.(TYPING);
  const mod = event.ctrlKey || event.metaKey;
  if (event.key === "Escape" && field && !field.closest("dialog")) {
    field.blur();
    return;
  }
  if (!mod && (field || document.documentElement.dataset.hotkeys === "off")) return;
  const key = (mod ? "mod+" : "") + (mod && event.shiftKey ? "Shift+" : "") + event.key;
  const scope = document.querySelector("dialog:modal") ?? document;
  const target = [...scope.querySelectorAll(`[data-hotkey~="${CSS.escape(key)}"]`)].find(visible);
  if (!target) return;
  event.preventDefault();
  if (target.matches(TYPING)) target.focus();
  else target.click();
});
