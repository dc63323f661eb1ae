import { createLoyalty, type Token } from "@loyalty/client";
import { cartId } from "./cart.ts";
import { shop } from "./shop.ts";

/** Nothing where nobody is signed in at the shop. */
const getToken = (): Promise<Token | null> => shop("ticket");

/** The client for the whole page. It asks for a ticket whenever there is no session, or none any more. */
export const loyalty = createLoyalty({ baseUrl: "/loyalty", getToken, cart: cartId, locale: "en" });

/** Signs in at the shop, and with that at the loyalty service. */
export async function signIn(persona: string): Promise<void> {
  await shop("sign-in", { persona });
  if (cartId()) await shop("buyer", { cartId: cartId() });
  const token = await getToken();
  if (token) await loyalty.signIn(token);
}

export async function signOut(): Promise<void> {
  await shop("sign-out");
  await loyalty.signOut();
}
