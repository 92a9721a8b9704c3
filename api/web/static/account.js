// Signing up and in, and one's own account: what the pages' forms and buttons do, through /v1 with the session's cookie.
"use strict";
(() => {
  const at = (id) => document.getElementById(id);
  const main = document.querySelector("main.account"), rpId = main.dataset.rpId;
  let kept = null; // the secret that goes with a mailed code
  let busy = false;

  const say = (text) => { at("said").textContent = text; };
  function trouble(text, where = "problem") { at(where).textContent = text; at(where).hidden = !text; }
  const shown = (id, yes) => { at(id).hidden = !yes; };

  // ---- asking

  class Refused extends Error {
    constructor(problem, status) {
      super(problem.detail || "The service does not answer; try again in a moment.");
      Object.assign(this, { problem, status });
    }
  }

  async function ask(method, path, body) {
    const headers = body ? { "Content-Type": "application/json" } : {};
    let answer;
    try {
      answer = await fetch(path, { method, headers, body: body && JSON.stringify(body), cache: "no-store", credentials: "same-origin" });
    } catch {
      throw new Refused({}, 0);
    }
    const found = answer.status === 204 ? {} : await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Refused(found, answer.status);
    return found;
  }

  /** Asks; if the service wants a proof of who asks, gets one and asks again. */
  async function surely(method, path, body) {
    try {
      return await ask(method, path, body);
    } catch (error) {
      if (!error.problem?.proof) throw error;
      await prove();
      return ask(method, path, body);
    }
  }

  // ---- passkeys

  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

  async function prompted(work) {
    if (!window.PublicKeyCredential) throw new Refused({ detail: "This browser has no passkeys; use a newer one." }, 1);
    try {
      return await work();
    } catch (error) {
      if (error.name === "NotAllowedError") throw new Refused({ detail: "Your device did not agree, or has no passkey of yours here." }, 1);
      if (error.name === "InvalidStateError") throw new Refused({ detail: "This device has a passkey of yours already." }, 1);
      throw new Refused({ detail: `Your device could not do that: ${error.message}` }, 1);
    }
  }

  async function signed(challenge, allow) {
    const asked = allow ? { challenge, rp_id: rpId } : await ask("POST", "/v1/sessions/challenge");
    const made = await prompted(() => navigator.credentials.get({ publicKey: {
      challenge: bytes(asked.challenge), rpId: asked.rp_id, userVerification: "required",
      allowCredentials: (allow || []).map((id) => ({ type: "public-key", id: bytes(id) })),
    } }));
    const { clientDataJSON, authenticatorData, signature, userHandle } = made.response;
    const proof = { id: text(made.rawId), client_data_json: text(clientDataJSON), authenticator_data: text(authenticatorData), signature: text(signature) };
    return { proof, handle: userHandle ? text(userHandle) : "" };
  }

  /** Shows once more who one is, in a dialog: by password or passkey. */
  function prove() {
    const dialog = at("proof");
    trouble("", "proof-problem");
    return new Promise((done, failed) => {
      const attempt = async (body) => {
        try {
          await ask("POST", "/v1/account/proof", await body());
          dialog.close();
          done();
        } catch (error) {
          if (!(error instanceof Refused)) { dialog.close(); failed(error); return; }
          trouble(error.message, "proof-problem");
        }
      };
      at("proof-form").onsubmit = (submit) => {
        submit.preventDefault();
        const body = { password: at("proof-password").value };
        if (at("proof-code")?.value) body.code = at("proof-code").value;
        attempt(async () => body);
      };
      at("proof-passkey").onclick = () => attempt(async () => ({ passkey: (await signed()).proof }));
      at("proof-cancel").onclick = () => { dialog.close(); failed(new Refused({ detail: "Nothing was changed." }, 1)); };
      dialog.oncancel = at("proof-cancel").onclick;
      dialog.showModal();
    });
  }

  // ---- where to go

  function next() {
    const wanted = new URL(new URLSearchParams(location.search).get("next") || "/account", location.origin);
    return wanted.origin === location.origin ? wanted.href : "/account";
  }
  const arrive = () => location.assign(next());
  const reload = () => location.reload();
  const fragment = (name) => new RegExp(`^#${name}=([\\w-]+)$`).exec(location.hash)?.[1];

  function turn() { // which of the forms of /sign-in
    const form = fragment("recovery") ? "recovery-form" : fragment("undo") ? "undo-form" : location.hash === "#forgotten" ? "forgotten-form" : "";
    for (const id of ["recovery-form", "undo-form", "forgotten-form"]) shown(id, id === form);
    shown("ways", !form);
    trouble("");
    (form ? at(form) : at("ways")).querySelector("input, button")?.focus();
  }

  function wantsCode(error, id) {
    if (!error.problem?.second_factor) return false;
    const first = at(id).hidden;
    shown(id, true);
    at(id).querySelector("input").focus();
    trouble(first ? "" : error.message);
    return true;
  }

  // ---- what forms and buttons do

  const acts = {
    async signUp(form) {
      const body = { mail: form.mail.value };
      if (form.password.value) body.password = form.password.value;
      kept = (await ask("POST", "/v1/accounts", body)).sign_up;
      at("sent-to").textContent = form.mail.value;
      shown("wanted", false);
      shown("confirm", true);
      at("confirm").code.focus();
    },
    async again() {
      shown("wanted", true);
      shown("confirm", false);
      at("wanted").mail.focus();
    },
    async confirm(form) {
      await ask("POST", "/v1/accounts/confirmation", { sign_up: kept, code: form.code.value, cookie: true });
      arrive();
    },
    async signIn(form) {
      const body = { mail: form.mail.value, password: form.password.value, cookie: true };
      if (form.code.value) body.code = form.code.value;
      try {
        await ask("POST", "/v1/sessions", body);
      } catch (error) {
        if (wantsCode(error, "second")) return;
        throw error;
      }
      arrive();
    },
    async passkeyIn() {
      const { proof, handle } = await signed();
      await ask("POST", "/v1/sessions", { passkey: { ...proof, user_handle: handle }, cookie: true });
      arrive();
    },
    async forgotten(form) {
      await ask("POST", "/v1/recoveries", { mail: form.mail.value });
      say("If the address has an account, a link is on its way to it. It works for half an hour.");
    },
    async recover(form) {
      const body = { recovery: fragment("recovery"), cookie: true };
      if (form.password.value) body.password = form.password.value;
      if (form.code.value) body.code = form.code.value;
      try {
        await ask("POST", "/v1/recoveries/completion", body);
      } catch (error) {
        if (wantsCode(error, "second-recovery")) return;
        throw error;
      }
      location.replace("/account");
    },
    async undo() {
      await ask("POST", "/v1/recoveries/undo", { undo: fragment("undo") });
      shown("undo-form", false);
      say("Done. All sessions have ended; a link to choose a new password is on its way to you.");
    },
    async signOut(button) {
      await ask("DELETE", `/v1/sessions/${button.dataset.session}`);
      location.assign("/sign-in");
    },
    async addPasskey(form) {
      const asked = await surely("POST", "/v1/passkeys/options");
      const made = await prompted(() => navigator.credentials.create({ publicKey: {
        challenge: bytes(asked.challenge), rp: asked.rp, attestation: asked.attestation,
        user: { id: bytes(asked.user.id), name: asked.user.name, displayName: asked.user.display_name },
        pubKeyCredParams: asked.algorithms.map((alg) => ({ type: "public-key", alg })),
        excludeCredentials: asked.exclude.map((id) => ({ type: "public-key", id: bytes(id) })),
        authenticatorSelection: { userVerification: asked.user_verification, residentKey: "required" },
      } }));
      await ask("POST", "/v1/passkeys", {
        id: text(made.rawId), label: form.label.value.trim() || "A device",
        client_data_json: text(made.response.clientDataJSON), attestation_object: text(made.response.attestationObject),
      });
      reload();
    },
    async dropPasskey(button) {
      const path = `/v1/passkeys/${button.dataset.passkey}/removal`;
      try {
        await ask("POST", path, {});
      } catch (error) {
        const wanted = error.problem?.consent?.passkey;
        if (!wanted) throw error;
        if (!wanted.allow.length) throw new Refused({ detail: "Another passkey of yours must be good before; wait until it is." }, 1);
        await ask("POST", path, { passkey: (await signed(wanted.challenge, wanted.allow)).proof });
      }
      reload();
    },
    async endSession(button) {
      await ask("DELETE", `/v1/sessions/${button.dataset.session}`);
      reload();
    },
    async endOthers() {
      await ask("DELETE", "/v1/sessions?others=true");
      reload();
    },
    async join(button) {
      await ask("PUT", `/v1/memberships/${button.dataset.member}`);
      reload();
    },
    async leave(button) {
      await ask("DELETE", `/v1/memberships/${button.dataset.member}`);
      reload();
    },
    async changePassword(form) {
      await surely("PUT", "/v1/account/password", { password: form.password.value });
      reload();
    },
    async dropPassword() {
      await surely("PUT", "/v1/account/password", { password: null });
      reload();
    },
    async beginSecond() {
      const made = await surely("POST", "/v1/account/second-factor");
      at("second-secret").textContent = made.secret;
      const picture = at("second-qr"), path = document.createElementNS("http://www.w3.org/2000/svg", "path");
      picture.setAttribute("viewBox", `0 0 ${made.qr.size} ${made.qr.size}`);
      path.setAttribute("d", made.qr.path);
      picture.replaceChildren(path);
      shown("second-form", true);
      at("second-form").code.focus();
    },
    async confirmSecond(form) {
      await surely("POST", "/v1/account/second-factor/confirmation", { code: form.code.value });
      reload();
    },
    async dropSecond() {
      await surely("DELETE", "/v1/account/second-factor");
      reload();
    },
    async changeMail(form) {
      kept = (await surely("POST", "/v1/account/mail", { mail: form.mail.value })).change;
      shown("mail-form", true);
      at("mail-form").code.focus();
      say(`A code is on its way to ${form.mail.value}.`);
    },
    async confirmMail(form) {
      await ask("POST", "/v1/account/mail/confirmation", { change: kept, code: form.code.value });
      reload();
    },
    async exportData() {
      const found = await surely("GET", "/v1/me/data");
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([JSON.stringify(found, null, 2)], { type: "application/json" }));
      link.download = "my-data.json";
      link.click();
      URL.revokeObjectURL(link.href);
      say("Your data is in your downloads.");
    },
    async erase() {
      const dialog = at("sure");
      dialog.returnValue = "no";
      dialog.showModal();
      await new Promise((done) => { dialog.onclose = done; });
      if (dialog.returnValue !== "yes") return;
      await surely("POST", "/v1/me/erasure");
      location.assign("/sign-up");
    },
  };

  /** Whether the session has ended; a mistyped code or password is answered 401, too. */
  const isOver = () => ask("GET", "/v1/account").then(() => false, (why) => why.status === 401);

  async function act(name, element) {
    if (busy) return;
    busy = true;
    document.body.setAttribute("aria-busy", "true");
    trouble("");
    say("");
    try {
      await acts[name](element.elements ? element.elements : element);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (error.status === 401 && main.dataset.page === "account" && await isOver()) { location.assign("/sign-in?next=/account"); return; }
      trouble(error.message);
      at("problem").scrollIntoView({ block: "nearest" });
    } finally {
      busy = false;
      document.body.removeAttribute("aria-busy");
    }
  }

  for (const element of document.querySelectorAll("[data-act]")) {
    if (element.tagName === "FORM") {
      element.addEventListener("submit", (submit) => { submit.preventDefault(); act(element.dataset.act, element); });
    } else {
      element.addEventListener("click", () => act(element.dataset.act, element));
    }
  }
  if (at("elsewhere") && location.hostname !== rpId) {
    shown("elsewhere", true);
    at("right-place").href = `${location.protocol}//${rpId}${location.port && `:${location.port}`}${location.pathname}${location.search}${location.hash}`;
  }
  if (main.dataset.page === "sign-in") {
    window.addEventListener("hashchange", turn);
    turn();
  }
  document.documentElement.dataset.ready = "yes";
})();
