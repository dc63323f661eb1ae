import { CartForm, type HydrogenCart } from "@shopify/hydrogen";
import { data, useRouteLoaderData } from "react-router";
import { CartContents } from "../components/CartDrawer";
import { shopOf } from "../lib/shop.server";
import type { loader } from "../root";
import type { Route } from "./+types/cart";

export const meta: Route.MetaFunction = () => [{ title: "Cart" }];

export async function action({ request, context }: Route.ActionArgs) {
  const { cart } = shopOf(context);
  const { cart: changed } = await change(cart, await request.formData());
  return changed ? data(null, { headers: cart.setCartId(changed.id) }) : data(null, 400);
}

async function change(cart: HydrogenCart, form: FormData) {
  const { action, inputs } = CartForm.getFormInput(form);
  if (action === CartForm.ACTIONS.LinesAdd) return cart.addLines(inputs.lines);
  if (action !== CartForm.ACTIONS.DiscountCodesUpdate) throw data(null, 400);
  // Shopify replaces the whole list, so what is in it now goes along: a coupon that was redeemed, too.
  const known = (await cart.get())?.discountCodes ?? [];
  return cart.updateDiscountCodes([...known.map(({ code }) => code), String(inputs.discountCode)]);
}

export default function CartPage() {
  const root = useRouteLoaderData<typeof loader>("root");
  return (
    <>
      <h1>Cart</h1>
      <CartContents cart={root?.cart ?? null} />
    </>
  );
}
