// <button data-copy="#secret">Copy</button>            the text (or value) of the element
// <button data-copy-text="4bf92f3577b3">Copy</button>  the text itself
const say = (text, tone = "") => document.dispatchEvent(new CustomEvent("announce", { detail: { text, tone } }));

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy], [data-copy-text]");
  if (!button) return;
  const source = button.dataset.copy && document.querySelector(button.dataset.copy);
  const text = source ? (source.value ?? source.textContent) : button.dataset.copyText;
  try {
    await navigator.clipboard.writeText(text);
    say("Copied.");
  } catch {
    // Without HTTPS browsers give no clipboard: mark the text, so that Ctrl+C is all that is left to do.
    if (source) getSelection().selectAllChildren(source);
    say(source ? "Press Ctrl+C to copy the marked text." : `This browser lets nothing copy here: ${text}`, "error");
  }
});
