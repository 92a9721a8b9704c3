// Wallets of one's own (docs/own-wallets.md): the one in this browser (EIP-1193), and those that are linked.
import { Refused, ask, at, button, field, make, onceOnly, say } from "./asking.js";

const REJECTED = 4001, UNKNOWN_NETWORK = 4902, BUSY = -32002; // EIP-1193, EIP-3085, EIP-1474
const stop = (detail) => new Refused({ detail }, 1);
const same = (one, other) => one.toLowerCase() === other.toLowerCase();

/** Whether this browser has a wallet; some come a moment after the page. */
export const here = () => typeof window.ethereum?.request === "function";

// ---- the wallet of this browser

async function request(method, params = []) {
  if (!here()) throw stop("This browser has no wallet; open this page where yours is.");
  try {
    return await window.ethereum.request({ method, params });
  } catch (error) {
    if (error?.code === REJECTED) throw stop("Nothing was done: you said no in your wallet.");
    if (error?.code === BUSY) throw stop("Your wallet has an open question already; answer it there, then try again.");
    if (error?.code === UNKNOWN_NETWORK) throw stop(`Your wallet does not know network ${Number(params[0].chainId)}; add it there, then try again.`);
    throw stop(`Your wallet could not do that: ${error?.message || "it did not say why"}`);
  }
}

async function accounts() {
  const found = await request("eth_requestAccounts");
  if (!found?.length) throw stop("Your wallet shows no account; unlock it, then try again.");
  return found;
}

/** The holder's signature over a consent (EIP-712): wallets sign only for the network that they are on. */
export async function signed({ holder, typed_data: typed }) {
  const found = await accounts();
  if (!found.some((each) => same(each, holder))) {
    throw stop(`This ticket lies in your wallet ${holder}, but your browser's wallet shows ${found[0]}. Choose ${short(holder)} there, connect it to this page, then try again.`);
  }
  const network = typed.domain.chainId;
  if (Number(await request("eth_chainId")) !== network) {
    await request("wallet_switchEthereumChain", [{ chainId: `0x${network.toString(16)}` }]);
  }
  return request("eth_signTypedData_v4", [holder, JSON.stringify(typed)]);
}

const hex = (words) => `0x${Array.from(new TextEncoder().encode(words), (byte) => byte.toString(16).padStart(2, "0")).join("")}`;

// ---- linked wallets

export const short = (address) => `${address.slice(0, 6)}…${address.slice(-4)}`;
export const named = (wallet) => `${wallet.label} (${short(wallet.address)})`;

async function link(label, linked) {
  const [address] = await accounts();
  if (linked.some((each) => same(each.address, address))) {
    throw stop(`Your wallet shows ${short(address)}, which is linked already; choose another account there, connect it to this page, then try again.`);
  }
  const { nonce, message } = await ask("POST", "/v1/wallets/questions", { address });
  const signature = await request("personal_sign", [hex(message), address]);
  return ask("POST", "/v1/wallets", { nonce, signature, label }, onceOnly());
}

function linkDialog(open, linked) {
  const [box, input] = field("What you call it", { value: "My wallet", maxLength: 60 });
  const about = "Your wallet asks you to sign a text that says whose it is. That moves nothing and costs nothing.";
  open({ title: "Link a wallet", about, fields: [box], verb: "Link it", next: "Your wallet asks you next.", submit: async () => {
    const wallet = await link(input.value.trim(), linked);
    at("dialog").close();
    say(`Linked: ${named(wallet)}.`);
  } });
}

function unlinkDialog(open, wallet) {
  const about = `${named(wallet)}. What lies in it stays in it, and is not shown here any more until you link it again.`;
  open({ title: "Unlink this wallet", about, fields: [], verb: "Unlink it", next: "", submit: async () => {
    await ask("DELETE", `/v1/wallets/${wallet.address}`);
    at("dialog").close();
    say(`Unlinked: ${named(wallet)}.`);
  } });
}

/** The part of the page on linked wallets; nothing of it is seen by who has none. `open` shows a dialog. */
export function showWallets(linked, open) {
  at("wallets").hidden = !linked.length && !here();
  at("wallet-absent").hidden = here();
  at("link-wallet").hidden = !here();
  at("link-wallet").onclick = () => linkDialog(open, linked);
  at("wallet-list").replaceChildren(...linked.map((wallet) => {
    const item = make("li"), unlink = button("Unlink", () => unlinkDialog(open, wallet)), words = make("span", wallet.label);
    unlink.setAttribute("aria-label", `Unlink ${named(wallet)}`);
    words.append(make("code", wallet.address));
    item.append(words, unlink);
    return item;
  }));
}
