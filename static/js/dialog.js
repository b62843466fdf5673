// <button data-dialog-open="new-key">New key</button>
// <dialog id="new-key" aria-labelledby="…"> … <button type="button" data-dialog-close>Cancel</button></dialog>
// A click on the backdrop closes it, unless something was typed. <dialog data-dialog-autoopen> opens with the page
// (a form that came back with errors).
document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-dialog-open]");
  if (opener) document.getElementById(opener.dataset.dialogOpen)?.showModal();
  if (event.target.closest("[data-dialog-close]")) event.target.closest("dialog")?.close();
  if (event.target.matches("dialog:modal")) {
    const dirty = [...event.target.querySelectorAll("input, textarea")].some(
      (field) => field.value !== field.defaultValue || field.checked !== field.defaultChecked,
    );
    const box = event.target.getBoundingClientRect();
    const inside = event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom;
    if (!inside && !dirty) event.target.close();
  }
});

function openWaiting(root) {
  for (const dialog of root.querySelectorAll("dialog[data-dialog-autoopen]:not([open])")) dialog.showModal();
}

openWaiting(document);
document.addEventListener("htmx:load", (event) => openWaiting(event.target.parentElement ?? document));
