// Shows only the fields of the way that is chosen: one of the org's questions or one's own, a text or a call.
// `data-way` is a value of the radio buttons named `data-chooser`, `data-fields` the names of the fields it has alone.

const ways = [...document.querySelectorAll("[data-way]")].map(({ dataset }) => ({
  chooser: dataset.chooser,
  value: dataset.way,
  fields: dataset.fields.split(" ").filter(Boolean),
  needed: "needed" in dataset, // while they are shown
}));
const form = document.querySelector("form.step");
if (form && ways.length > 1) {
  document.querySelectorAll("[data-without-script]").forEach((hint) => (hint.hidden = true));
  form.addEventListener("change", showChosen);
  window.addEventListener("pageshow", showChosen);
  showChosen();
}

function showChosen() {
  const way = ways.find(({ chooser, value }) => form.querySelector(`[name="${chooser}"]:checked`)?.value === value);
  if (!way) return;
  for (const name of new Set(ways.flatMap((each) => each.fields))) {
    const box = form.querySelector(`[name="${CSS.escape(name)}"]`)?.closest(".field, .choices");
    if (!box) continue;
    box.hidden = !way.fields.includes(name);
    if (way.needed) box.querySelector(".optional")?.remove();
  }
}
