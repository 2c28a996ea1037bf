// The field for a code: no spaces, and its last character submits, once. The org says how many there are. What is typed
// beside them is left to the server, which takes digits of any script, and no notice of dashes.

// Spaces, and characters that nobody sees.
const NOTHING = /[\s\p{Default_Ignorable_Code_Point}]+/gu;
const DASHES = /\p{Pd}/gu;

const input = document.querySelector("form.step input.code");
if (input) submitWhenComplete(input);

function submitWhenComplete(input) {
  const length = Number(input.dataset.length);
  const character = input.inputMode === "numeric" ? "\\p{Nd}" : "[\\p{L}\\p{Nd}]";
  const complete = length ? new RegExp(`^${character}{${length}}$`, "u") : null;
  let before = input.value.length;
  // People have to know that the page will go on by itself (WCAG 3.2.2).
  const hint = document.getElementById("submits_itself");
  if (hint) {
    input.setAttribute("aria-describedby", `${input.getAttribute("aria-describedby") ?? ""} ${hint.id}`.trim());
  }
  input.addEventListener("input", () => {
    if (input.value.search(NOTHING) >= 0) input.value = input.value.replace(NOTHING, "");
    const grew = input.value.length > before;
    before = input.value.length;
    // Deleting one that was too many is not typing the last; `step.js` sees to it that nothing goes out twice.
    if (grew && !("held" in input.form.dataset) && complete?.test(input.value.replace(DASHES, ""))) {
      input.form.requestSubmit(input.form.querySelector("button.primary"));
    }
  });
}
