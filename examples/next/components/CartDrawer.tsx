"use client";

import { useRef } from "react";
import { enterCode } from "@/app/actions";
import type { Cart } from "@/lib/cart";
import { money } from "@/lib/words";

export function CartDrawer({ cart }: { cart: Omit<Cart, "id"> | null }) {
  const dialog = useRef<HTMLDialogElement>(null);
  return (
    <>
      <button type="button" onClick={() => dialog.current?.showModal()}>
        Cart ({cart?.totalQuantity ?? 0})
      </button>
      <dialog ref={dialog} aria-labelledby="cart-heading">
        <h2 id="cart-heading">Your cart</h2>
        {cart ? (
          <>
            <p>Subtotal {money(cart.cost.subtotalAmount)}</p>
            <ul aria-label="Discount codes">
              {cart.discountCodes.map(({ code, applicable }) => (
                <li key={code}>
                  {code}
                  {!applicable && " (does not count for this cart)"}
                </li>
              ))}
            </ul>
            <form action={enterCode}>
              <label>
                Discount code <input name="code" required autoComplete="off" />
              </label>{" "}
              <button type="submit">Add code</button>
            </form>
            <p>
              <strong>Total {money(cart.cost.totalAmount)}</strong>
            </p>
          </>
        ) : (
          <p>Your cart is empty.</p>
        )}
        <button type="button" onClick={() => dialog.current?.close()}>
          Close
        </button>
      </dialog>
    </>
  );
}
