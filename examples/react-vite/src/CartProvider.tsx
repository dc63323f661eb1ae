import { useLoyalty } from "@loyalty/client/react";
import { createContext, useCallback, useContext, useEffect, useState, type ReactNode } from "react";
import { readCart, type Cart } from "./cart.ts";

interface Filling {
  cart: Cart | null;
  error?: string;
  /** Shows the cart that this brings. */
  run(change: () => Promise<Cart | null>): Promise<void>;
}

const Context = createContext<Filling>({ cart: null, run: async () => {} });

export const useCart = (): Filling => useContext(Context);

export function CartProvider({ children }: { children: ReactNode }) {
  const loyalty = useLoyalty();
  const [known, setKnown] = useState<Omit<Filling, "run">>({ cart: null });
  const run = useCallback(async (change: () => Promise<Cart | null>) => {
    try {
      setKnown({ cart: await change() });
    } catch (error) {
      setKnown(({ cart }) => ({ cart, error: (error as Error).message }));
    }
  }, []);

  useEffect(() => {
    const read = () => void run(readCart);
    read();
    // The loyalty service has put a code in.
    return loyalty.on("coupon_applied", read);
  }, [loyalty, run]);

  return <Context value={{ ...known, run }}>{children}</Context>;
}
