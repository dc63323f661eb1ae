/** In place of a page of the program that cannot be read: the rest of the shop goes on. */
export function PointsAway() {
  return (
    <>
      <h1>Your points</h1>
      <p role="alert">Your points cannot be shown right now. Nothing is lost: try again in a minute.</p>
    </>
  );
}
