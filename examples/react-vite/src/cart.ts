// The cart, by Shopify's Storefront API. Its id holds a key that is the shopper's secret: it is in no address.
import { shop } from "./shop.ts";

export interface Money {
  amount: string;
  currencyCode: string;
}

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

const STORED = "cart";
const CART = `id totalQuantity discountCodes { code applicable }
  cost { subtotalAmount { amount currencyCode } totalAmount { amount currencyCode } }`;

export const cartId = (): string | null => localStorage.getItem(STORED);

export const money = ({ amount, currencyCode }: Money): string =>
  new Intl.NumberFormat("en", { style: "currency", currency: currencyCode }).format(Number(amount));

async function ask<T>(query: string, variables: Record<string, unknown> = {}): Promise<T> {
  const reply = await fetch(import.meta.env.SHOPIFY_STOREFRONT_URL, {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      "X-Shopify-Storefront-Access-Token": import.meta.env.SHOPIFY_STOREFRONT_TOKEN,
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

export async function products(): Promise<Product[]> {
  const query = `query { products(first: 4) { nodes {
    id title variants(first: 1) { nodes { id price { amount currencyCode } } }
  } } }`;
  return (await ask<{ products: { nodes: Product[] } }>(query)).products.nodes;
}

export async function readCart(): Promise<Cart | null> {
  const id = cartId();
  if (!id) return null;
  const { cart } = await ask<{ cart: Cart | null }>(`query($id: ID!) { cart(id: $id) { ${CART} } }`, { id });
  if (!cart) localStorage.removeItem(STORED);
  return cart;
}

export async function addToCart(merchandiseId: string): Promise<Cart> {
  const cart = await readCart();
  const lines = [{ merchandiseId, quantity: 1 }];
  if (cart) {
    const [add, input] = ["cartLinesAdd(cartId: $cartId, lines: $lines)", "$cartId: ID!, $lines: [CartLineInput!]!"];
    return change(add, input, { cartId: cart.id, lines });
  }
  const made = await change("cartCreate(input: $input)", "$input: CartInput!", { input: { lines } });
  localStorage.setItem(STORED, made.id);
  await shop("buyer", { cartId: made.id });
  return made;
}

/** Shopify replaces the whole list, so it gets the codes that are there as well. */
export async function addCode(cart: Cart, code: string): Promise<Cart> {
  const update = "cartDiscountCodesUpdate(cartId: $cartId, discountCodes: $codes)";
  const codes = [...cart.discountCodes.map((known) => known.code), code];
  return change(update, "$cartId: ID!, $codes: [String!]!", { cartId: cart.id, codes });
}
