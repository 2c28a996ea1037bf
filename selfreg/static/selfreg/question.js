// Shows only the fields of the way that is chosen: one of the org's questions, or one's own.

const ways = [...document.querySelectorAll("[data-way]")].map(({ dataset }) => ({
  value: dataset.way,
  fields: dataset.fields.split(" ").filter(Boolean),
}));
const form = document.querySelector("form.step");
if (form && ways.length > 1) {
  document.querySelectorAll("[data-without-script]").forEach((hint) => (hint.hidden = true));
  form.addEventListener("change", showChosen);
  window.addEventListener("pageshow", showChosen);
  showChosen();
}

function showChosen() {
  const chosen = form.querySelector('input[name="credentials"]:checked')?.value;
  const wanted = ways.find((way) => way.value === chosen)?.fields;
  if (!wanted) return;
  for (const name of new Set(ways.flatMap((way) => way.fields))) {
    const box = form.querySelector(`[name="${CSS.escape(name)}"]`)?.closest(".field, .choices");
    if (!box) continue;
    box.hidden = !wanted.includes(name);
    box.querySelector(".optional")?.remove(); // of the fields that are shown, every one is needed
  }
}
