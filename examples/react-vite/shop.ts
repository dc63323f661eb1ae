// The shop's own server, as little of it as loyalty needs: it knows who is signed in, and holds their Shopify token.
import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { json } from "node:stream/consumers";
import { createTicket } from "@loyalty/client/server";
import type { Plugin } from "vite";
import { settings } from "./settings.ts";

const COOKIE = "shop_session";
const JSON_BODY = { "Content-Type": "application/json" };
const NAME_BUYER = `mutation($cartId: ID!, $buyerIdentity: CartBuyerIdentityInput!) {
  cartBuyerIdentityUpdate(cartId: $cartId, buyerIdentity: $buyerIdentity) { userErrors { message } }
}`;

// Who is signed in, by the id in their cookie. Yours are where your sessions are.
const customers = new Map<string, string>();

async function post<T>(url: string, body: unknown, headers: Record<string, string> = {}): Promise<T> {
  const reply = await fetch(url, { method: "POST", headers: { ...JSON_BODY, ...headers }, body: JSON.stringify(body) });
  if (!reply.ok) throw new Error(`${new URL(url).pathname} answers ${reply.status}`);
  return (await reply.json()) as T;
}

/** The customer's Shopify token. Yours is the one that your sign-in got, kept fresh by its refresh token. */
const tokenOf = async (persona: string): Promise<string> =>
  (await post<{ token: string }>(`${settings.sandboxUrl}/_control/token`, { persona })).token;

async function ticketFor(persona: string): Promise<{ ticket: string }> {
  const customerAccessToken = await tokenOf(persona);
  const { loyaltyUrl: baseUrl, ticketsToken: token, origin } = settings;
  return { ticket: await createTicket({ baseUrl, token, customerAccessToken, origin }) };
}

/** Some codes count only in a cart that belongs to their customer. */
async function nameBuyer(cartId: string, persona: string): Promise<void> {
  const variables = { cartId, buyerIdentity: { customerAccessToken: await tokenOf(persona) } };
  const headers = { "X-Shopify-Storefront-Access-Token": settings.storefrontToken };
  await post(settings.storefrontUrl, { query: NAME_BUYER, variables }, headers);
}

interface Asked {
  /** Of the session, where there is one. */
  id: string | undefined;
  persona: string | undefined;
  body: Record<string, string>;
  setCookie(value: string): void;
}

const ACTS: Record<string, (asked: Asked) => unknown> = {
  "/sign-in"({ body, setCookie }) {
    const id = randomUUID();
    customers.set(id, body.persona ?? "");
    setCookie(id);
  },
  "/sign-out"({ id, setCookie }) {
    customers.delete(id ?? "");
    setCookie("; Max-Age=0");
  },
  "/ticket": ({ persona }) => persona && ticketFor(persona),
  "/buyer": ({ persona, body }) => persona && body.cartId && nameBuyer(body.cartId, persona),
};

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const act = request.method === "POST" ? ACTS[request.url ?? ""] : undefined;
  // Another site's page has no business here.
  if (!act || request.headers.origin !== settings.origin) {
    response.writeHead(act ? 403 : 404).end();
    return;
  }
  const id = new RegExp(`(?:^|; )${COOKIE}=([^;]+)`).exec(request.headers.cookie ?? "")?.[1];
  // With https add `Secure`.
  const setCookie = (value: string) =>
    response.setHeader("Set-Cookie", `${COOKIE}=${value}; Path=/; HttpOnly; SameSite=Lax`);
  try {
    const body = (await json(request)) as Record<string, string>;
    const said = await act({ id, persona: customers.get(id ?? ""), body, setCookie });
    response.writeHead(200, { ...JSON_BODY, "Cache-Control": "no-store" }).end(JSON.stringify(said || null));
  } catch (error) {
    console.error(error);
    response.writeHead(502).end();
  }
}

/** Answers below /shop, beside Vite's own files. */
export function shop(): Plugin {
  return {
    name: "shop",
    configureServer: ({ middlewares }) => void middlewares.use("/shop", answer),
    configurePreviewServer: ({ middlewares }) => void middlewares.use("/shop", answer),
  };
}
