// The shop's own sign-in: who is here, and their Shopify token. It stands in for yours.
import "server-only";
import { randomUUID } from "node:crypto";
import { cookies } from "next/headers";
import { settings } from "./settings";

export interface Customer {
  persona: string;
  /** Of their session at the loyalty service: a secret of this server's. */
  handle: string | null;
  /** The key of each redemption that has no answer yet, by the reward's id. */
  intents: Map<string, string>;
}

const COOKIE = "shop_session";
// In this process, for all of Next's bundles. Yours are in Redis or a database.
const known = globalThis as { customers?: Map<string, Customer> };
const customers = (known.customers ??= new Map());

export async function currentCustomer(): Promise<Customer | undefined> {
  return customers.get((await cookies()).get(COOKIE)?.value ?? "");
}

export async function beginSession(persona: string): Promise<Customer> {
  const id = randomUUID();
  const customer = { persona, handle: null, intents: new Map<string, string>() };
  customers.set(id, customer);
  // With https add `secure: true`.
  (await cookies()).set(COOKIE, id, { httpOnly: true, sameSite: "lax" });
  return customer;
}

export async function endSession(): Promise<void> {
  const jar = await cookies();
  customers.delete(jar.get(COOKIE)?.value ?? "");
  jar.delete(COOKIE);
}

/** Yours is the token that your sign-in got from Shopify, kept fresh by its refresh token. */
export async function customerToken({ persona }: Customer): Promise<string> {
  const reply = await fetch(`${settings.sandboxUrl}/_control/token`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ persona }),
  });
  if (!reply.ok) throw new Error(`There is no customer token: ${reply.status}`);
  return ((await reply.json()) as { token: string }).token;
}

/** The same key while it is not known what came of it: a page that is loaded anew goes on with the same intent. */
export function keyOf({ intents }: Customer, rewardId: string): string {
  const key = intents.get(rewardId) ?? randomUUID();
  intents.set(rewardId, key);
  return key;
}
