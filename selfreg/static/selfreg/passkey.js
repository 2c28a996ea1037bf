// The browser's own ceremonies for passkeys (Web Authentication, section 5.1). A new one: Okta takes `clientData` and
// `attestation` in base64url, and, where its form has them, `transports` and `clientExtensions` as JSON. One that is
// asked for: `clientData`, `authenticatorData` and `signatureData` in base64url.

const ANSWERS = ["clientData", "attestation", "transports", "clientExtensions", "authenticatorData", "signatureData"];

const form = document.querySelector('form[data-page="passkey"]');
const activation = document.getElementById("passkey-activation");
const options = activation && JSON.parse(activation.textContent);
if (form && options) prepare();

function prepare() {
  const show = (name, on) => form.querySelectorAll(`[data-passkey-${name}]`).forEach((note) => (note.hidden = !on));
  if (!navigator.credentials?.create || !window.PublicKeyCredential) {
    show("impossible", true);
    form.querySelector("button.primary").hidden = true;
    return;
  }
  // The button is back before the form is sent: a disabled one sends nothing.
  const wait = (on) => {
    show("waiting", on);
    form.querySelector("button.primary").disabled = on;
  };
  let underWay = false;
  form.addEventListener("submit", async (event) => {
    if (event.submitter?.name || isFilled()) return; // skip, cancel, another way; or the answer of the ceremony
    event.preventDefault();
    if (underWay) return;
    underWay = true;
    show("problem", false);
    wait(true);
    try {
      const credential = await (options.user
        ? navigator.credentials.create({ publicKey: creationOptions(options) })
        : navigator.credentials.get({ publicKey: requestOptions(options) }));
      wait(false);
      fill(credential);
      form.requestSubmit(event.submitter);
    } catch {
      wait(false);
      show("problem", true); // turned down, timed out, or already registered: browsers do not tell which
    } finally {
      underWay = false;
    }
  });
  // After Back the old answer is worth nothing.
  window.addEventListener("pageshow", () => ANSWERS.forEach((name) => set(name, "")));
}

function creationOptions(options) {
  return {
    ...options,
    challenge: bytes(options.challenge),
    user: { ...options.user, id: bytes(options.user.id) },
    excludeCredentials: identified(options.excludeCredentials),
  };
}

function requestOptions(options) {
  return { ...options, challenge: bytes(options.challenge), allowCredentials: identified(options.allowCredentials) };
}

function identified(credentials) {
  return (credentials ?? []).map((known) => ({ ...known, id: bytes(known.id) }));
}

function fill(credential) {
  const { response } = credential;
  set("clientData", base64url(response.clientDataJSON));
  if (response.signature) {
    set("authenticatorData", base64url(response.authenticatorData));
    set("signatureData", base64url(response.signature));
    return;
  }
  set("attestation", base64url(response.attestationObject));
  set("transports", JSON.stringify(response.getTransports?.() ?? []));
  set("clientExtensions", JSON.stringify(credential.getClientExtensionResults()));
}

function field(name) {
  return form.querySelector(`input[name="credentials.${name}"]`);
}

function set(name, value) {
  const input = field(name);
  if (input) input.value = value;
}

function isFilled() {
  return Boolean(field("clientData")?.value);
}

function bytes(text) {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

function base64url(buffer) {
  const binary = Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join("");
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}
