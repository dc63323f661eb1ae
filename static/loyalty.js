// Small comforts. Every page is complete without them; every word comes from the page.

const announcements = document.getElementById("announcements");
const SHOWN_MS = 2500;

async function copy(button) {
  const { copy: text, copied } = button.dataset;
  await navigator.clipboard.writeText(text);
  const label = button.textContent;
  button.textContent = copied;
  announcements.textContent = copied;
  setTimeout(() => {
    if (label !== copied) button.textContent = label;
    announcements.textContent = "";
  }, SHOWN_MS);
}

// Copying needs a secure page; elsewhere the button stays hidden and a tap selects the text.
if (navigator.clipboard) {
  for (const button of document.querySelectorAll("button[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", () => copy(button).catch(() => {}));
  }
}

// The link makes one ticket the target, which alone is then printed.
for (const link of document.querySelectorAll("a[data-print]")) link.addEventListener("click", () => setTimeout(print));

// One form, one submission. Disabled a moment later, so that the form itself still goes out.
document.addEventListener("submit", (event) => {
  const button = event.submitter;
  setTimeout(() => {
    if (button && !event.defaultPrevented) button.disabled = true;
  });
});

// Coming back with the browser's back button finds the page as it was left.
addEventListener("pageshow", () => {
  for (const button of document.querySelectorAll("button[type=submit]:disabled")) button.disabled = false;
});

// htmx would parse even an empty answer, which Trusted Types forbid; without news there is nothing to do.
document.addEventListener("htmx:before:response", (event) => {
  const { response, hx } = event.detail.ctx;
  if (response.status === 204 && hx.refresh !== "true") event.preventDefault();
});
