// Passkeys: creating and using one. A form with `data-passkey` is sent with the credential of the
// browser's dialog, as JSON with base64url texts.

const forms = document.querySelectorAll("[data-passkey]");
// Browsers allow passkeys only over HTTPS or on localhost, and never for IP addresses.
const isSafe = window.isSecureContext && "credentials" in navigator && !isNumeric(location.hostname);

for (const form of forms) {
  // The sign-in page has other ways in: there the hidden form appears only if passkeys work.
  if (form.hidden) form.hidden = !isSafe;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    ask(form);
  });
  // A click before this moment would send the form without a passkey.
  form.querySelector("button").disabled = false;
}

async function ask(form) {
  const button = form.querySelector("button");
  const problem = form.querySelector("[data-passkey-problem]");
  problem.hidden = true;
  button.disabled = true;
  try {
    if (!isSafe) throw new DOMException("", "SecurityError");
    form.elements.credential.value = JSON.stringify(written(await credentialFor(form)));
    form.submit();
  } catch (error) {
    problem.textContent = problem.dataset[REASONS[error.name] ?? "failed"];
    problem.hidden = false;
  } finally {
    button.disabled = false;
  }
}

const REASONS = { NotAllowedError: "refused", SecurityError: "unsafe", InvalidStateError: "known" };

function credentialFor(form) {
  switch (form.dataset.passkey) {
    case "create":
      return create(kept(form).creation_options, form.elements.passwordless.checked);
    case "get":
      return get(kept(form).request_options);
    case "login":
      return offered(form).then((options) => get(options.request_options));
  }
}

const kept = (form) => JSON.parse(document.getElementById(form.dataset.options).textContent);

/** Fetch the challenge of the sign-in page. It must be fresh, so it is not part of the page. */
async function offered(form) {
  const answer = await fetch(form.action, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(`The server answered ${answer.status}`);
  return answer.json();
}

function create({ publicKey }, alone) {
  return navigator.credentials.create({
    publicKey: {
      ...publicKey,
      challenge: bytes(publicKey.challenge),
      user: { ...publicKey.user, id: bytes(publicKey.user.id) },
      excludeCredentials: publicKey.excludeCredentials?.map(readable),
      authenticatorSelection: {
        ...publicKey.authenticatorSelection,
        residentKey: alone ? "required" : "discouraged",
        requireResidentKey: alone,
        ...(alone && { userVerification: "required" }),
      },
    },
  });
}

function get({ publicKey }) {
  return navigator.credentials.get({
    publicKey: {
      ...publicKey,
      challenge: bytes(publicKey.challenge),
      allowCredentials: publicKey.allowCredentials?.map(readable),
    },
  });
}

const readable = (known) => ({ ...known, id: bytes(known.id) });

/** Return a credential in the server's format. */
function written(credential) {
  const { response } = credential;
  const parts = ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"];
  const present = parts.filter((part) => response[part]);
  return {
    id: credential.id,
    rawId: text(credential.rawId),
    type: credential.type,
    authenticatorAttachment: credential.authenticatorAttachment,
    clientExtensionResults: credential.getClientExtensionResults(),
    response: Object.fromEntries(present.map((part) => [part, text(response[part])])),
  };
}

function bytes(base64url) {
  const base64 = base64url.replaceAll("-", "+").replaceAll("_", "/");
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}

function text(buffer) {
  const letters = Array.from(new Uint8Array(buffer), (code) => String.fromCharCode(code));
  return btoa(letters.join("")).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function isNumeric(host) {
  return /^[\d.]+$/.test(host) || host.startsWith("[");
}
