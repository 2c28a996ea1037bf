// A waiting page asks whether the visitor went on elsewhere (the link of the mail, another tab) and then follows.

const TYPING_MS = 8_000;
const SLOWEST_MS = 60_000;
const TIMEOUT_MS = 20_000;

const form = document.querySelector("form[data-poll]");
if (form) follow(form);

function follow(form) {
  let wait = Number(form.dataset.poll);
  let timer;
  let asking = null;
  let typedAt = -Infinity;

  const later = (ms) => {
    clearTimeout(timer);
    timer = setTimeout(ask, ms);
  };

  async function ask() {
    if ("sent" in form.dataset || asking) return;
    // Goes on when the page is looked at again. What the visitor does in another tab comes first.
    if (document.hidden) return;
    // The org serves one request of a registration at a time: a code that is being typed comes first.
    const pause = typedAt + TYPING_MS - Date.now();
    if (pause > 0) return later(pause);
    asking = question(form);
    const { go, wait: stated, failed } = await asking;
    asking = null;
    if (go) return go();
    wait = failed ? Math.min(wait * 2, SLOWEST_MS) : (stated ?? wait);
    later(wait);
  }

  form.addEventListener("input", () => (typedAt = Date.now()));
  form.addEventListener("submit", (event) => {
    clearTimeout(timer);
    if (!asking) return;
    event.preventDefault();
    const button = event.submitter;
    asking.then(({ go }) => go || form.requestSubmit(button));
  });
  document.addEventListener("visibilitychange", () => document.hidden || later(0));
  // Restored by Back: the timers of the page that was left are gone or wrong.
  window.addEventListener("pageshow", (event) => event.persisted && later(0));
  later(wait);
}

/** {wait: ms} | {go: what to do} | {failed: true} */
async function question(form) {
  const fields = new URLSearchParams({ action: "poll" });
  for (const name of ["csrfmiddlewaretoken", "step", "registration"]) {
    const field = form.querySelector(`input[name="${name}"]`);
    if (field) fields.set(name, field.value);
  }
  try {
    // Not form.action: that is the buttons of this name.
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const answer = await fetch(form.getAttribute("action"), { method: "POST", body: fields, redirect: "manual", signal });
    // The session is another one by now: the page itself knows where to go.
    if (answer.type === "opaqueredirect") return { go: () => location.reload() };
    if (!answer.ok) return { failed: true };
    const { go, wait } = await answer.json();
    return go ? { go: () => location.assign(go) } : { wait };
  } catch {
    return { failed: true };
  }
}
