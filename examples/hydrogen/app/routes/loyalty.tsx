import { Form, Link, redirect } from "react-router";
import { Invite } from "../components/Invite";
import { Join } from "../components/Join";
import { inTheCart } from "../lib/cart";
import { refused } from "../lib/problems.server";
import { shopOfCustomer } from "../lib/shop.server";
import type { Route } from "./+types/loyalty";

export { PointsAway as ErrorBoundary } from "../components/PointsAway";

export const meta: Route.MetaFunction = () => [{ title: "Your points" }];

export async function loader({ url, context }: Route.LoaderArgs) {
  const { loyalty } = await shopOfCustomer(context, url);
  const member = await loyalty.me(["tierProgress", "coupons"]);
  return { member, policies: member.state === "pending" ? await loyalty.policies() : undefined };
}

export async function action({ request, url, context }: Route.ActionArgs) {
  const { cart, loyalty } = await shopOfCustomer(context, url);
  const form = await request.formData();
  try {
    if (form.get("intent") === "join") {
      await loyalty.join(JSON.parse(String(form.get("policies"))));
      return redirect("/account/loyalty");
    }
    if (!cart.getCartId()) return { message: "Put something into your cart first." };
    return { message: inTheCart(await loyalty.applyCoupon(String(form.get("code")))) };
  } catch (error) {
    return refused(error);
  }
}

export default function Loyalty({ loaderData: { member, policies }, actionData }: Route.ComponentProps) {
  const message = actionData?.message;
  // When the words have changed meanwhile nothing was agreed to: these are the new ones.
  const words = (actionData && "policies" in actionData && actionData.policies) || policies;
  return (
    <>
      <h1>Your points</h1>
      <p>
        <data value={member.points.balance}>{member.points.balance}</data> points{member.tier && `, ${member.tier}`}
      </p>
      {member.state === "blocked" && <p>Your account cannot collect points. Please ask us why.</p>}
      {words && <Join policies={words} message={message} />}
      {member.state === "enrolled" && (
        <>
          <p role="status">{message}</p>
          <p>
            <Link to="/account/loyalty/rewards">Rewards</Link> <a href="/account/loyalty/ticket">Ways to earn</a>
          </p>
          <h2>Your coupons</h2>
          {member.coupons?.error && <p>Your coupons cannot be shown right now.</p>}
          <ul>
            {member.coupons?.data?.map(({ code, description }) => (
              <li key={code}>
                <code>{code}</code> {description}
                <Form method="post">
                  <button name="code" value={code}>
                    Put {code} into the cart
                  </button>
                </Form>
              </li>
            ))}
          </ul>
          <h2>Invite a friend</h2>
          <Invite />
        </>
      )}
    </>
  );
}
