// Every page of the sign-up: where the focus goes, one submission per press, countdowns, what a browser can tell is
// wrong with a field, the time zone.
// The pages work without any script. Modules import nothing: hashed file names (ManifestStaticFilesStorage) need no
// rewriting then. What they share is on the form: `data-sent` while a submission is on its way.

// A submission that never arrives (no network, Esc) must not leave dead buttons behind.
const GIVE_BACK_MS = 20_000;
// From here on a time is named in minutes.
const LONG_SECONDS = 120;
const COPIED_MS = 2_000;

// The answer to a form is not kept, and Back to it would show the browser's own page: here it is a page like others.
history.replaceState(history.state, "", location.href);
if (!document.querySelector("form.step [autofocus]")) document.querySelector(".error-summary")?.focus();
document.querySelectorAll("form.step").forEach(submitOnce);
document.querySelectorAll("[data-countdown]").forEach(countDown);
document.querySelectorAll('[data-expires]:not([data-expires="0"])').forEach(expire);
document.querySelectorAll("[data-looks-again]").forEach((link) => setTimeout(() => link.click(), link.dataset.looksAgain));
document.querySelectorAll("[data-invalid]").forEach(sayWhenLeft);
document.querySelectorAll("button[data-copies]").forEach(offerToCopy);
document.querySelectorAll('select[name*="zone" i]').forEach(preselectTimeZone);

/** Listens on the document, after every listener of the form itself had its chance to hold the submission back. */
function submitOnce(form) {
  const buttons = () => form.querySelectorAll("button:not([type=button])");
  const giveBack = () => {
    delete form.dataset.sent;
    form.querySelectorAll("[aria-busy]").forEach((button) => button.removeAttribute("aria-busy"));
    buttons().forEach((button) => (button.disabled = "held" in form.dataset && button.matches(".primary")));
  };
  document.addEventListener("submit", (event) => {
    if (event.target !== form || event.defaultPrevented) return;
    if ("sent" in form.dataset) return event.preventDefault();
    form.dataset.sent = "";
    event.submitter?.setAttribute("aria-busy", "true");
    // Shown passwords go back to dots, else browsers would not offer to keep them, but would suggest them as text.
    form.querySelectorAll("input[data-revealed]").forEach((input) => (input.type = "password"));
    // The name and value of the pressed button are collected after this event: a disabled one would not count.
    setTimeout(() => buttons().forEach((button) => (button.disabled = true)));
    setTimeout(giveBack, GIVE_BACK_MS);
  });
  // Back brings the page as it was left, from the browser's cache.
  window.addEventListener("pageshow", giveBack);
  form.addEventListener("hold", giveBack);
}

/** Counts the time in the element's own sentence down; at 0 it has nothing more to say, and leaves its place empty: no
    button moves. Where the form may not be sent
    before that, its button is off until then. */
function countDown(element) {
  const seconds = Number(element.dataset.countdown);
  const end = performance.now() + seconds * 1000;
  const { text, number } = sentenceOf(element, seconds);
  const form = "holds" in element.dataset ? document.querySelector("form.step") : null;
  if (form) hold(form, true);
  const timer = setInterval(() => {
    const left = Math.ceil((end - performance.now()) / 1000);
    if (left > 0) return void (element.textContent = text.replace("\0", () => number(left)));
    clearInterval(timer);
    (element.closest(".notice, .error-summary") ?? element).classList.add("over");
    if (form) hold(form, false);
  }, 1000);
}

function hold(form, isHeld) {
  form.toggleAttribute("data-held", isHeld);
  form.dispatchEvent(new Event("hold"));
}

/** Shows the time that is left once it is short. At its end the page itself says what has become of the sign-up; a
    submission on its way says so too. */
function expire(element) {
  const end = performance.now() + Number(element.dataset.expires) * 1000;
  const { text, number } = sentenceOf(element, Math.min(element.dataset.expires, LONG_SECONDS));
  const timer = setInterval(() => {
    const left = Math.ceil((end - performance.now()) / 1000);
    // A moment later: by then the org knows it too.
    if (left > LONG_SECONDS || (left <= 0 && left > -2)) return;
    if (left > 0) {
      for (const part of element.parentElement.querySelectorAll("[hidden]")) part.hidden = false;
      element.textContent = text.replace("\0", () => number(left));
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

/** The server's sentence with a mark for the number: with its unit ("1 second", "2 minutes") where it is spelt as the
    browser spells it in that language, so that singular and plural stay right. */
function sentenceOf(element, seconds) {
  const sentence = element.textContent.replaceAll("\u00a0", " ");
  const spelt = inOneUnit(seconds);
  return sentence.includes(spelt)
    ? { text: sentence.replace(spelt, "\0"), number: inOneUnit }
    : { text: seconds > LONG_SECONDS ? sentence : sentence.replace(/\p{Nd}+/u, "\0"), number: String };
}

/** As the server names a time: in seconds up to two minutes, in minutes up to two hours. */
function inOneUnit(seconds) {
  if (seconds <= LONG_SECONDS) return spell("second", seconds);
  if (seconds <= 60 * LONG_SECONDS) return spell("minute", Math.ceil(seconds / 60));
  return spell("hour", Math.ceil(seconds / 3600));
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
    // Full-width letters, "mailto:" and "Ada <ada@example.com>" are taken as they are meant.
    const mayBeMeant = input.type === "email" && /[^\x20-\x7e]|<|^mailto:/i.test(input.value);
    if ((typeMismatch || badInput || stepMismatch) && !mayBeMeant) say(true);
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

/** Copies a code or a key without the spaces that make it readable. */
function offerToCopy(button) {
  if (!navigator.clipboard) return;
  const label = button.textContent;
  button.hidden = false;
  button.setAttribute("aria-live", "polite");
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copies).textContent.replace(/\s/g, ""));
    button.textContent = button.dataset.copied;
    setTimeout(() => (button.textContent = label), COPIED_MS);
  });
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
