"use strict";
// Shows the page anew where it stands, with scroll position and focus; without scripts the whole
// page is loaded again instead.
const seen = document.getElementById("seen");

async function look() {
  if (document.hidden || String(getSelection())) return;
  try {
    const answer = await fetch(location.href, { cache: "no-store" });
    if (answer.status === 401) return location.reload();
    if (!answer.ok) throw answer;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const focused = document.activeElement.href;
    document.querySelector("main").replaceWith(fresh.querySelector("main"));
    const again = [...document.querySelectorAll("main a")].find((link) => link.href === focused);
    if (again) again.focus({ preventScroll: true });
    seen.textContent = "As of " + new Date().toLocaleTimeString() + ".";
    seen.className = "";
  } catch {
    seen.textContent = "The host does not answer.";
    seen.className = "error";
  }
}
setInterval(look, 3000);
