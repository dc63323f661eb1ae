import "server-only";
import { createLoyalty, createTicket, type Loyalty, type MemberAndParts } from "@loyalty/client/server";
import { cache } from "react";
import { currentCustomer, customerToken, type Customer } from "./customer";
import { settings } from "./settings";

const { loyaltyUrl: baseUrl, ticketsToken: token } = settings;

/** The client for whoever this request is of. */
export const loyalty = cache(async (): Promise<Loyalty> => {
  const customer = await currentCustomer();
  return createLoyalty({
    baseUrl,
    locale: "en",
    getToken: () => customer && customerToken(customer),
    server: {
      token,
      load: () => customer?.handle,
      save(handle) {
        if (customer) customer.handle = handle;
      },
    },
  });
});

/** All that the pages show of a member, in one request. Nothing for strangers, and while the service is away: the shop goes
 * on without it. */
export const currentMember = cache(async (): Promise<MemberAndParts | undefined> => {
  if (!(await currentCustomer())) return undefined;
  try {
    return await (await loyalty()).me(["rewards", "coupons"]);
  } catch (error) {
    console.error(error);
    return undefined;
  }
});

/** For the customer's own page. With an origin only a script of it can use the ticket. */
export const ticketFor = async (customer: Customer, origin?: string): Promise<string> =>
  createTicket({ baseUrl, token, customerAccessToken: await customerToken(customer), origin });
