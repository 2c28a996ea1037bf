// A search box before each long list (countries, time zones): what is typed chooses the first entry with such a word,
// accents and case aside. The list stays whole, and works as before.

const LONG = 20;

document.querySelectorAll("form.step").forEach((form) => {
  const lists = [...form.querySelectorAll("select")].filter((list) => list.options.length > LONG);
  lists.forEach((list) => list.before(boxFor(list, form.dataset.search)));
});

function boxFor(list, words) {
  const box = Object.assign(document.createElement("input"), { type: "search", autocomplete: "off", placeholder: words });
  box.setAttribute("aria-label", words);
  box.setAttribute("aria-controls", list.id);
  const entries = [...list.options].filter((option) => option.value);
  const plain = entries.map((option) => folded(option.text));
  box.addEventListener("input", () => {
    const typed = folded(box.value.trim());
    if (!typed) return;
    const at = [(text) => text.startsWith(typed), (text) => text.includes(` ${typed}`), (text) => text.includes(typed)]
      .map((fits) => plain.findIndex(fits))
      .find((index) => index >= 0);
    box.setAttribute("aria-invalid", at === undefined);
    if (at === undefined) return;
    list.value = entries[at].value;
    list.dispatchEvent(new Event("change", { bubbles: true }));
  });
  // Enter in any field submits the form; here it ends the search.
  box.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    list.focus();
  });
  return box;
}

function folded(text) {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
}
