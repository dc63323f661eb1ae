// What this shop asks Shopify's Storefront API: products, and one cart, whose id stays in this browser.
import { STOREFRONT, STOREFRONT_TOKEN } from "./config.js";

const CART = `fragment Shown on Cart {
  id checkoutUrl totalQuantity discountCodes { code applicable }
  lines(first: 50) { nodes { id quantity cost { totalAmount { amount currencyCode } }
    discountAllocations(lineLevelOnly: false) { discountedAmount { amount currencyCode } }
    merchandise { ... on ProductVariant { product { title } } } } }
  cost { subtotalAmount { amount currencyCode } totalAmount { amount currencyCode } }
}`;
const PRODUCTS = `{ products(first: 10) { nodes { title description
  variants(first: 1) { nodes { id price { amount currencyCode } } } } } }`;
const READ = `query ($id: ID!) { cart(id: $id) { ...Shown } } ${CART}`;
const changing = (name, types, given) => `mutation (${types}) {
  changed: ${name}(${given}) { cart { ...Shown } userErrors { message } }
} ${CART}`;
const CREATE = changing("cartCreate", "$lines: [CartLineInput!]", "input: { lines: $lines }");
const ADD = changing("cartLinesAdd", "$id: ID!, $lines: [CartLineInput!]!", "cartId: $id, lines: $lines");
const REMOVE = changing("cartLinesRemove", "$id: ID!, $lines: [ID!]!", "cartId: $id, lineIds: $lines");
const CODES = changing("cartDiscountCodesUpdate", "$id: ID!, $codes: [String!]!", "cartId: $id, discountCodes: $codes");

async function ask(query, variables) {
  const reply = await fetch(STOREFRONT, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Shopify-Storefront-Access-Token": STOREFRONT_TOKEN },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = await reply.json();
  if (errors) throw new Error("The shop did not understand.");
  return data;
}

async function change(query, variables) {
  const { changed } = await ask(query, variables);
  if (!changed.cart) throw new Error(changed.userErrors[0].message);
  localStorage.setItem("cart", changed.cart.id);
  return changed.cart;
}

export const cartId = () => localStorage.getItem("cart");
export const products = async () => (await ask(PRODUCTS)).products.nodes;
/** The cart of this browser; nothing where there is none, or none any more. */
export const cart = async () => (cartId() ? (await ask(READ, { id: cartId() })).cart : null);
export const remove = (lineId) => change(REMOVE, { id: cartId(), lines: [lineId] });

export async function add(variantId) {
  const lines = [{ merchandiseId: variantId, quantity: 1 }];
  return (await cart()) ? change(ADD, { id: cartId(), lines }) : change(CREATE, { lines });
}

/** The list of codes is replaced as a whole, so the others are sent along. */
export async function addCode(code) {
  const others = (await cart())?.discountCodes.map((one) => one.code) ?? [];
  return change(CODES, { id: cartId(), codes: [...others, code] });
}
