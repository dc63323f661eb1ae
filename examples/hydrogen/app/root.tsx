import { createLoyalty } from "@loyalty/client";
import { LoyaltyProvider } from "@loyalty/client/react";
import { useMemo } from "react";
import { isRouteErrorResponse, Link, Links, Meta, Outlet, Scripts, ScrollRestoration } from "react-router";
import type { Route } from "./+types/root";
import { CartDrawer } from "./components/CartDrawer";
import { SignOut } from "./components/SignOut";
import { LOYALTY_URL } from "./lib/env.server";
import { shopMiddleware, shopOf } from "./lib/shop.server";
import stylesheet from "./styles.css?url";

export const middleware: Route.MiddlewareFunction[] = [shopMiddleware];

export const links: Route.LinksFunction = () => [
  { rel: "stylesheet", href: stylesheet },
  { rel: "icon", href: "data:," },
];

export async function loader({ context }: Route.LoaderArgs) {
  const { cart, customer } = shopOf(context);
  return { cart: await cart.get(), isLoggedIn: await customer.isLoggedIn(), loyaltyUrl: LOYALTY_URL };
}

/** A ticket of our own server's, for the few things that this page asks of the service itself. */
async function getToken(): Promise<{ ticket: string } | null> {
  const reply = await fetch("/account/loyalty/ticket", { method: "POST" });
  return reply.ok ? ((await reply.json()) as { ticket: string }) : null;
}

export function Layout({ children }: { children: React.ReactNode }) {
  return (
    <html lang="en">
      <head>
        <meta charSet="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <Meta />
        <Links />
      </head>
      <body>
        {children}
        <ScrollRestoration />
        <Scripts />
      </body>
    </html>
  );
}

export default function App({ loaderData: { cart, isLoggedIn, loyaltyUrl } }: Route.ComponentProps) {
  // It asks nothing until somebody does something: what is shown comes from loaders. Whoever is next gets a new one.
  const client = useMemo(
    () => createLoyalty({ baseUrl: loyaltyUrl, locale: "en", getToken }),
    [loyaltyUrl, isLoggedIn],
  );
  return (
    <LoyaltyProvider client={client}>
      <header>
        <Link to="/">Shop</Link>
        <nav>
          <Link to="/account/loyalty">Points</Link>
          {isLoggedIn ? <SignOut /> : <Link to="/account/login">Sign in</Link>}
          <button type="button" popoverTarget="cart">
            Cart ({cart?.totalQuantity ?? 0})
          </button>
        </nav>
      </header>
      <main>
        <Outlet />
      </main>
      <CartDrawer cart={cart} />
    </LoyaltyProvider>
  );
}

export function ErrorBoundary({ error }: Route.ErrorBoundaryProps) {
  const isMissing = isRouteErrorResponse(error) && error.status === 404;
  return (
    <main>
      <h1>{isMissing ? "There is no such page" : "The shop cannot be shown right now"}</h1>
      <Link to="/">Shop</Link>
    </main>
  );
}
