// Runs one scenario with okta-auth-js in node: node auth_js.cjs <major> <scenario> <issuer> <org> <client as JSON>.
// Prints one line of JSON: {status, steps, messages, claims, scope}. `steps` are the steps it went through.
const [major, scenario, issuer, org, client] = process.argv.slice(2);
const { OktaAuth } = require(`okta-auth-js-${major}`);
const app = JSON.parse(client);

const auth = new OktaAuth({
  issuer,
  clientId: app.client_id,
  clientSecret: app.client_secret || undefined,
  redirectUri: app.redirect_uris[0],
  scopes: ["openid", "profile", "email"],
  pkce: true,
});
const person = { firstName: "Ada", lastName: "Lovelace", email: "ada@example.com" };
const password = "Correct-horse-7";
const phone = "+14155550100";
const seen = { steps: [], messages: [] };
let transaction;

async function note(pending) {
  transaction = await pending;
  seen.steps.push(transaction.nextStep ? transaction.nextStep.name : transaction.status);
  for (const message of transaction.messages || []) seen.messages.push(message.i18n?.key || message.message);
  return transaction;
}

// Version 8 wants to be told which step is meant; 7 finds out by itself.
const register = (values = {}) =>
  note(auth.idx.register(major === "8" ? { step: "select-enroll-profile", ...values } : values));
const proceed = (values) =>
  note(auth.idx.proceed(major === "8" && transaction.nextStep ? { step: transaction.nextStep.name, ...values } : values));

async function code(to) {
  const found = await (await fetch(`${org}/_devorg/messages?to=${encodeURIComponent(to)}`)).json();
  return found.find((message) => message.code).code;
}

async function profile() {
  await register();
  if (transaction.nextStep?.name !== "enroll-profile") await proceed({});
  await proceed(person);
}

async function email() {
  await proceed({ authenticator: "okta_email" });
  await proceed({ verificationCode: await code(person.email) });
}

async function passwordToo() {
  await proceed({ authenticator: "okta_password" });
  await proceed({ password });
}

async function signIn() {
  const credentials = { username: person.email, password };
  await note(auth.idx.authenticate(major === "8" ? { step: "identify", ...credentials } : credentials));
}

// The first factor passed: `authenticator` proves the second.
async function second(authenticator, answer) {
  await signIn();
  await proceed({ authenticator });
  await proceed(await answer());
}

async function recover(authenticator = "okta_email") {
  if (major === "8") {
    await note(auth.idx.recoverPassword());
    if (transaction.nextStep.name === "identify-recovery") await proceed({ username: person.email });
  } else {
    await note(auth.idx.recoverPassword({ username: person.email }));
  }
  await proceed({ authenticator });
  await proceed({ verificationCode: await code(person.email) });
}

const SCENARIOS = {
  async email_and_password() {
    await profile();
    await email();
    await passwordToo();
  },
  async a_wrong_code_first() {
    await profile();
    await proceed({ authenticator: "okta_email" });
    await proceed({ verificationCode: "000000x" });
    await proceed({ verificationCode: await code(person.email) });
    await passwordToo();
  },
  async an_existing_person() {
    await profile();
  },
  async a_password_too_weak() {
    await profile();
    await email();
    await proceed({ authenticator: "okta_password" });
    await proceed({ password: "short" });
    await proceed({ password });
  },
  async a_phone() {
    await profile();
    await email();
    await passwordToo();
    await proceed({ authenticator: "phone_number" });
    await proceed({ methodType: "sms", phoneNumber: phone });
    await proceed({ verificationCode: await code(phone) });
  },
  async a_security_question() {
    await profile();
    await email();
    await passwordToo();
    await proceed({ authenticator: "security_question" });
    await proceed({ questionKey: "disliked_food", answer: "Beetroot" });
  },
  async skipping_the_rest() {
    await profile();
    await proceed({ verificationCode: await code(person.email) });
    await note(auth.idx.proceed(major === "8" ? { step: "skip" } : { skip: true }));
  },
  async resending_the_code() {
    await profile();
    await proceed({ authenticator: "okta_email" });
    const first = await code(person.email);
    await note(auth.idx.proceed({ resend: true, ...(major === "8" ? { step: "enroll-authenticator" } : {}) }));
    if ((await code(person.email)) === first) throw new Error("no new code");
    await proceed({ verificationCode: await code(person.email) });
    await passwordToo();
  },
  async an_activation_token() {
    const values = { activationToken: app.activation_token };
    await note(major === "8" ? auth.idx.start(values) : auth.idx.register(values));
    const step = major === "8" ? { step: "select-authenticator-enroll" } : {};
    await note(auth.idx.proceed({ ...step, authenticator: "okta_password" }));
    await proceed({ password });
  },
  signing_in: signIn,
  async signing_in_with_a_mailed_code() {
    await second("okta_email", async () => ({ verificationCode: await code(person.email) }));
  },
  async signing_in_with_a_text() {
    await signIn();
    await proceed({ authenticator: "phone_number" });
    await proceed({ methodType: "sms" });
    await proceed({ verificationCode: await code(phone) });
  },
  async signing_in_with_a_question() {
    await second("security_question", async () => ({ answer: "Beetroot" }));
  },
  async signing_in_with_a_resent_code() {
    await signIn();
    await proceed({ authenticator: "okta_email" });
    const first = await code(person.email);
    await note(auth.idx.proceed({ resend: true, ...(major === "8" ? { step: "challenge-authenticator" } : {}) }));
    if ((await code(person.email)) === first) throw new Error("no new code");
    await proceed({ verificationCode: await code(person.email) });
  },
  async signing_in_with_a_required_phone_missing() {
    await signIn();
    await proceed({ authenticator: "phone_number" });
    await proceed({ methodType: "sms", phoneNumber: phone });
    await proceed({ verificationCode: await code(phone) });
  },
  async signing_in_with_an_expired_password() {
    await signIn();
    await proceed({ newPassword: "Another-horse-8" });
  },
  async recovering_the_password() {
    await recover();
    await proceed({ password: "Another-horse-8" });
  },
  async unlocking_the_account() {
    await note(auth.idx.unlockAccount());
    const chosen = { username: person.email, authenticator: "okta_email" };
    await proceed(major === "8" ? { ...chosen, methodType: "email" } : chosen);
    await proceed({ verificationCode: await code(person.email) });
  },
  async a_session_that_expired() {
    await profile();
    await fetch(`${org}/_devorg/clock`, { method: "POST", body: JSON.stringify({ advance: 10800 }) });
    await proceed({ authenticator: "okta_email" });
  },
};

SCENARIOS[scenario]()
  .then(async () => {
    const { tokens } = transaction;
    if (tokens) seen.claims = tokens.idToken.claims;
    if (tokens) seen.userinfo = await auth.token.getUserInfo(tokens.accessToken, tokens.idToken);
    console.log(JSON.stringify({ status: transaction.status, ...seen }));
    process.exit(0);
  })
  .catch((error) => {
    console.log(JSON.stringify({ status: "THROWN", error: String(error?.message || error), ...seen }));
    process.exit(0);
  });
