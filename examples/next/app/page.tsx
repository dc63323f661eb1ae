import { addToCart } from "./actions";
import { products } from "@/lib/cart";
import { money } from "@/lib/words";

export default async function Shop() {
  return (
    <>
      <h1>Shop</h1>
      <ul className="cards">
        {(await products()).map(({ id, title, variants: { nodes: [variant] } }) => variant && (
          <li key={id}>
            <h2>{title}</h2>
            <p>{money(variant.price)}</p>
            <form action={addToCart}>
              <input type="hidden" name="merchandiseId" value={variant.id} />
              <button type="submit">Add {title} to cart</button>
            </form>
          </li>
        ))}
      </ul>
    </>
  );
}
