// Every page of the sign-up: where the focus goes, one submission per press, countdowns, what a browser can tell is
// wrong with a field, the time zone.
// The pages work without any script. Modules import nothing: hashed file names (ManifestStaticFilesStorage) need no
// rewriting then. What they share is on the form: `data-sent` while a submission is on its way.

// A submission that never arrives (no network, Esc) must not leave dead buttons behind.
const GIVE_BACK_MS = 20_000;

document.querySelector(".error-summary")?.focus();
document.querySelectorAll("form.step").forEach(submitOnce);
document.querySelectorAll("[data-countdown]").forEach(countDown);
document.querySelectorAll('[data-expires]:not([data-expires="0"])').forEach(expire);
document.querySelectorAll("[data-looks-again]").forEach((link) => setTimeout(() => link.click(), link.dataset.looksAgain));
document.querySelectorAll("[data-invalid]").forEach(sayWhenLeft);
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

/** Keeps the time that is left true: minutes as the server said them, the last ones as seconds. At its end the page
    itself says what has become of the sign-up; a submission on its way says so too. */
function expire(element) {
  const end = performance.now() + Number(element.dataset.expires) * 1000;
  const minutes = Math.floor(element.dataset.expires / 60);
  const sentence = element.textContent.replaceAll("\u00a0", " ");
  const minute = spell("minute", minutes);
  const spelt = sentence.includes(minute) ? minute : minute.replace(" ", ""); // Japanese: both are seen
  const timer = setInterval(() => {
    const left = Math.ceil((end - performance.now()) / 1000);
    if (left > 0) {
      if (!sentence.includes(spelt)) return; // hours, or spelt in another way: it stays as the server wrote it
      const said = left < 120 ? spell("second", left) : spell("minute", Math.floor(left / 60));
      const text = sentence.replace(spelt, () => said);
      if (element.textContent !== text) element.textContent = text;
    } else {
      clearInterval(timer);
      if (document.querySelector("form.step[data-sent]")) return;
      const registration = document.querySelector('input[name="registration"]')?.value;
      location.assign(location.pathname + (registration ? `?registration=${registration}` : ""));
    }
  }, 1000);
}

function spell(unit, n) {
  return unitOf(unit).format(n).replaceAll("\u00a0", " ");
}

/** With the digits that Django writes, in Arabic too. */
function unitOf(unit) {
  const options = { style: "unit", unit, unitDisplay: "long", numberingSystem: "latn" };
  return new Intl.NumberFormat(document.documentElement.lang || "en", options);
}

/** The server's sentence with a mark for the number: with its unit ("1 second", "2 seconds") where it is spelt as the
    browser spells it in that language, so that singular and plural stay right. */
function sentenceOf(element, seconds) {
  const unit = unitOf("second");
  const sentence = element.textContent;
  const spelt = unit.format(seconds);
  return sentence.includes(spelt)
    ? { text: sentence.replace(spelt, "\0"), number: (n) => unit.format(n) }
    : { text: sentence.replace(/\p{Nd}+/u, "\0"), number: String };
}

/** Before the server can: beside the field, in the page's language. Nothing is held back, the server decides. */
function sayWhenLeft(input) {
  const box = input.closest(".field");
  const error = Object.assign(document.createElement("p"), { className: "field-error", id: `${input.id}_wrong` });
  error.textContent = input.dataset.invalid;
  const described = input.getAttribute("aria-describedby") ?? "";
  // Not when a button is pressed: it would move away from under the pointer.
  input.addEventListener("focusout", ({ relatedTarget }) => {
    const { typeMismatch, badInput, stepMismatch } = input.validity;
    if (!relatedTarget?.matches("input, select, textarea") || box.querySelector(".field-error")) return;
    if (typeMismatch || badInput || stepMismatch) say(true);
  });
  input.addEventListener("input", () => input.validity.valid && error.isConnected && say(false));

  function say(wrong) {
    if (wrong) box.querySelector("label").after(error);
    else error.remove();
    box.classList.toggle("invalid", wrong);
    input.setAttribute("aria-invalid", wrong);
    input.setAttribute("aria-describedby", wrong ? `${error.id} ${described}`.trim() : described);
  }
}

function preselectTimeZone(select) {
  if (select.value) return;
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const zones = [...select.options].map((option) => option.value).filter(Boolean);
  // Browsers keep to names of their own: for Asia/Kolkata, some say Asia/Calcutta.
  select.value = zones.includes(here) ? here : (zones.find((zone) => nameHere(zone) === here) ?? "");
}

function nameHere(zone) {
  try {
    return Intl.DateTimeFormat("en", { timeZone: zone }).resolvedOptions().timeZone;
  } catch {
    return undefined; // newer than this browser
  }
}
