// <form data-review data-next-field-key="ArrowDown" …> <fieldset data-field="choice|list|number|text|note" tabindex="-1">
// The arrows walk the fields; 1-9 choose the active field's option, 0 clears it, Enter types into it. All of it is
// dead while something is being typed. A number key without an active field of choices goes to the first one.
const TYPING = "textarea, select, [contenteditable], input:not([type=radio], [type=checkbox])";
const form = () => document.querySelector("form[data-review]");
const control = (field) => field.querySelector("textarea, select, input:not([type=radio])");
const CHOOSABLE = "[data-field=choice], [data-field=list], [data-field=number]";

function activate(field) {
  for (const other of form().querySelectorAll("[data-active]")) delete other.dataset.active;
  if (field) field.dataset.active = "";
}

function walk(step) {
  const fields = [...form().querySelectorAll("[data-field]")];
  const at = fields.findIndex((field) => "active" in field.dataset);
  const next = fields[(at + step + fields.length) % fields.length] ?? fields[0];
  activate(next);
  next.focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest" });
}

function changed(element) {
  element.dispatchEvent(new Event("input", { bubbles: true }));
}

function clear(field) {
  for (const radio of field.querySelectorAll("[type=radio]")) radio.checked = false;
  if (control(field)) control(field).value = "";
  changed(field);
}

function choose(digit) {
  const active = form().querySelector(`[data-active]:is(${CHOOSABLE})`);
  const field = active ?? form().querySelector(CHOOSABLE);
  if (!field) return false;
  activate(field);
  const select = field.querySelector("select");
  const option = select ? select.options[digit] : field.querySelectorAll("[type=radio]:enabled")[digit - 1];
  if (field.dataset.field === "number") control(field).focus();
  else if (option && select) select.selectedIndex = digit;
  else if (option) option.checked = true;
  if (option) changed(option);
  return field.dataset.field !== "number"; // the digit itself is typed into a number
}

document.addEventListener("keydown", (event) => {
  const radio = event.target.matches?.("[type=radio]:focus-visible") && event.key.startsWith("Arrow");
  if (radio && form()?.contains(event.target)) event.stopPropagation(); // the browser's own arrows
  if (radio || !form() || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.target.closest(TYPING)) {
    if (event.key === "Escape") document.getElementById("review-trace")?.focus({ preventScroll: true });
    return;
  }
  if (document.querySelector("dialog:modal") || document.documentElement.dataset.hotkeys === "off") return;
  const { nextFieldKey, previousFieldKey, clearKey, editKey } = form().dataset;
  const active = form().querySelector("[data-active]");
  const onButton = event.target.closest("button, a, summary");
  let done = true;
  if (event.key === nextFieldKey) walk(1);
  else if (event.key === previousFieldKey) walk(-1);
  else if (event.key === clearKey && active) clear(active);
  else if (/^[1-9]$/.test(event.key)) done = choose(Number(event.key));
  else if (event.key === editKey && active && control(active) && !onButton) control(active).focus();
  else done = false;
  if (done) event.preventDefault();
}, true);

document.addEventListener("focusin", (event) => {
  const field = event.target.closest("form[data-review] [data-field]");
  if (field) activate(field);
});
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-clear]");
  if (button) clear(button.closest("[data-field]"));
});

function begin() {
  if (!form() || form().dataset.begun) return;
  form().dataset.begun = "true";
  if (matchMedia("(max-width: 800px)").matches) document.querySelector("[data-instructions]")?.removeAttribute("open");
  const wrong = form().querySelector("[aria-invalid=true]");
  activate(wrong?.closest("[data-field]") ?? form().querySelector(CHOOSABLE) ?? form().querySelector("[data-field]"));
  if (wrong?.matches("[type=radio]")) wrong.closest("[data-field]").focus();
  else (wrong ?? document.getElementById("review-trace"))?.focus({ preventScroll: !wrong });
}

begin();
// At once after the swap: htmx has just put the focus back into the note, where the next key would be typed.
document.addEventListener("htmx:afterSwap", begin);
