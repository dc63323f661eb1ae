"use client";

import type { Coupon } from "@loyalty/client";
import { useActionState } from "react";
import { applyCoupon } from "@/app/actions";

export function CouponList({ coupons }: { coupons: Coupon[] }) {
  const [told, act, isBusy] = useActionState(applyCoupon, "");
  return (
    <>
      {coupons.length === 0 && <p>You have no coupons yet.</p>}
      <ul className="cards">
        {coupons.map(({ code, description }) => (
          <li key={code}>
            <h2>{description ?? "Coupon"}</h2>
            <p>
              <code>{code}</code>
            </p>
            <form action={act}>
              <input type="hidden" name="code" value={code} />
              <button type="submit" disabled={isBusy}>
                Put {code} into the cart
              </button>
            </form>
          </li>
        ))}
      </ul>
      <p role="status">{told}</p>
    </>
  );
}
