// Password fields: rules that tick off while one types, and a button that shows what was typed.

// Okta looks for the parts of a login between these characters, from four characters on, and for names from three on.
const LOGIN_SEPARATORS = /[,.\-_#@]/;
const SHORTEST_PART = 4;
const SHORTEST_NAME = 3;
// Speaks when typing pauses, not at every key.
const PAUSE_MS = 1200;

const KINDS = [/\p{Ll}/u, /\p{Lu}/u, /\p{Nd}/u, /[ !"#$%&'()*+,\-./:;<=>?@[\\\]^_`{|}~]/u];
const [LOWER, UPPER, NUMBER, SYMBOL] = KINDS;

// Rule -> (password, the rule's number) -> true, false, or null when this page cannot know.
const RULES = {
  length: (value, n) => [...value].length >= n,
  max: (value, n) => [...value].length <= n,
  lower: (value, n) => count(value, LOWER) >= n,
  upper: (value, n) => count(value, UPPER) >= n,
  number: (value, n) => count(value, NUMBER) >= n,
  symbol: (value, n) => count(value, SYMBOL) >= n,
  kinds: (value, n) => KINDS.filter((kind) => kind.test(value)).length >= n,
  repeat: (value, n) => !new RegExp(`(.)\\1{${n},}`, "su").test(value),
  history: () => null,
  age: () => null,
  username: (value) => containsNone(value, loginParts()),
};

// Bits to guess from which a password that meets the org's rules is fair, good and strong.
const FAIR = 40;
const GOOD = 60;
const STRONG = 80;

const form = document.querySelector("form.step");
const list = form?.querySelector(".rules");
const password = list && form.querySelector('input[type="password"][autocomplete="new-password"]');
if (password) tickOff(password, list);
form?.querySelectorAll("button.reveal").forEach(offerToReveal);

function tickOff(input, rules) {
  const status = form.querySelector("[data-rules-status]");
  const items = [...rules.querySelectorAll("li[data-rule]")];
  let timer;
  const look = () => {
    const open = items.filter((item) => show(item, verdict(item, input.value), rules.dataset.met)).length;
    showStrength(strength(input.value, open));
    clearTimeout(timer);
    timer = setTimeout(() => say(status, input.value, open), PAUSE_MS);
  };
  input.setAttribute("aria-describedby", `${input.getAttribute("aria-describedby") ?? ""} ${rules.id}`.trim());
  form.addEventListener("input", look);
  // Only what is still missing when one leaves the field is a fault.
  input.addEventListener("blur", () => rules.classList.add("left"));
  // An empty field leaves the marks that the server set: what the refused password broke.
  if (input.value) look();
}

/** From 1 (weak) to 4 (strong); 0 for an empty field. A password that breaks a rule is weak. */
function strength(value, open) {
  if (value === "") return 0;
  const bits = guesses(value);
  return open || bits < FAIR ? 1 : bits < GOOD ? 2 : bits < STRONG ? 3 : 4;
}

/** Bits to guess by trying every text of these kinds of characters. What repeats or continues ("aaa", "123") adds nothing. */
function guesses(value) {
  const points = [...value].map((character) => character.codePointAt(0));
  const surprising = points.filter((point, at) => at === 0 || Math.abs(point - points[at - 1]) > 1).length;
  const sizes = [26, 26, 10, 33];
  const known = KINDS.reduce((sum, kind, at) => sum + (kind.test(value) ? sizes[at] : 0), 0);
  return surprising * Math.log2(Math.max(known, 2));
}

function showStrength(level) {
  const meter = form.querySelector("[data-strength]");
  if (!meter) return;
  meter.dataset.strength = level;
  for (const words of meter.querySelectorAll("[data-level]")) words.hidden = Number(words.dataset.level) !== level;
}

function verdict(item, value) {
  if (value === "") return null;
  const verdicts = item.dataset.rule.split(" ").map((rule) => judge(rule, value));
  if (verdicts.includes(false)) return false;
  return verdicts.includes(true) ? true : null;
}

function judge(rule, value) {
  const [name, number] = rule.split(":");
  return RULES[name] ? RULES[name](value, Number(number)) : containsNone(value, nameTyped(name));
}

function count(value, kind) {
  return [...value].filter((character) => kind.test(character)).length;
}

/** Whether the rule is still open. */
function show(item, met, metText) {
  item.classList.toggle("met", met === true);
  item.classList.toggle("unmet", met === false);
  const note = item.querySelector(".visually-hidden");
  note?.remove();
  if (met === true) item.append(hiddenText(metText));
  return met === false;
}

function hiddenText(text) {
  const span = document.createElement("span");
  span.className = "visually-hidden";
  span.textContent = text;
  return span;
}

function say(status, value, open) {
  const text = value === "" ? "" : open ? status.dataset.open.replace("{n}", open) : status.dataset.met;
  if (status.textContent !== text) status.textContent = text;
}

/** What stands in the field of this attribute, else what was typed on an earlier page; "" when nobody knows. */
function typed(attribute) {
  const field = form.querySelector(`[name="userProfile.${CSS.escape(attribute)}"]`);
  return (field?.value ?? JSON.parse(list.dataset.earlier || "{}")[attribute] ?? "").trim();
}

function nameTyped(attribute) {
  return [typed(attribute)].filter((name) => name.length >= SHORTEST_NAME);
}

function loginParts() {
  const login = typed("login") || list.dataset.username || typed("email");
  // The last label of an address ("com") does not count.
  const searched = login.replace(/(@[^@]*)\.[^.@]*$/, "$1");
  return searched.split(LOGIN_SEPARATORS).filter((part) => part.length >= SHORTEST_PART);
}

/** Null when there is nothing to look for. */
function containsNone(value, words) {
  if (!words.length) return null;
  const folded = value.toLowerCase();
  return !words.some((word) => folded.includes(word.toLowerCase()));
}

function offerToReveal(button) {
  const inputs = [...form.querySelectorAll('input[type="password"]')];
  button.hidden = false;
  button.addEventListener("click", () => {
    const shown = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", shown);
    for (const input of inputs) {
      input.type = shown ? "text" : "password";
      input.toggleAttribute("data-revealed", shown);
    }
  });
}
