import { redirect } from "react-router";
import { shopOf } from "../lib/shop.server";
import type { Route } from "./+types/logout";

export async function action({ context }: Route.ActionArgs) {
  const { customer, loyalty } = shopOf(context);
  // Where the service is away the handle ends by itself, within a quarter of an hour.
  await loyalty.signOut().catch(() => undefined);
  await customer.logout();
  return redirect("/");
}
