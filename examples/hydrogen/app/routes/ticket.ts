import { createTicket } from "@loyalty/client/server";
import { data, redirect } from "react-router";
import { LOYALTY_URL, TICKETS_TOKEN } from "../lib/env.server";
import { shopOf, shopOfCustomer } from "../lib/shop.server";
import type { Route } from "./+types/ticket";

/** To the service's own pages, signed in: a ticket in an address, used as soon as it is made. */
export async function loader({ url, context }: Route.LoaderArgs) {
  const { customer } = await shopOfCustomer(context, url);
  const ticket = await ticketOf((await customer.getAccessToken())!);
  return redirect(`${LOYALTY_URL}/session/continue?${new URLSearchParams({ ticket, return_to: "/earn" })}`);
}

/** For the script of this origin's page, and for nobody else. */
export async function action({ request, context }: Route.ActionArgs) {
  const customerAccessToken = await shopOf(context).customer.getAccessToken();
  if (!customerAccessToken) return data({ ticket: null }, 401);
  return data({ ticket: await ticketOf(customerAccessToken, request.headers.get("Origin") ?? undefined) });
}

const ticketOf = (customerAccessToken: string, origin?: string): Promise<string> =>
  createTicket({ baseUrl: LOYALTY_URL, token: TICKETS_TOKEN, customerAccessToken, origin });
