import { CouponList } from "@/components/CouponList";
import { currentMember } from "@/lib/loyalty";

export const metadata = { title: "Your coupons" };

export default async function Coupons() {
  const coupons = (await currentMember())?.coupons?.data;
  return (
    <>
      <h1>Your coupons</h1>
      {coupons ? <CouponList coupons={coupons} /> : <p role="alert">Your coupons cannot be shown right now.</p>}
    </>
  );
}
