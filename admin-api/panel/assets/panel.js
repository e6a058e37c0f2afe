// What moves by itself in the panel. Without it every page works: this adds to them and replaces nothing.
"use strict";

// A form is sent once: its key makes a second sending harmless, and the button says that it is on its way.
for (const form of document.querySelectorAll("form.question[method=post]")) {
  form.addEventListener("submit", () => {
    for (const button of form.querySelectorAll("button")) button.setAttribute("aria-busy", "true");
  });
}
