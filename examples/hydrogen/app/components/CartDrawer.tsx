// A popover: it opens, closes and sends its forms without a script as well.
import { CartForm, type CartReturn } from "@shopify/hydrogen";
import { Link } from "react-router";
import { inWords } from "../lib/cart";

export function CartDrawer({ cart }: { cart: CartReturn | null }) {
  return (
    <div id="cart" popover="auto" role="dialog" aria-label="Cart">
      <CartContents cart={cart} />
      <Link to="/cart">Open as a page</Link>
    </div>
  );
}

export function CartContents({ cart }: { cart: CartReturn | null }) {
  if (!cart?.totalQuantity) return <p>Your cart is empty.</p>;
  return (
    <>
      <ul>
        {cart.lines.nodes.map(({ id, quantity, merchandise, cost }) => (
          <li key={id}>
            {quantity} × {merchandise.product.title} {inWords(cost.totalAmount)}
          </li>
        ))}
      </ul>
      <ul aria-label="Discount codes">
        {cart.discountCodes.map(({ code, applicable }) => (
          <li key={code}>
            <code>{code}</code> {applicable ? "counts" : "does not count for this cart"}
          </li>
        ))}
      </ul>
      <CartForm route="/cart" action={CartForm.ACTIONS.DiscountCodesUpdate}>
        <label>
          Discount code <input name="discountCode" required autoComplete="off" />
        </label>
        <button>Add code</button>
      </CartForm>
      <p>Total: {inWords(cart.cost.totalAmount)}</p>
    </>
  );
}
