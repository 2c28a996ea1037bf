// Every page of the sign-up: where the focus goes, one submission per press, countdowns, the time zone.
// The pages work without any script. Modules import nothing: hashed file names (ManifestStaticFilesStorage) need no
// rewriting then. What they share is on the form: `data-sent` while a submission is on its way.

// A submission that never arrives (no network, Esc) must not leave dead buttons behind.
const GIVE_BACK_MS = 20_000;

document.querySelector(".error-summary")?.focus();
document.querySelectorAll("form.step").forEach(submitOnce);
document.querySelectorAll("[data-countdown]").forEach(countDown);
document.querySelectorAll("[data-looks-again]").forEach((link) => setTimeout(() => link.click(), link.dataset.looksAgain));
document.querySelectorAll('select[name*="zone" i]').forEach(preselectTimeZone);

/** Listens on the document, after every listener of the form itself had its chance to hold the submission back. */
function submitOnce(form) {
  const buttons = () => form.querySelectorAll("button:not([type=button])");
  const giveBack = () => {
    delete form.dataset.sent;
    buttons().forEach((button) => (button.disabled = false));
  };
  document.addEventListener("submit", (event) => {
    if (event.target !== form || event.defaultPrevented) return;
    if ("sent" in form.dataset) return event.preventDefault();
    form.dataset.sent = "";
    // Shown passwords go back to dots, else browsers would not offer to keep them, but would suggest them as text.
    form.querySelectorAll("input[data-revealed]").forEach((input) => (input.type = "password"));
    // The name and value of the pressed button are collected after this event: a disabled one would not count.
    setTimeout(() => buttons().forEach((button) => (button.disabled = true)));
    setTimeout(giveBack, GIVE_BACK_MS);
  });
  // Back brings the page as it was left, from the browser's cache.
  window.addEventListener("pageshow", giveBack);
}

/** Counts the seconds of the element's own sentence down; at 0 it has nothing more to say. */
function countDown(element) {
  const seconds = Number(element.dataset.countdown);
  const end = performance.now() + seconds * 1000;
  const { text, number } = sentenceOf(element, seconds);
  const timer = setInterval(() => {
    const left = Math.ceil((end - performance.now()) / 1000);
    if (left > 0) return void (element.textContent = text.replace("\0", () => number(left)));
    clearInterval(timer);
    (element.closest(".notice") ?? element).remove();
  }, 1000);
}

/** The server's sentence with a mark for the number: with its unit ("1 second", "2 seconds") where it is spelt as the
    browser spells it in that language, so that singular and plural stay right. */
function sentenceOf(element, seconds) {
  const unit = new Intl.NumberFormat(document.documentElement.lang || "en", { style: "unit", unit: "second", unitDisplay: "long" });
  const sentence = element.textContent;
  const spelt = unit.format(seconds);
  return sentence.includes(spelt)
    ? { text: sentence.replace(spelt, "\0"), number: (n) => unit.format(n) }
    : { text: sentence.replace(/\p{Nd}+/u, "\0"), number: String };
}

function preselectTimeZone(select) {
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (!select.value && [...select.options].some((option) => option.value === here)) select.value = here;
}
