// Shows only the fields of the way that is chosen: one of the org's questions or one's own, a text or a call.
// `data-way` is a value of the radio buttons named `data-chooser`, `data-fields` the names of its fields,
// `data-needed` of those that must be filled in.

const ways = [...document.querySelectorAll("[data-way]")].map(({ dataset }) => ({
  chooser: dataset.chooser,
  value: dataset.way,
  fields: dataset.fields.split(" ").filter(Boolean),
  needed: dataset.needed?.split(" ") ?? [],
}));
const form = document.querySelector("form.step");
if (form && ways.length > 1) {
  document.querySelectorAll("[data-without-script]").forEach((hint) => (hint.hidden = true));
  form.addEventListener("change", showChosen);
  window.addEventListener("pageshow", showChosen);
  showChosen();
}

function showChosen() {
  for (const chooser of new Set(ways.map((way) => way.chooser))) showChosenOf(chooser);
}

function showChosenOf(chooser) {
  const picked = form.querySelector(`[name="${CSS.escape(chooser)}"]:checked`)?.value;
  const own = ways.filter((way) => way.chooser === chooser);
  const chosen = own.find(({ value }) => value === picked);
  if (!chosen) return;
  for (const name of new Set(own.flatMap(({ fields }) => fields))) {
    const box = form.querySelector(`[name="${CSS.escape(name)}"]`)?.closest(".field, .choices");
    if (!box) continue;
    box.hidden = !chosen.fields.includes(name);
    if (chosen.needed.includes(name)) box.querySelector(".optional")?.remove();
  }
}
