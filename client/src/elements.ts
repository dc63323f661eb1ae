// Custom elements in light DOM, which the page styles as it likes. What stands in one is kept until it is ready.
import { LoyaltyCoupons } from "./elements/coupons";
import { LoyaltyJoin } from "./elements/join";
import { LoyaltyRefer } from "./elements/refer";
import { LoyaltyRewards } from "./elements/rewards";
import { LoyaltyPoints, LoyaltyTier } from "./elements/standing";

export { use } from "./elements/element";
export type { Words } from "./elements/words";

const ELEMENTS = {
  "loyalty-points": LoyaltyPoints,
  "loyalty-tier": LoyaltyTier,
  "loyalty-join": LoyaltyJoin,
  "loyalty-rewards": LoyaltyRewards,
  "loyalty-coupons": LoyaltyCoupons,
  "loyalty-refer": LoyaltyRefer,
};

declare global {
  interface HTMLElementTagNameMap {
    "loyalty-points": LoyaltyPoints;
    "loyalty-tier": LoyaltyTier;
    "loyalty-join": LoyaltyJoin;
    "loyalty-rewards": LoyaltyRewards;
    "loyalty-coupons": LoyaltyCoupons;
    "loyalty-refer": LoyaltyRefer;
  }
}

// The module may be there twice, as a script and in a bundle.
for (const [name, element] of Object.entries(ELEMENTS)) if (!customElements.get(name)) customElements.define(name, element);
