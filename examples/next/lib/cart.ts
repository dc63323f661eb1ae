// The cart, by Shopify's Storefront API. Its id holds a key that is the shopper's secret: it stays in their cookie.
import "server-only";
import { cookies } from "next/headers";
import { cache } from "react";
import type { Money } from "./words";
import { settings } from "./settings";

export interface Cart {
  id: string;
  totalQuantity: number;
  discountCodes: { code: string; applicable: boolean }[];
  cost: { subtotalAmount: Money; totalAmount: Money };
}

export interface Product {
  id: string;
  title: string;
  variants: { nodes: { id: string; price: Money }[] };
}

const COOKIE = "cart";
const CART = `id totalQuantity discountCodes { code applicable }
  cost { subtotalAmount { amount currencyCode } totalAmount { amount currencyCode } }`;

async function ask<T>(query: string, variables: Record<string, unknown> = {}): Promise<T> {
  const reply = await fetch(settings.storefrontUrl, {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      "X-Shopify-Storefront-Access-Token": settings.storefrontToken,
    },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = (await reply.json()) as { data?: T; errors?: { message: string }[] };
  if (!data || errors) throw new Error(errors?.[0]?.message ?? `The shop answers ${reply.status}.`);
  return data;
}

/** A mutation of the cart, and the cart after it. */
async function change(mutation: string, input: string, variables: Record<string, unknown>): Promise<Cart> {
  const query = `mutation(${input}) { done: ${mutation} { cart { ${CART} } userErrors { message } } }`;
  const { done } = await ask<{ done: { cart: Cart | null; userErrors: { message: string }[] } }>(query, variables);
  if (!done.cart) throw new Error(done.userErrors[0]?.message ?? "The cart cannot be changed.");
  return done.cart;
}

export const cartId = async (): Promise<string | undefined> => (await cookies()).get(COOKIE)?.value;

export const currentCart = cache(async (): Promise<Cart | null> => {
  const id = await cartId();
  if (!id) return null;
  return (await ask<{ cart: Cart | null }>(`query($id: ID!) { cart(id: $id) { ${CART} } }`, { id })).cart;
});

/** What of it may stand in a page. */
export const withoutId = ({ id: _, ...shown }: Cart): Omit<Cart, "id"> => shown;

export async function products(): Promise<Product[]> {
  const query = `query { products(first: 4) { nodes {
    id title variants(first: 1) { nodes { id price { amount currencyCode } } }
  } } }`;
  return (await ask<{ products: { nodes: Product[] } }>(query)).products.nodes;
}

/** `customerAccessToken` makes it the customer's own: some codes count in no other. */
export async function addLine(merchandiseId: string, customerAccessToken?: string): Promise<void> {
  const cart = await currentCart();
  const lines = [{ merchandiseId, quantity: 1 }];
  if (cart) {
    const [add, given] = ["cartLinesAdd(cartId: $cartId, lines: $lines)", "$cartId: ID!, $lines: [CartLineInput!]!"];
    await change(add, given, { cartId: cart.id, lines });
    return;
  }
  const input = { lines, buyerIdentity: customerAccessToken ? { customerAccessToken } : {} };
  const made = await change("cartCreate(input: $input)", "$input: CartInput!", { input });
  (await cookies()).set(COOKIE, made.id, { httpOnly: true, sameSite: "lax" });
}

export async function nameBuyer(customerAccessToken: string): Promise<void> {
  const cart = await currentCart();
  const update = "cartBuyerIdentityUpdate(cartId: $cartId, buyerIdentity: $buyerIdentity)";
  const given = "$cartId: ID!, $buyerIdentity: CartBuyerIdentityInput!";
  if (cart) await change(update, given, { cartId: cart.id, buyerIdentity: { customerAccessToken } });
}

/** Shopify replaces the whole list, so it gets the codes that are there as well. */
export async function addCode(code: string): Promise<void> {
  const cart = await currentCart();
  if (!cart) return;
  const update = "cartDiscountCodesUpdate(cartId: $cartId, discountCodes: $codes)";
  const codes = [...cart.discountCodes.map((known) => known.code), code];
  await change(update, "$cartId: ID!, $codes: [String!]!", { cartId: cart.id, codes });
}
