// The field for a code: no spaces, and the sixth digit submits, once.

const DIGITS = 6;

const input = document.querySelector("form.step input.code");
if (input) submitWhenComplete(input);

function submitWhenComplete(input) {
  let before = input.value.length;
  // People have to know that the page will go on by itself (WCAG 3.2.2).
  const hint = document.getElementById("submits_itself");
  if (hint) {
    hint.hidden = false;
    input.setAttribute("aria-describedby", `${input.getAttribute("aria-describedby") ?? ""} ${hint.id}`.trim());
  }
  input.addEventListener("input", () => {
    if (/\s/.test(input.value)) input.value = input.value.replace(/\s+/g, "");
    const grew = input.value.length > before;
    before = input.value.length;
    // Deleting a seventh digit is not typing the sixth; `step.js` sees to it that nothing goes out twice.
    if (grew && new RegExp(`^\\d{${DIGITS}}$`).test(input.value)) {
      input.form.requestSubmit(input.form.querySelector("button.primary"));
    }
  });
}
