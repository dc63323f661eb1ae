// Who is signed in at the shop. Their token stays here; a cookie that no script can read says which session is theirs.
import { randomBytes } from "node:crypto";
import { LOYALTY_FROM_HERE, SANDBOX_URL, STOREFRONT_TOKEN, STOREFRONT_URL, TICKETS_TOKEN } from "./settings.mjs";

const COOKIE = "shop_session";
const sessions = new Map();

const idOf = (request) => new RegExp(`(?:^|; )${COOKIE}=(\\w+)`).exec(request.headers.cookie ?? "")?.[1];
const cookie = (id, more) => `${COOKIE}=${id}; Path=/; HttpOnly; SameSite=Lax${more}`;

async function post(url, body, headers = {}) {
  return fetch(url, {
    method: "POST", headers: { "Content-Type": "application/json", ...headers }, body: JSON.stringify(body),
  });
}

export const personaOf = (request) => sessions.get(idOf(request));

/** Begins a session; the answer is its cookie. A real shop does this when Shopify has sent the customer back. */
export function signIn(persona) {
  const id = randomBytes(16).toString("hex");
  sessions.set(id, persona);
  return cookie(id, "");
}

export function signOut(request) {
  sessions.delete(idOf(request));
  return cookie("", "; Max-Age=0");
}

/** The customer's token. Shopify's lasts an hour, and a real shop refreshes it here; the sandbox gives a new one. */
async function tokenOf(persona) {
  const reply = await post(`${SANDBOX_URL}/_control/token`, { persona });
  if (!reply.ok) throw new Error(`The shop cannot sign in: ${reply.status}`);
  return (await reply.json()).token;
}

/** A ticket for this page, which works once, within a minute, and at this origin only. */
export async function ticketFor(persona, origin) {
  const reply = await post(
    `${LOYALTY_FROM_HERE}/api/v1/session-tickets`,
    { customerAccessToken: await tokenOf(persona), origin },
    { Authorization: `Bearer ${TICKETS_TOKEN}` },
  );
  if (!reply.ok) throw new Error(`No ticket: ${reply.status}`);
  return (await reply.json()).ticket;
}

const IDENTIFY = `mutation ($cartId: ID!, $buyer: CartBuyerIdentityInput!) {
  cartBuyerIdentityUpdate(cartId: $cartId, buyerIdentity: $buyer) { userErrors { message } }
}`;

/** Says whose cart it is, so that coupons which are for one customer count in it. */
export async function nameBuyer(persona, cartId) {
  const buyer = { customerAccessToken: persona ? await tokenOf(persona) : null };
  const headers = { "X-Shopify-Storefront-Access-Token": STOREFRONT_TOKEN };
  await post(STOREFRONT_URL, { query: IDENTIFY, variables: { cartId, buyer } }, headers);
}
