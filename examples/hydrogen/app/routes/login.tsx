import { Form, redirect } from "react-router";
import { PERSONAS } from "../lib/customer.server";
import { shopOf } from "../lib/shop.server";
import type { Route } from "./+types/login";

export const meta: Route.MetaFunction = () => [{ title: "Sign in" }];

export const loader = () => ({ personas: PERSONAS });

/** Only paths of ours: everything else would lead somebody elsewhere who has just signed in. */
const pathOf = (given: string | null): string => (given && /^\/(?![/\\])/.test(given) ? given : "/account/loyalty");

export async function action({ request, url, context }: Route.ActionArgs) {
  const persona = String((await request.formData()).get("persona"));
  if (PERSONAS.includes(persona)) {
    const { cart, customer } = shopOf(context);
    await customer.login(persona);
    if (cart.getCartId()) await cart.updateBuyerIdentity({});
  }
  return redirect(pathOf(url.searchParams.get("return_to")));
}

export default function Login({ loaderData: { personas } }: Route.ComponentProps) {
  return (
    <>
      <h1>Sign in</h1>
      <p>In place of the shop&rsquo;s own sign-in: choose who you are.</p>
      <Form method="post">
        {personas.map((persona) => (
          <button key={persona} name="persona" value={persona}>
            {persona}
          </button>
        ))}
      </Form>
    </>
  );
}
