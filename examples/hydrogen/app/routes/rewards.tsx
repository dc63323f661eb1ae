import type { Redemption, Reward } from "@loyalty/client";
import { LoyaltyError } from "@loyalty/client/server";
import { Form, Link, useNavigation } from "react-router";
import { inTheCart } from "../lib/cart";
import { refused } from "../lib/problems.server";
import { shopOfCustomer } from "../lib/shop.server";
import type { Route } from "./+types/rewards";

// Longer than this nobody looks at a page that waits. What is not known by then is found out all the same.
const WAITS_MS = 20_000;

export { PointsAway as ErrorBoundary } from "../components/PointsAway";

export const meta: Route.MetaFunction = () => [{ title: "Rewards" }];

export async function loader({ url, context }: Route.LoaderArgs) {
  const { loyalty, intents } = await shopOfCustomer(context, url);
  const { points, rewards } = await loyalty.me(["rewards"]);
  return {
    balance: points.balance,
    rewards: rewards?.data?.map((reward) => ({ ...reward, intent: intents.keyOf(reward.id) })),
  };
}

/** Spends points once for the key that stands in the form, and puts the code into the cart beside the others. */
export async function action({ request, url, context }: Route.ActionArgs) {
  const { loyalty, intents } = await shopOfCustomer(context, url);
  const form = await request.formData();
  const rewardId = String(form.get("rewardId")), key = String(form.get("key"));
  try {
    const redemption = await loyalty
      .redeem(rewardId, { key, signal: AbortSignal.timeout(WAITS_MS) })
      .catch((error: Error) => {
        if (error.name === "TimeoutError") return loyalty.redemption(key);
        throw error;
      });
    if (["succeeded", "failed"].includes(redemption.state)) intents.end(rewardId);
    return { redemption };
  } catch (error) {
    if (error instanceof LoyaltyError && error.isFinal) intents.end(rewardId);
    return refused(error);
  }
}

export default function Rewards({ loaderData: { balance, rewards }, actionData }: Route.ComponentProps) {
  return (
    <>
      <h1>Rewards</h1>
      <p>
        <data value={balance}>{balance}</data> points
      </p>
      <div role="status">
        {actionData && ("redemption" in actionData ? <Outcome {...actionData.redemption} /> : actionData.message)}
      </div>
      {!rewards && <p>The rewards cannot be shown right now.</p>}
      <ul>
        {rewards?.map((reward) => (
          <li key={reward.id}>
            {reward.name} <Redeem {...reward} />
          </li>
        ))}
      </ul>
      <Link to="/account/loyalty">Your points</Link>
    </>
  );
}

function Redeem({ id, intent, name, points, canRedeem }: Reward & { intent: string }) {
  const navigation = useNavigation();
  if (canRedeem?.missingPoints) return <>{canRedeem.missingPoints} more points</>;
  if (canRedeem?.state !== "ready") return <>not for you yet</>;
  const isBusy = navigation.formData?.get("key") === intent;
  return (
    <details>
      <summary>Redeem {name}</summary>
      <Form method="post">
        <input type="hidden" name="rewardId" value={id} />
        <input type="hidden" name="key" value={intent} />
        <button disabled={isBusy}>{isBusy ? "One moment …" : `Spend ${points} points`}</button>
      </Form>
    </details>
  );
}

function Outcome({ state, coupon, cart, supportReference }: Redemption) {
  if (state === "failed") return <p>This did not work. Your points were not taken.</p>;
  if (state !== "succeeded") {
    return <p>This is still being checked. Do not redeem again. Quote {supportReference} if you ask about it.</p>;
  }
  if (!coupon) return <p>It was added to your account.</p>;
  return (
    <p>
      Your code is <code>{coupon.code}</code>. {cart ? inTheCart(cart) : <a href={coupon.applyUrl}>Use it</a>}
    </p>
  );
}
