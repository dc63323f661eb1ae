import { useApplyCoupon, useCoupons } from "@loyalty/client/react";
import { cartId } from "../cart.ts";
import { Page } from "../Page.tsx";
import { ofCart } from "../words.ts";

export function Coupons() {
  const { data, error } = useCoupons();
  const apply = useApplyCoupon();
  return (
    <Page title="Your coupons">
      <ul className="cards">
        {data?.coupons.map(({ code, description, applyUrl }) => (
          <li key={code}>
            <h2>{description ?? "Coupon"}</h2>
            <p>
              <code>{code}</code>
            </p>
            {cartId() ? (
              <button type="button" disabled={apply.busy} onClick={() => void apply.run(code)}>
                Put {code} into the cart
              </button>
            ) : (
              <a href={applyUrl}>Use {code}</a>
            )}
          </li>
        ))}
      </ul>
      {data?.coupons.length === 0 && <p>You have no coupons yet.</p>}
      {error && <p role="alert">Your coupons cannot be shown right now.</p>}
      <p role="status">
        {apply.data && ofCart(apply.data)}
        {apply.error?.message}
      </p>
    </Page>
  );
}
