// What the scripts of a fan's pages share: words and elements, and asking the service through /v1.

/** Whether a session's cookie says who asks; then no key that a link brought counts. */
export const signedIn = "signedIn" in document.querySelector("main").dataset;

export const at = (id) => document.getElementById(id);
export const make = (tag, text = "", className = "") => Object.assign(document.createElement(tag), { textContent: text, className });
export const button = (words, act, className = "") => Object.assign(make("button", words, className), { type: "button", onclick: act });
export const say = (text) => { at("said").textContent = text; };
export function trouble(text, where = "problem") { at(where).textContent = text; at(where).hidden = !text; }

export function field(label, attributes) {
  const box = make("label", label), input = Object.assign(document.createElement("input"), { required: true, autocomplete: "off" }, attributes);
  box.append(input);
  return [box, input];
}

export class Refused extends Error {
  constructor(problem, status) {
    super(problem.detail || "The service does not answer; try again in a moment.");
    Object.assign(this, { code: problem.code || "", status, problem });
  }
}

export async function ask(method, path, body, once) {
  const headers = {}, key = signedIn ? "" : sessionStorage.getItem("ticketchain.key"); // of a fan who bought without signing up
  if (key) headers.Authorization = `Bearer ${key}`;
  if (body) headers["Content-Type"] = "application/json";
  if (once) headers["Idempotency-Key"] = once;
  let answer;
  try {
    answer = await fetch(path, { method, headers, body: body && JSON.stringify(body), cache: "no-store", credentials: "same-origin" });
  } catch {
    throw new Refused({}, 0);
  }
  const found = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refused(found, answer.status);
  return found;
}

export async function all(path) {
  const items = [];
  for (let after = ""; after !== null;) {
    const page = await ask("GET", `${path}${path.includes("?") ? "&" : "?"}limit=200${after && `&after=${after}`}`);
    items.push(...page.items);
    after = page.next;
  }
  return items;
}

export const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));
export const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

/** A new Idempotency-Key. */
export const onceOnly = () => text(crypto.getRandomValues(new Uint8Array(16)));
