// The shop's page: products, a cart, who is signed in, and the loyalty program, whose elements the service brings.
import { LOYALTY } from "./config.js";
import * as storefront from "./storefront.js";

const part = (id) => document.getElementById(id);
const money = ({ amount, currencyCode }) =>
  new Intl.NumberFormat("en-US", { style: "currency", currency: currencyCode }).format(Number(amount));

function made(name, text, more = {}) {
  return Object.assign(document.createElement(name), { textContent: text, ...more });
}

function button(text, work) {
  return made("button", text, { type: "button", onclick: () => doing(work) });
}

async function doing(work) {
  part("problem").textContent = "";
  try {
    await work();
  } catch (error) {
    part("problem").textContent = error.message;
  }
}

async function ours(path, body = {}) {
  const reply = await fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  if (!reply.ok) throw new Error(await reply.text());
  return reply;
}

// The cart --------------------------------------------------------------------------------------------------------------

function openCart(isOpen) {
  part("cart").hidden = !isOpen;
  part("open-cart").ariaExpanded = String(isOpen);
}

function showCart(cart) {
  part("open-cart").textContent = cart?.totalQuantity ? `Cart (${cart.totalQuantity})` : "Cart";
  part("lines").replaceChildren(...(cart?.lines.nodes ?? []).map(({ id, quantity, merchandise, cost }) => {
    const line = made("li", `${quantity} × ${merchandise.product.title} ${money(cost.totalAmount)} `);
    line.append(button("Remove", async () => showCart(await storefront.remove(id))));
    return line;
  }));
  part("codes").replaceChildren(...(cart?.discountCodes ?? []).map(({ code, applicable }) =>
    made("li", applicable ? code : `${code} does not count here`)));
  if (!cart) {
    part("total").textContent = "Nothing yet";
    return;
  }
  const { subtotalAmount, totalAmount } = cart.cost;
  const off = Number(subtotalAmount.amount) - Number(totalAmount.amount);
  const discount = off > 0 ? `Discount −${money({ ...totalAmount, amount: off })}. ` : "";
  part("total").textContent = `${discount}Total ${money(totalAmount)}`;
  part("checkout").href = cart.checkoutUrl;
}

async function add(variantId) {
  const isNew = !(await storefront.cart());
  showCart(await storefront.add(variantId));
  if (isNew) await ours("account/cart", { cartId: storefront.cartId() });
  openCart(true);
}

async function showProducts() {
  part("products").replaceChildren(...(await storefront.products()).map(({ title, description, variants }) => {
    const [{ id, price }] = variants.nodes;
    const line = made("li", "");
    const put = button("Add to cart", () => add(id));
    put.ariaLabel = `Add ${title} to cart`;
    line.append(made("strong", title), put, made("span", `${money(price)}. ${description}`));
    return line;
  }));
}

part("open-cart").onclick = () => openCart(part("cart").hidden);
part("close-cart").onclick = () => openCart(false);
part("add-code").onsubmit = (event) => {
  event.preventDefault();
  const code = new FormData(event.target).get("code");
  event.target.reset();
  doing(async () => showCart(await storefront.addCode(code)));
};

// The loyalty program ---------------------------------------------------------------------------------------------------

const { persona } = await (await fetch("account")).json();
const [{ createLoyalty }, { use }] = await Promise.all([import(`${LOYALTY}/client.js`), import(`${LOYALTY}/elements.js`)]);
const loyalty = createLoyalty({
  baseUrl: LOYALTY,
  locale: document.documentElement.lang,
  cart: storefront.cartId,
  // Asked when there is no session with the service yet, or not any more. Our server has the customer's token.
  getToken: async () => {
    const { ticket } = await (await ours("loyalty-ticket")).json();
    return ticket && { ticket };
  },
});
// Who is to sign in does so at the shop.
use({ ...loyalty, signInUrl: () => "#sign-in" });

for (const happened of ["loyalty:redeemed", "loyalty:coupon_applied"]) {
  document.addEventListener(happened, () => doing(async () => {
    showCart(await storefront.cart());
    openCart(true);
  }));
}
// Another sign-in at the shop than the one that the service knows: its session ends first.
part("sign-in").onsubmit = (event) => {
  event.preventDefault();
  doing(async () => {
    await loyalty.signOut();
    event.target.submit();
  });
};
part("sign-out").onclick = () => doing(async () => {
  await loyalty.signOut();
  await ours("account/sign-out");
  location.reload();
});

part("sign-in").hidden = Boolean(persona);
part("sign-out").hidden = !persona;
for (const section of document.querySelectorAll(".members")) section.hidden = !persona;
await doing(showProducts);
await doing(async () => {
  if (storefront.cartId()) await ours("account/cart", { cartId: storefront.cartId() });
  showCart(await storefront.cart());
});
document.body.dataset.ready = "";
