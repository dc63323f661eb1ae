// What every loader and action works with. In a Hydrogen project the loyalty client and the intents go into the
// additional context of `createHydrogenContext`, and all else is there already.
import { createLoyalty, type Loyalty } from "@loyalty/client/server";
import {
  cartGetIdDefault, cartSetIdDefault, createCartHandler, createStorefrontClient, type CustomerAccount,
} from "@shopify/hydrogen";
import { createContext, redirect, type MiddlewareFunction, type RouterContextProvider } from "react-router";
import { CART_FRAGMENT } from "./cart";
import { customerOf, type Customer } from "./customer.server";
import { LOYALTY_URL, STOREFRONT_TOKEN, STOREFRONT_URL, TICKETS_TOKEN } from "./env.server";
import { intentsOf, type Intents } from "./intents.server";
import { AppSession } from "./session.server";

function storefrontOf(request: Request, customer: Customer) {
  const { storefront } = createStorefrontClient({
    storeDomain: new URL(STOREFRONT_URL).origin,
    publicStorefrontToken: STOREFRONT_TOKEN,
    i18n: { language: "EN", country: "US" },
  });
  const cart = createCartHandler({
    storefront,
    getCartId: cartGetIdDefault(request.headers),
    setCartId: cartSetIdDefault(),
    cartQueryFragment: CART_FRAGMENT,
    // Whose cart it is, since a coupon may be for one customer alone. The handler asks for no more than this.
    customerAccount: { isLoggedIn: customer.isLoggedIn, getBuyer: customer.getBuyer } as CustomerAccount,
  });
  return { storefront, cart };
}

/** One for each request: its handle is this customer's, and a renewal serves all loaders of the page. */
function loyaltyOf(session: AppSession, customer: Customer, cartId: () => string | undefined): Loyalty {
  return createLoyalty({
    baseUrl: LOYALTY_URL,
    locale: "en",
    cart: cartId,
    getToken: () => customer.getAccessToken(),
    server: {
      token: TICKETS_TOKEN,
      load: () => session.get("loyalty"),
      save: (handle) => session.set("loyalty", handle),
    },
  });
}

type Shop = ReturnType<typeof storefrontOf> & { customer: Customer; intents: Intents; loyalty: Loyalty };

const shopContext = createContext<Shop>();

export const shopMiddleware: MiddlewareFunction<Response> = async ({ request, context }, next) => {
  const session = await AppSession.of(request);
  const customer = customerOf(session);
  const { storefront, cart } = storefrontOf(request, customer);
  const loyalty = loyaltyOf(session, customer, cart.getCartId);
  context.set(shopContext, { storefront, cart, customer, intents: intentsOf(session), loyalty });
  const response = await session.commitTo(await next());
  // What stands in it is one person's.
  response.headers.set("Cache-Control", "private, no-store");
  return response;
};

export const shopOf = (context: Readonly<RouterContextProvider>): Shop => context.get(shopContext);

/** The same, for pages of whoever is signed in; everybody else is led to the sign-in. */
export async function shopOfCustomer(context: Readonly<RouterContextProvider>, url: URL): Promise<Shop> {
  const shop = shopOf(context);
  if (await shop.customer.isLoggedIn()) return shop;
  throw redirect(`/account/login?${new URLSearchParams({ return_to: url.pathname })}`);
}
