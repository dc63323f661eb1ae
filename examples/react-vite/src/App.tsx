import { useMember, useSession } from "@loyalty/client/react";
import { useActionState } from "react";
import { NavLink, Route, Routes } from "react-router";
import { CartDrawer } from "./CartDrawer.tsx";
import { signOut } from "./loyalty.ts";
import { Coupons } from "./pages/Coupons.tsx";
import { Join } from "./pages/Join.tsx";
import { Products } from "./pages/Products.tsx";
import { Refer } from "./pages/Refer.tsx";
import { Rewards } from "./pages/Rewards.tsx";
import { SignIn } from "./pages/SignIn.tsx";

export function App() {
  const state = useSession().data?.state;
  return (
    <>
      <header>
        <nav aria-label="Shop">
          <NavLink to="/">Shop</NavLink>
          <NavLink to="/rewards">Rewards</NavLink>
          {state === "enrolled" && <NavLink to="/coupons">Coupons</NavLink>}
          {state === "enrolled" && <NavLink to="/refer">Refer a friend</NavLink>}
          {state === "pending" && <NavLink to="/join">Join</NavLink>}
        </nav>
        {state === "anonymous" && <NavLink to="/sign-in">Sign in</NavLink>}
        {state === "enrolled" && <Balance />}
        {state && state !== "anonymous" && <SignOut />}
        <CartDrawer />
      </header>
      <main>
        <Routes>
          <Route path="/" element={<Products />} />
          <Route path="/rewards" element={<Rewards />} />
          <Route path="/coupons" element={<Coupons />} />
          <Route path="/join" element={<Join />} />
          <Route path="/refer" element={<Refer />} />
          <Route path="/sign-in" element={<SignIn />} />
        </Routes>
      </main>
    </>
  );
}

function SignOut() {
  const [told, act, isBusy] = useActionState(
    () => signOut().then(() => "", () => "This did not work. Try again."),
    "",
  );
  return (
    <form action={act}>
      <button type="submit" disabled={isBusy}>
        Sign out
      </button>
      {told && <span role="alert">{told}</span>}
    </form>
  );
}

function Balance() {
  const { data } = useMember();
  return <span role="status">{data && `${data.points.balance} points`}</span>;
}
