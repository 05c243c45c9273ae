// Has the browser ask a security key or passkey, and sends its answer with the form.
//
// The form `#webauthn` says what is asked: `data-action` is "get" or "create"; the options stand in
// `data-options`, or `data-fetch` is where they are fetched from. The answer goes into the field
// `response`. What a hidden field with `data-from="name"` sends is whether the box of that name is
// ticked, wherever it stands. Errors are texts of the `.error` inside: `data-failed`,
// `data-unsupported`, and `data-taken` for an authenticator that is registered already. A hidden
// form is shown where it can work.
(() => {
  "use strict";
  const form = document.getElementById("webauthn");
  if (!form) return;
  const error = form.querySelector(".error");
  const field = form.elements.namedItem("response");

  const say = (text) => {
    error.textContent = text || "";
    error.hidden = !text;
  };
  if (!window.PublicKeyCredential) {
    say(error.dataset.unsupported);
    return;
  }
  form.hidden = false;

  const bytes = (text) =>
    Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const text = (buffer) => {
    let binary = "";
    for (const byte of new Uint8Array(buffer)) binary += String.fromCharCode(byte);
    return btoa(binary).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  };
  const named = (list) => list && list.map((one) => ({ ...one, id: bytes(one.id) }));

  const options = async () => {
    if (form.dataset.options) return JSON.parse(form.dataset.options);
    const answer = await fetch(form.dataset.fetch, { headers: { accept: "application/json" } });
    return (await answer.json()).data;
  };

  const ask = async () => {
    const { publicKey } = await options();
    publicKey.challenge = bytes(publicKey.challenge);
    if (publicKey.user) publicKey.user.id = bytes(publicKey.user.id);
    if (publicKey.allowCredentials) publicKey.allowCredentials = named(publicKey.allowCredentials);
    if (publicKey.excludeCredentials) publicKey.excludeCredentials = named(publicKey.excludeCredentials);
    const create = form.dataset.action === "create";
    return navigator.credentials[create ? "create" : "get"]({ publicKey });
  };

  const written = (credential) => {
    const response = {};
    for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (credential.response[name]) response[name] = text(credential.response[name]);
    }
    if (credential.response.getTransports) response.transports = credential.response.getTransports();
    return JSON.stringify({
      id: credential.id,
      rawId: text(credential.rawId),
      type: credential.type,
      authenticatorAttachment: credential.authenticatorAttachment,
      clientExtensionResults: credential.getClientExtensionResults(),
      response,
    });
  };

  const button = form.querySelector("button[type=submit]");
  // Pages come with the button switched off, so that nobody sends the form before this script is there;
  // and who comes back to a page finds it as it was left.
  window.addEventListener("pageshow", () => {
    button.disabled = false;
    if (button.autofocus) button.focus();
  });

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    say("");
    button.disabled = true;
    try {
      field.value = written(await ask());
    } catch (reason) {
      button.disabled = false;
      say((reason.name === "InvalidStateError" && error.dataset.taken) || error.dataset.failed);
      return;
    }
    for (const copy of form.querySelectorAll("input[data-from]")) {
      const box = document.querySelector(`input[type=checkbox][name="${copy.dataset.from}"]`);
      copy.value = box && box.checked ? "on" : "";
    }
    form.submit();
  });
})();
