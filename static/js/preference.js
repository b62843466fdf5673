// <button data-preference="theme" value="dark" aria-pressed="false">Dark</button>
// keeps a choice in a cookie, from which the server sets <html data-theme="dark"> on the next page;
// the empty value forgets it. Nothing is posted.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-preference]");
  if (!button) return;
  const { preference } = button.dataset;
  const root = document.documentElement;
  const secure = location.protocol === "https:" ? "; Secure" : "";
  const age = button.value ? 60 * 60 * 24 * 365 : 0;
  document.cookie = `${preference}=${button.value}; Path=/; Max-Age=${age}; SameSite=Lax${secure}`;
  if (button.value) root.dataset[preference] = button.value;
  else delete root.dataset[preference];
  for (const other of document.querySelectorAll(`[data-preference="${preference}"]`)) {
    other.setAttribute("aria-pressed", String(other.value === button.value));
  }
});
