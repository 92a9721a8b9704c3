// The seat map: follows the stock, lets a fan choose seats, hold, order and pay. All of it through /v1; the account's key
// stays in this tab (sessionStorage). Without this file the map can still be looked at.
"use strict";
(() => {
  const FOLLOW_MS = 4000, ORDER_MS = 1500;
  const WORDS = { f: "free", h: "held by somebody", x: "sold", n: "not on sale", m: "yours" };
  const ORDER_WORDS = {
    created: "The payment page is being prepared …",
    awaiting_payment: "The seats are kept for you until {time}. They are yours when the order is paid.",
    expired: "It was not paid in time, so the seats are free again.",
    paid: "Paid. The tickets are being written to the ledger.",
    delivering: "Paid. The tickets are being written to the ledger.",
    delivered: "Paid. The tickets are yours.",
    partly_refunded: "A part of it was given back.",
    refunded: "Its money was given back.",
    disputed: "Its payment is disputed with the bank.",
  };
  const DONE = ["expired", "delivered", "partly_refunded", "refunded"];

  const at = (id) => document.getElementById(id);
  const map = at("map"), frame = at("frame"), svg = frame.querySelector("svg");
  const { event, currency, closed } = map.dataset; // closed: why no seat can be chosen, if so
  const signedIn = "signedIn" in map.dataset;
  const digits = Number(map.dataset.digits), most = Number(map.dataset.most);
  const prices = [...document.querySelectorAll("tr[data-code]")].map((row) => Number(row.dataset.price));
  const kept = `ticketchain.at.${event}`;

  // ---- seats

  const seats = [...svg.querySelectorAll("use[data-ticket]")].map((use, index) => ({
    use, index,
    ticket: use.dataset.ticket,
    look: use.dataset.free,
    state: use.getAttribute("href")[1],
    x: use.x.baseVal.value, y: use.y.baseVal.value,
    about: use.firstElementChild.textContent.replace(/ · [^·]*$/, ""),
    get name() { return this.about.split(" · ")[0]; },
    get price() { return prices[parseInt(this.look, 10)]; },
  }));
  const byTicket = new Map(seats.map((seat) => [seat.ticket, seat]));
  const chosen = new Set(); // not held yet
  let own = new Set(); // held or ordered by us
  let stage = "choosing";
  let focused = null;

  const letter = (seat) => (chosen.has(seat) || own.has(seat) ? "m" : seat.state);
  const can = (seat) => !closed && stage === "choosing" && (chosen.has(seat) || seat.state === "f");

  function show(seat) {
    const now = letter(seat);
    seat.use.setAttribute("href", now === "f" ? `#f${seat.look}` : `#${now}${seat.look.slice(-1)}`);
    seat.use.firstElementChild.textContent = `${seat.about} · ${WORDS[now]}`;
    seat.use.setAttribute("aria-checked", String(now === "m"));
    seat.use.setAttribute("aria-disabled", String(!can(seat)));
  }

  function apply(states) {
    const lost = [];
    seats.forEach((seat, index) => {
      if (seat.state === states[index]) return;
      seat.state = states[index];
      if (chosen.has(seat) && seat.state !== "f") { chosen.delete(seat); lost.push(seat); }
      show(seat);
    });
    at("free").textContent = `${[...states].filter((state) => state === "f").length} free`;
    if (lost.length) {
      showChosen();
      const left = chosen.size ? " Your other seats are still free." : "";
      trouble(`${lost.map((seat) => seat.name).join("; ")}: just taken by somebody else.${left}`);
    }
    return lost;
  }

  async function follow() {
    const stock = await ask("GET", `/v1/events/${event}/live-stock`);
    if (stock.seats !== seats.length) {
      if (stage === "choosing" && !chosen.size) location.reload();
      else say("More seats have come; load the page again to see them.");
      return [];
    }
    return apply(stock.states);
  }

  function toggle(seat) {
    if (!can(seat)) {
      if (stage === "choosing") say(closed || `${seat.name} is ${WORDS[letter(seat)]}.`);
      return;
    }
    trouble("");
    if (chosen.has(seat)) chosen.delete(seat);
    else if (chosen.size < most) chosen.add(seat);
    else { trouble(`One order has at most ${most} seats.`); return; }
    show(seat);
    showChosen();
    say(`${seat.name} ${chosen.has(seat) ? "chosen" : "taken off"}; ${count(chosen.size)}.`);
  }

  function showChosen() {
    const all = [...chosen];
    at("chosen").replaceChildren(...all.map((seat) => line(seat.name, seat.price, () => toggle(seat))));
    at("none").hidden = all.length > 0;
    at("deal").classList.toggle("some", all.length > 0);
    at("total").hidden = !all.length;
    at("total").textContent = `${count(all.length)}: ${money(all.reduce((sum, seat) => sum + seat.price, 0))}`;
    at("hold").disabled = !all.length;
  }

  // ---- words

  const money = (minor) => {
    const text = (minor / 10 ** digits).toFixed(digits).replace(/\B(?=(\d{3})+(?!\d))(?<!\.\d*)/g, ",");
    return `${text} ${currency}`;
  };
  const count = (number) => `${number} ${number === 1 ? "seat" : "seats"}`;
  const clock = (moment) => new Date(moment).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  const say = (text) => { at("said").textContent = text; };

  function trouble(text) {
    at("problem").textContent = text;
    at("problem").hidden = !text;
    if (text) at("problem").scrollIntoView({ block: "nearest" });
  }

  function line(name, price, remove) {
    const item = document.createElement("li"), label = document.createElement("span");
    label.textContent = price === undefined ? name : `${name} · ${money(price)}`;
    item.append(label);
    if (remove) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = "Remove";
      button.setAttribute("aria-label", `Remove ${name}`);
      button.addEventListener("click", remove);
      item.append(button);
    }
    return item;
  }

  function enter(next, seatsOfOurs) {
    stage = next;
    for (const name of ["choosing", "holding", "ordering"]) at(name).hidden = name !== stage;
    const before = [...chosen, ...own];
    chosen.clear();
    own = new Set(seatsOfOurs);
    (stage === "choosing" && before.length ? seats : [...before, ...own]).forEach(show);
    seats.forEach((seat) => seat.use.setAttribute("aria-disabled", String(!can(seat))));
    showChosen();
  }

  // ---- the service

  class Refused extends Error {
    constructor(problem, status) {
      super(problem.detail || "The service does not answer; try again in a moment.");
      this.code = problem.code || "";
      this.status = status;
    }
  }

  let behind = 0; // by how much the service's clock is behind ours
  async function ask(method, path, body, once) {
    const headers = {}, key = signedIn ? "" : sessionStorage.getItem("ticketchain.key"); // a session comes as a cookie
    if (key && path.indexOf("live-stock") < 0) headers.Authorization = `Bearer ${key}`;
    if (body) headers["Content-Type"] = "application/json";
    if (once) headers["Idempotency-Key"] = once;
    let answer;
    try {
      answer = await fetch(path, { method, headers, body: body && JSON.stringify(body), cache: "no-store" });
    } catch {
      throw new Refused({}, 0);
    }
    const ahead = Date.now() - Date.parse(answer.headers.get("Date"));
    behind = Math.abs(ahead) > 5000 ? ahead : 0; // that header knows whole seconds only
    if (answer.status === 204) return null;
    const found = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Refused(found, answer.status);
    return found;
  }

  const wishes = {}; // the same wish again, after a line that broke, has the same Idempotency-Key
  function once(what, body) {
    const wish = JSON.stringify(body);
    if (!wishes[what] || wishes[what].wish !== wish) {
      const bytes = crypto.getRandomValues(new Uint8Array(16));
      wishes[what] = { wish, key: [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("") };
    }
    return wishes[what].key;
  }

  async function signUp() {
    if (signedIn || sessionStorage.getItem("ticketchain.key")) return;
    sessionStorage.setItem("ticketchain.key", (await ask("POST", "/v1/fans")).api_key);
  }

  const remember = (value) => (value ? sessionStorage.setItem(kept, JSON.stringify(value)) : sessionStorage.removeItem(kept));

  async function create(what, path, body) {
    try {
      const made = await ask("POST", path, body, once(what, body));
      delete wishes[what];
      return made;
    } catch (error) {
      if (error.status) delete wishes[what]; // it was answered: asking again is a new wish
      throw error;
    }
  }

  /** Does one thing at a time, and says what went wrong. */
  let busy = false;
  async function work(step) {
    if (busy) return;
    busy = true;
    document.body.setAttribute("aria-busy", "true");
    trouble("");
    try {
      await step();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (error.status === 401) sessionStorage.removeItem("ticketchain.key");
      const unknown = signedIn ? "You were signed out; sign in and try again." : "Your account is not known any more; try again with a new one.";
      trouble(error.status === 401 ? unknown : error.message);
    } finally {
      busy = false;
      document.body.removeAttribute("aria-busy");
    }
  }

  // ---- hold, order, pay

  const hold = (body) => work(async () => {
    await signUp();
    try {
      showHold(await create("hold", `/v1/events/${event}/holds`, body));
      at("held").focus();
    } catch (error) {
      const lost = error.code === "seat_taken" || error.code === "sold_out" ? await follow() : [];
      if (!lost.length) throw error;
    }
  });

  function showHold(held) {
    const mine = held.seats.map((seat) => byTicket.get(seat.ticket)).filter(Boolean);
    remember({ hold: held.id });
    enter("holding", mine);
    at("held-seats").replaceChildren(...held.seats.map((seat) =>
      line(`${seat.section}, row ${seat.row}, seat ${seat.seat}`, byTicket.get(seat.ticket)?.price)));
    const total = mine.reduce((sum, seat) => sum + seat.price, 0);
    at("held-total").textContent = `${count(held.seats.length)}: ${money(total)}`;
    at("order").onclick = () => work(async () => {
      const voucher = at("voucher").value.trim();
      showOrder(await create("order", "/v1/orders", { hold_id: held.id, ...(voucher && { voucher }) }));
      at("ordered").focus();
    });
    at("release").onclick = () => work(async () => {
      await ask("DELETE", `/v1/holds/${held.id}`);
      leave("The seats are free again.");
    });
    say(`${count(held.seats.length)} held for you.`);
    countDown(Date.parse(held.expires_at));
    follow().catch(() => {});
  }

  function countDown(end) {
    const left = Math.ceil((end + behind - Date.now()) / 1000);
    if (stage !== "holding") return;
    if (left <= 0) { leave("The time to order is over; the seats are free again."); return; }
    at("left").textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")} minutes`;
    setTimeout(() => countDown(end), 500);
  }

  function leave(text) {
    remember(null);
    enter("choosing", []);
    say(text);
    follow().catch(() => {});
  }

  function showOrder(order) {
    const mine = order.lines.map((each) => byTicket.get(each.ticket)).filter(Boolean);
    remember({ order: order.id });
    if (stage !== "ordering") { enter("ordering", order.state === "expired" ? [] : mine); say(""); }
    at("ordered-seats").replaceChildren(...order.lines.map((each) => line(byTicket.get(each.ticket)?.name ?? each.ticket, each.price)));
    at("ordered-total").textContent = `${count(order.lines.length)}: ${money(order.total)}`;
    const text = (ORDER_WORDS[order.state] || order.state).replace("{time}", clock(order.expires_at));
    if (at("order-state").textContent !== text) at("order-state").textContent = text;
    const url = order.payment?.url, open = ["created", "awaiting_payment"].includes(order.state);
    at("pay").hidden = !(open && url && /^https?:$/.test(new URL(url, location).protocol));
    if (url) at("pay").href = url;
    at("pay").textContent = `Go to payment: ${money(order.total)}`;
    at("again").hidden = open;
    if (!signedIn) at("key").textContent = sessionStorage.getItem("ticketchain.key");
    map.dataset.order = order.state;
    if (!DONE.includes(order.state)) setTimeout(() => lookAgain(order.id), order.state === "created" ? ORDER_MS / 3 : ORDER_MS);
  }

  const lookAgain = (id) => ask("GET", `/v1/orders/${id}`).then(showOrder, () => setTimeout(() => lookAgain(id), FOLLOW_MS));

  async function comeBack() {
    const before = JSON.parse(sessionStorage.getItem(kept) || "null");
    if (!before) return;
    try {
      if (before.order) return showOrder(await ask("GET", `/v1/orders/${before.order}`));
      const held = await ask("GET", `/v1/holds/${before.hold}`);
      if (held.state === "open") showHold(held); else remember(null);
    } catch (error) {
      if (error.status) remember(null);
    }
  }

  // ---- the map under finger, mouse and keyboard

  const radius = Number(/scale\((\d+)\)/.exec(svg.querySelector("defs g g")?.getAttribute("transform") || "scale(1)")[1]);
  const box = svg.viewBox.baseVal;
  let size = 1;
  const whole = () => {
    const high = Math.max(240, innerHeight * (innerWidth > 960 ? 0.76 : 0.62));
    return Math.min(frame.clientWidth, (high * box.width) / box.height);
  };
  const pixels = () => (2 * radius * svg.clientWidth) / box.width; // of a seat

  function resize(next, x = 0.5, y = 0.5) {
    const fromLeft = x === 0.5 ? (frame.scrollLeft + frame.clientWidth / 2) / svg.clientWidth : x;
    const fromTop = y === 0.5 ? (frame.scrollTop + frame.clientHeight / 2) / svg.clientHeight : y;
    size = Math.min(Math.max(next, 1), Math.max(1, (48 * box.width) / (2 * radius * whole())));
    svg.style.width = `${Math.round(whole() * size)}px`;
    frame.scrollLeft = fromLeft * svg.clientWidth - frame.clientWidth / 2;
    frame.scrollTop = fromTop * svg.clientHeight - frame.clientHeight / 2;
  }

  svg.addEventListener("click", (click) => {
    const needed = click.pointerType === "touch" ? 14 : 7;
    if (pixels() < needed) { // too small to hit: first come nearer
      const shown = svg.getBoundingClientRect();
      resize((size * 24) / pixels(), (click.clientX - shown.left) / shown.width, (click.clientY - shown.top) / shown.height);
      return;
    }
    const use = click.target.closest("use[data-ticket]");
    if (use) { focus(byTicket.get(use.dataset.ticket), false); toggle(byTicket.get(use.dataset.ticket)); }
  });

  function focus(seat, really = true) {
    focused?.use.setAttribute("tabindex", "-1");
    focused = seat;
    seat.use.setAttribute("tabindex", "0");
    if (really) seat.use.focus();
  }

  const WAYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  svg.addEventListener("keydown", (press) => {
    const seat = byTicket.get(press.target.dataset?.ticket);
    if (!seat) return;
    if (press.key === " " || press.key === "Enter") { press.preventDefault(); toggle(seat); return; }
    const way = WAYS[press.key];
    if (!way) return;
    press.preventDefault();
    let best = null, far = Infinity;
    for (const other of seats) {
      const x = other.x - seat.x, y = other.y - seat.y, along = x * way[0] + y * way[1];
      const cost = along + 3 * Math.abs(x * way[1] + y * way[0]);
      if (along > radius / 4 && cost < far && (closed || can(other))) { best = other; far = cost; }
    }
    if (best) focus(best);
  });

  // ---- begin

  for (const seat of seats) {
    seat.use.setAttribute("role", "checkbox");
    seat.use.setAttribute("tabindex", "-1");
    show(seat);
  }
  const first = seats.find(can) || seats[0];
  if (first) focus(first, false);
  at("smaller").addEventListener("click", () => resize(size / 1.6));
  at("larger").addEventListener("click", () => resize(size * 1.6));
  at("whole").addEventListener("click", () => resize(1));
  at("hold").addEventListener("click", () => hold({ tickets: [...chosen].map((seat) => seat.ticket) }));
  at("again").addEventListener("click", () => leave(""));
  at("best").addEventListener("submit", (submit) => {
    submit.preventDefault();
    const form = new FormData(at("best"));
    hold({ price_class: form.get("price_class"), quantity: Number(form.get("quantity")) });
  });
  addEventListener("resize", () => resize(size));
  addEventListener("pageshow", (shown) => { if (shown.persisted) comeBack(); });
  const turn = () => setTimeout(async () => {
    if (!document.hidden) await follow().catch(() => {});
    turn();
  }, FOLLOW_MS);
  resize(1);
  showChosen();
  comeBack();
  turn();
})();
