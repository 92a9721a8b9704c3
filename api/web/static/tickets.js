// One's tickets: shown through /v1; whatever moves one is agreed to with a passkey (docs/consent.md), or by the wallet
// of one's own that it lies in (docs/own-wallets.md).
import { Refused, all, ask, at, button, bytes, field, make, onceOnly, say, signedIn, text, trouble } from "./asking.js";
import { here, named, short, showWallets, signed } from "./wallet.js";

const main = at("mine"), digits = JSON.parse(main.dataset.digits), rpId = main.dataset.rpId;
const FOLLOW_MS = 1200, SOON_MS = 500, ANY_GIFTS = 7;
const events = {}; // by id
let wallets = []; // linked ones
let busy = false;

const minor = (currency) => 10 ** (digits[currency] ?? 2);
const money = (amount, currency) => `${(amount / minor(currency)).toLocaleString("en", { minimumFractionDigits: digits[currency] ?? 2, maximumFractionDigits: digits[currency] ?? 2 })} ${currency}`;
const moment = (text, zone) => new Intl.DateTimeFormat("en-GB", { dateStyle: "full", timeStyle: "short", timeZone: zone }).format(new Date(text));
const place = (seat) => (seat ? [seat.section, seat.row && `row ${seat.row}`, seat.seat && `seat ${seat.seat}`].filter(Boolean).join(", ") : "");

// ---- passkeys

async function prompted(work) {
  if (!window.PublicKeyCredential) throw new Refused({ detail: "This browser has no passkeys; use a newer one." }, 1);
  try {
    return await work();
  } catch (error) {
    if (error.name === "NotAllowedError") throw new Refused({ detail: "Nothing was done: your device did not agree." }, 1);
    if (error.name === "InvalidStateError") throw new Refused({ detail: "This device has a passkey of yours already." }, 1);
    throw new Refused({ detail: `Your device could not do that: ${error.message}` }, 1);
  }
}

async function addPasskey() {
  const asked = await ask("POST", "/v1/passkeys/options").catch((error) => {
    if (!error.problem?.proof) throw error;
    throw new Refused({ detail: "Add it on the page My account: there you show again who you are, which a new passkey wants." }, 1);
  });
  const made = await prompted(() => navigator.credentials.create({ publicKey: {
    challenge: bytes(asked.challenge), rp: asked.rp, attestation: asked.attestation,
    user: { id: bytes(asked.user.id), name: asked.user.name, displayName: asked.user.display_name },
    pubKeyCredParams: asked.algorithms.map((alg) => ({ type: "public-key", alg })),
    excludeCredentials: asked.exclude.map((id) => ({ type: "public-key", id: bytes(id) })),
    authenticatorSelection: { userVerification: asked.user_verification, residentKey: "required" },
  } }));
  await ask("POST", "/v1/passkeys", {
    id: text(made.rawId), label: "This device",
    client_data_json: text(made.response.clientDataJSON), attestation_object: text(made.response.attestationObject),
  });
}

async function consent(wanted) {
  if (!wanted.passkey) return { deadline: wanted.deadline, signature: await signed(wanted) };
  if (!wanted.passkey.allow.length) throw new Refused({ detail: "Add a passkey first: nothing moves without it." }, 1);
  const made = await prompted(() => navigator.credentials.get({ publicKey: {
    challenge: bytes(wanted.passkey.challenge), rpId: wanted.passkey.rp_id, userVerification: wanted.passkey.user_verification,
    allowCredentials: wanted.passkey.allow.map((id) => ({ type: "public-key", id: bytes(id) })),
  } }));
  const { clientDataJSON, authenticatorData, signature } = made.response;
  const passkey = { id: text(made.rawId), client_data_json: text(clientDataJSON), authenticator_data: text(authenticatorData), signature: text(signature) };
  return { deadline: wanted.deadline, passkey };
}

/** Asks for something that moves a ticket, agrees to it with the passkey or in the wallet, and asks again. */
async function agreed(path, body = {}) {
  const once = onceOnly();
  try {
    return await ask("POST", path, body, once);
  } catch (error) {
    if (error.code !== "consent_required") throw error;
    return ask("POST", path, { ...body, consent: await consent(error.problem.consent) }, once);
  }
}

// ---- one thing at a time

async function work(step, where = "problem") {
  if (busy) {
    trouble("Something else is under way; wait for it, or answer what your device or your wallet asks.", where);
    return false;
  }
  busy = true;
  document.body.setAttribute("aria-busy", "true");
  trouble("", where);
  try {
    await step();
    trouble("", where);
    return true;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    trouble(error.message, where);
    return false;
  } finally {
    busy = false;
    document.body.removeAttribute("aria-busy");
  }
}

const BY_PASSKEY = "Your device asks for your finger, face or PIN next.";
const asksNext = (ticket) => (ticket.custodied ? BY_PASSKEY : `Your wallet ${short(ticket.holder)} asks you next.`);

let submitted = null;
function open({ title, about, fields, verb, next = BY_PASSKEY, submit }) {
  at("dialog-title").textContent = title;
  at("dialog-about").textContent = about;
  at("dialog-fields").replaceChildren(...fields);
  at("agree").textContent = verb;
  at("dialog-next").textContent = next;
  trouble("", "dialog-problem");
  submitted = submit;
  at("dialog").showModal();
  at("dialog").querySelector("input, select")?.focus();
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

/** Until the ledger has a move, or refuses it. */
async function follow(move, done) {
  say("On its way to the ledger …");
  for (let now = move; ; now = await ask("GET", `/v1/moves/${move.id}`)) {
    if (now.state === "refused") throw new Refused({ detail: `The ledger refused it: ${now.problem}` }, 1);
    if (now.state === "done") break;
    await pause(SOON_MS);
  }
  say(done);
}

// ---- what one can do with a ticket

const given = /fan_[0-9a-f]{32}/.exec(location.hash)?.[0] || "";

function give(ticket, name) {
  const [box, input] = field("To whom: their link, or their id (fan_…)", { value: given, placeholder: "fan_0197a3c2…" });
  open({ title: "Give this ticket away", about: `${name}. It is theirs then, and only they can give it back.`, fields: [box], verb: "Give it", next: asksNext(ticket), submit: async () => {
    const to = /fan_[0-9a-f]{32}/.exec(input.value)?.[0];
    if (!to) throw new Refused({ detail: "That is no link and no id of a fan; ask them to copy theirs from this page." }, 1);
    const move = await agreed(`/v1/tickets/${ticket.id}/gifts`, { to });
    at("dialog").close();
    await follow(move, "Given. It is theirs now.");
  } });
}

function offer(ticket, name, event) {
  const cap = Math.floor((event.price_classes.find((each) => each.code === ticket.seat?.price_class)?.all_in ?? 0) * event.terms.cap_bps / 10000);
  const [box, input] = field(`Price in ${event.currency}, all in`, { inputMode: "decimal", pattern: "[0-9]+([.,][0-9]{1,3})?" });
  const most = cap ? ` At most ${money(cap, event.currency)}.` : "";
  open({ title: "Offer this ticket for sale", about: `${name}. Whoever pays first has it.${most}`, fields: [box], verb: "Offer it", next: asksNext(ticket), submit: async () => {
    const price = Math.round(Number(input.value.replace(",", ".")) * minor(event.currency));
    await agreed(`/v1/tickets/${ticket.id}/listings`, { price, currency: event.currency });
    at("dialog").close();
    say(`Offered for ${money(price, event.currency)}.`);
  } });
}

function takeBack(ticket, name) {
  open({ title: "Take the offer back", about: `${name}. Nobody can buy it from you any more.`, fields: [], verb: "Take it back", next: asksNext(ticket), submit: async () => {
    await agreed(`/v1/listings/${ticket.listing_id}/revocation`);
    at("dialog").close();
    say("The offer is taken back; the ledger confirms it in a moment.");
  } });
}

async function giveBack(ticket, name) {
  const quote = await ask("GET", `/v1/tickets/${ticket.id}/refund-quote`);
  const list = make("ul");
  const words = ({ text: said, amount }) => (said.includes(money(Math.abs(amount), quote.currency)) ? said : `${said}: ${money(amount, quote.currency)}`);
  list.append(...quote.parts.map((part) => make("li", words(part))));
  open({ title: `Return it for ${money(quote.amount, quote.currency)}`, about: `${name}. The money goes back to where it came from.`, fields: [list], verb: "Return it", next: asksNext(ticket), submit: async () => {
    const move = await agreed(`/v1/tickets/${ticket.id}/refunds`);
    at("dialog").close();
    await follow(move, `Returned. ${money(move.amount, quote.currency)} goes back to you.`);
  } });
}

function agreeToReturn(move, ticket, name, currency) {
  open({ title: `Return it for ${money(move.amount, currency)}`, about: `${name}. The box office says: ${move.reason}`, fields: [], verb: "I agree", next: asksNext(ticket), submit: async () => {
    await agreed(`/v1/moves/${move.id}/consent`);
    at("dialog").close();
    await follow(move.state === "asked" ? { ...move, state: "sending" } : move, `Returned. ${money(move.amount, currency)} goes back to you.`);
  } });
}

function withdraw(ticket, name, event) {
  const box = make("label", "Into"), choice = make("select"), limit = event.terms.gift_limit;
  choice.append(...wallets.map((each) => Object.assign(make("option", named(each)), { value: each.address })));
  box.append(choice);
  const counted = limit === ANY_GIFTS ? "" : ` Its event allows ${limit || "no"} gifts of a ticket, and this counts as one unless the ledger knew the wallet as yours before.`;
  open({ title: "Move it to your own wallet", about: `${name}. It stays yours: from then on your wallet agrees, not your passkey.${counted}`, fields: [box], verb: "Move it", submit: async () => {
    const move = await agreed(`/v1/tickets/${ticket.id}/withdrawal`, { to: choice.value });
    at("dialog").close();
    await follow(move, "It is in your own wallet now.");
  } });
}

function deposit(ticket, name) {
  open({ title: "Let us keep it again", about: `${name}. It stays yours: from then on your passkey agrees, not your wallet.`, fields: [], verb: "Move it", next: asksNext(ticket), submit: async () => {
    const move = await agreed(`/v1/tickets/${ticket.id}/deposit`);
    at("dialog").close();
    await follow(move, "We keep it for you again.");
  } });
}

// ---- showing

const STATES = { redeemed: ["Used", ""], void: ["Not valid any more", "bad"], in_stock: ["Returned", ""] };

function stateOf(ticket, moving, currency, listing) {
  if (STATES[ticket.state]) return STATES[ticket.state];
  if (moving) return ["On its way to the ledger", "wait"];
  if (ticket.frozen) return ["Stands still: its payment is disputed", "bad"];
  if (listing) return [listing.state === "withdrawing" ? "The offer is being taken back" : `Offered for ${money(listing.price, currency)}`, "wait"];
  return ["Yours", ""];
}

function keptBy(ticket) {
  const wallet = wallets.find((each) => each.address === ticket.holder);
  return ticket.custodied ? "We keep it for you" : `In your wallet ${wallet ? named(wallet) : short(ticket.holder)}`;
}

function card(ticket, event, listing, moving) {
  const item = make("li"), name = `${event.title}, ${place(ticket.seat)}`;
  const [words, look] = stateOf(ticket, moving, event.currency, listing);
  item.dataset.ticket = ticket.id;
  item.append(make("h3", event.title), make("div", `${event.venue} · ${moment(event.schedule.doors_at, event.time_zone)}`, "quiet small"),
    make("p", place(ticket.seat), "seat"));
  const about = make("div", "", "about");
  about.append(make("span", words, `state ${look}`));
  if (ticket.state === "held") about.append(make("span", keptBy(ticket), "quiet small"));
  item.append(about);
  const actions = make("div", "", "actions");
  if (ticket.state === "held" && !moving && !ticket.frozen && !ticket.activated && !event.moves_closed) {
    if (listing?.state === "open") actions.append(button("Take the offer back", () => takeBack(ticket, name)));
    else if (!listing) actions.append(button("Give away", () => give(ticket, name)), button("Offer for sale", () => offer(ticket, name, event)),
      button("Return for money", () => work(() => giveBack(ticket, name))));
    if (!listing && !ticket.custodied) actions.append(button("Let us keep it", () => deposit(ticket, name)));
    else if (!listing && wallets.length) actions.append(button("Move to my wallet", () => withdraw(ticket, name, event)));
  }
  if (actions.childElementCount) item.append(actions);
  return item;
}

function askedCard(move, ticket, event) {
  const item = make("li"), name = `${event.title}, ${place(ticket.seat)}`;
  item.append(make("h3", `Return ${name}`), make("p", `You get ${money(move.amount, event.currency)} back. ${move.reason}`),
    make("p", `They wait for you until ${moment(move.expires_at)}.`, "quiet small"),
    button("Look and agree", () => agreeToReturn(move, ticket, name, event.currency), "primary"));
  return item;
}

async function eventOf(id) {
  events[id] ??= ask("GET", `/v1/events/${id}`);
  return events[id];
}

let shown = ""; // drawn anew only when something has changed, so that nobody loses their place
async function show() {
  const found = await Promise.all([
    ask("GET", "/v1/passkeys"), all("/v1/tickets"), all("/v1/moves?state=sending"), all("/v1/moves?state=asked"), ask("GET", "/v1/wallets")]);
  const offers = await Promise.all(found[1].filter((ticket) => ticket.listing_id).map((ticket) => ask("GET", `/v1/listings/${ticket.listing_id}`)));
  const now = JSON.stringify([found, offers, here()]);
  if (now !== shown) await draw(...found, Object.fromEntries(offers.map((offer) => [offer.id, offer])));
  shown = now;
}

async function draw(passkeys, tickets, sending, asked, linked, offers) {
  wallets = linked.items;
  const byId = Object.fromEntries(tickets.map((ticket) => [ticket.id, ticket]));
  const moving = new Set(sending.map((move) => move.ticket));
  const cards = await Promise.all(tickets.map(async (ticket) =>
    card(ticket, await eventOf(ticket.event_id), offers[ticket.listing_id], moving.has(ticket.id))));
  const wanted = asked.filter((move) => byId[move.ticket]);
  at("asked-list").replaceChildren(...await Promise.all(wanted.map(async (move) =>
    askedCard(move, byId[move.ticket], await eventOf(byId[move.ticket].event_id)))));
  at("tickets").replaceChildren(...cards);
  showWallets(wallets, open);
  at("asked").hidden = !wanted.length;
  at("none").hidden = tickets.length > 0;
  at("no-passkey").hidden = passkeys.items.length > 0;
  at("held").hidden = !passkeys.held_until;
  if (passkeys.held_until) at("held").textContent = `Your tickets stay until ${moment(passkeys.held_until)}, for your safety: ${passkeys.causes.join(", ")}. If that was not you, write to us.`;
  at("my-id").textContent = passkeys.fan_id;
  at("me").hidden = false;
  at("account").hidden = !signedIn;
  main.dataset.ready = "yes";
}

/** A fan of the box office comes with a link that has their key. A stranger's link must not make one act as the stranger. */
function takeKey() {
  const key = /key=(tc_fan_[0-9a-f]{32}_[0-9]{6})/.exec(location.hash)?.[1];
  if (!key) return;
  history.replaceState(null, "", location.pathname);
  if (signedIn) { trouble("This link opens another account. Sign out of yours first, if it was made for you."); return; }
  if (sessionStorage.getItem("ticketchain.key") === key) return;
  if (confirm("This link opens an account that a box office made. Open it only if it was made for you.")) sessionStorage.setItem("ticketchain.key", key);
}

async function begin() {
  const fits = location.hostname === rpId;
  at("elsewhere").hidden = fits;
  at("right-place").href = `${location.protocol}//${rpId}${location.port && `:${location.port}`}${location.pathname}${location.hash}`;
  takeKey();
  try {
    await show();
    say("");
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    say("");
    if (error.status === 401) at("stranger").hidden = false; else trouble(error.message);
  }
}

at("form").addEventListener("submit", async (submit) => {
  submit.preventDefault();
  const where = () => (at("dialog").open ? "dialog-problem" : "problem");
  await work(async () => {
    try {
      await submitted();
    } catch (error) {
      if (error instanceof Refused && !at("dialog").open) { trouble(error.message, where()); return; }
      throw error;
    } finally {
      if (!at("dialog").open) await show();
    }
  }, "dialog-problem");
});
at("cancel").addEventListener("click", () => at("dialog").close());
at("add-passkey").addEventListener("click", () => work(async () => {
  await addPasskey();
  await show();
  say("Your passkey is ready.");
}));
at("copy").addEventListener("click", async () => {
  const link = `${location.origin}/tickets#to=${at("my-id").textContent}`;
  await navigator.clipboard.writeText(link).then(() => say("Copied: send it to whoever wants to give you a ticket."), () => say(link));
});
const turn = () => setTimeout(async () => {
  if (!document.hidden && !busy && !at("dialog").open && main.dataset.ready) await show().catch(() => {});
  turn();
}, document.querySelector(".state.wait") ? FOLLOW_MS : FOLLOW_MS * 8);
turn();
begin();
