import "./style.css";
import Link from "next/link";
import type { ReactNode } from "react";
import { CartDrawer } from "@/components/CartDrawer";
import { Balance, Loyalty, SignOut } from "@/components/Loyalty";
import { currentCart, withoutId } from "@/lib/cart";
import { currentCustomer } from "@/lib/customer";
import { currentMember } from "@/lib/loyalty";
import { settings } from "@/lib/settings";

export const metadata = { title: { default: "Shop", template: "%s – Shop" }, icons: "data:," };

export default async function Layout({ children }: { children: ReactNode }) {
  const [customer, member, cart] = await Promise.all([currentCustomer(), currentMember(), currentCart()]);
  return (
    <html lang="en">
      <body>
        <Loyalty baseUrl={settings.loyaltyUrl}>
          <header>
            <nav aria-label="Shop">
              <Link href="/">Shop</Link>
              <Link href="/rewards">Rewards</Link>
              {member?.state === "enrolled" && <Link href="/coupons">Coupons</Link>}
              {member?.state === "enrolled" && <Link href="/refer">Refer a friend</Link>}
              {member?.state === "pending" && <Link href="/join">Join</Link>}
            </nav>
            {member?.state === "enrolled" && <Balance state={member.state} points={member.points} />}
            {customer ? <SignOut /> : <Link href="/sign-in">Sign in</Link>}
            <CartDrawer cart={cart && withoutId(cart)} />
          </header>
          <main>{children}</main>
        </Loyalty>
      </body>
    </html>
  );
}
