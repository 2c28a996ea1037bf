// A front end in plain JavaScript: it shows whatever step the org asks for, until there is none.
"use strict";

const main = document.getElementById("sign-up");
const api = new URLSearchParams(location.search).get("api") || main.dataset.api;
let token = "";

async function call(path, body) {
  const headers = { "Accept-Language": document.documentElement.lang };
  if (token) headers.Authorization = `Bearer ${token}`;
  if (body) headers["Content-Type"] = "application/json";
  // "include": the answer that ends the sign-up sets the site's session cookie.
  const options = { method: body ? "POST" : "GET", headers, credentials: "include" };
  const answer = await (await fetch(api + path, body ? { ...options, body: JSON.stringify(body) } : options)).json();
  // A problem without a step passes by itself: too early, too often, or Okta is away.
  if (!answer.step && answer.retry_after) {
    await new Promise((resolve) => setTimeout(resolve, 1000 * answer.retry_after));
    return call(path, body);
  }
  return answer;
}

function element(name, properties, ...children) {
  const node = Object.assign(document.createElement(name), properties);
  node.append(...children);
  return node;
}

function control(field) {
  if (field.choices.length) {
    const options = field.choices.map(({ label, value }) => new Option(label, value, false, value === field.value));
    return element("select", { name: field.name, required: field.required }, ...options);
  }
  const input = element("input", { name: field.name, type: field.type, required: field.required });
  if (field.type === "checkbox") input.value = "true";
  input.autocomplete = field.autocomplete;
  input.inputMode = field.inputmode;
  if (typeof field.value === "string") input.value = field.value;
  return input;
}

// Resolves with what was typed, by the fields' names, and the button that was pressed.
function ask(step) {
  const messages = step.messages.map((message) => element("li", {}, message.text));
  const fields = step.fields.map((field) => element("p", {}, element("label", {}, field.label, " ", control(field))));
  const buttons = step.actions.map((action) =>
    element("button", { value: action.name, formNoValidate: action.name !== "submit" }, action.label));
  const form = element("form", {}, ...fields, ...buttons);
  main.replaceChildren(element("h1", {}, step.heading), element("ul", {}, ...messages), form);
  form.elements[0]?.focus();
  return new Promise((resolve) => {
    form.onsubmit = (event) => {
      event.preventDefault();
      const values = Object.fromEntries(new FormData(form));
      const action = event.submitter?.value || "submit";
      resolve(action === "submit" ? { values } : { action });
    };
  });
}

async function signUp() {
  ({ token } = await call("token/", {}));
  const first = await call("");
  let answer = first;
  while (answer.step) {
    const { mark } = answer.step;
    const typed = await ask(answer.step);
    // Without a mark the registration has not started.
    answer = mark ? await call("step/", { step: mark, ...typed })
                  : await call("", { ...typed, form_version: first.form_version });
  }
  main.replaceChildren(element("h1", {}, answer.signed_in ? "You're signed in." : answer.heading || answer.title));
  if (answer.go) main.append(element("p", {}, element("a", { href: answer.go }, "Continue")));
}

signUp();
