import type { CartResult, Money, Redemption, Reward } from "@loyalty/client";

export type { Money };

export const money = ({ amount, currencyCode }: Money): string =>
  new Intl.NumberFormat("en", { style: "currency", currency: currencyCode }).format(Number(amount));

const REASONS: Record<NonNullable<CartResult["reason"]>, string> = {
  cart_not_found: "Your cart is gone. Add something first.",
  expired: "The code has expired.",
  minimum_spend: "Your cart comes to too little for it.",
  not_combinable: "It does not go together with another code in your cart.",
  wrong_customer: "Your cart belongs to another customer.",
  other: "Enter the code at the checkout.",
};

export function ofCart({ result, reason, missing }: CartResult): string {
  if (result !== "not_applied") return "It is in your cart.";
  return missing ? `Add ${money(missing)} more to your cart to use it.` : REASONS[reason ?? "other"];
}

export function ofRedemption({ state, coupon, cart, supportReference }: Redemption): string {
  if (state === "failed") return "This did not work. Your points were not taken.";
  if (state !== "succeeded") return `This is still being checked. Quote ${supportReference} if you ask about it.`;
  if (!coupon) return "It was added to your account.";
  return `Your code: ${coupon.code}. ${cart ? ofCart(cart) : ""}`;
}

/** Why it cannot be redeemed now; nothing when it can. */
export function whyNot({ canRedeem }: Reward): string | undefined {
  if (canRedeem?.state === "ready") return undefined;
  if (canRedeem?.missingPoints) return `${canRedeem.missingPoints} more points`;
  if (canRedeem?.requiredTier) return `For ${canRedeem.requiredTier} members`;
  return canRedeem ? "Not available now" : "Sign in to redeem";
}
