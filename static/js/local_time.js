// <time datetime="2026-11-21T09:12:03.000+00:00" data-ago>3m ago</time>      kept fresh, absolute local time on hover
// <time datetime="…" data-local="full|clock">09:12</time>                        shown in the viewer's own zone
const UNITS = [[3600, 60, "m"], [86400, 3600, "h"], [604800, 86400, "d"]];
const full = new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", timeStyle: "medium" });
const clock = new Intl.DateTimeFormat("sv-SE", { hour: "2-digit", minute: "2-digit" });
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;

function ago(then) {
  const seconds = (Date.now() - then) / 1000;
  const size = Math.abs(seconds);
  if (size < 60) return "just now";
  const unit = UNITS.find(([limit]) => size < limit);
  if (unit) {
    const amount = `${Math.floor(size / unit[1])}${unit[2]}`;
    return seconds > 0 ? `${amount} ago` : `in ${amount}`;
  }
  const year = then.getFullYear() === new Date().getFullYear() ? undefined : "numeric";
  return new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year }).format(then);
}

function write(element) {
  const then = new Date(element.dateTime);
  if (Number.isNaN(then.getTime())) return;
  const text = "ago" in element.dataset ? ago(then) : (element.dataset.local === "clock" ? clock : full).format(then);
  if (element.textContent !== text) element.textContent = text;
  const title = `${full.format(then)} ${zone}`;
  if (element.title !== title) element.title = title;
}

function refresh(root) {
  for (const element of root.querySelectorAll("time[data-ago], time[data-local]")) write(element);
}

refresh(document);
setInterval(() => document.hidden || refresh(document), 30_000);
document.addEventListener("htmx:load", (event) => refresh(event.target.parentElement ?? document));
