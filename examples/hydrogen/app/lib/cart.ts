// The cart, as far as it is shown here.
import type { CartResult, Money } from "@loyalty/client";

export const CART_FRAGMENT = `#graphql
  fragment CartApiQuery on Cart {
    id
    totalQuantity
    checkoutUrl
    cost {
      subtotalAmount { amount currencyCode }
      totalAmount { amount currencyCode }
    }
    lines(first: $numCartLines) {
      nodes {
        id
        quantity
        cost { totalAmount { amount currencyCode } }
        merchandise { ... on ProductVariant { id title product { title } } }
      }
    }
    discountCodes { code applicable }
  }
` as const;

export const inWords = ({ amount, currencyCode }: Money): string =>
  new Intl.NumberFormat("en-US", { style: "currency", currency: currencyCode }).format(Number(amount));

const REASONS: Record<NonNullable<CartResult["reason"]>, string> = {
  minimum_spend: "It counts once there is more in your cart.",
  not_combinable: "It does not go together with another code in your cart.",
  expired: "It has expired.",
  wrong_customer: "It is for another customer.",
  cart_not_found: "Put something into your cart first.",
  other: "It does not count for this cart.",
};

/** What became of a code that was to go into the cart. However it ends, the code is as good as before. */
export function inTheCart({ result, reason, missing }: CartResult): string {
  if (result !== "not_applied") return "It is in your cart.";
  return missing ? `It counts once there is ${inWords(missing)} more in your cart.` : REASONS[reason ?? "other"];
}
