import { useEffect, useState } from "react";
import { addToCart, money, products, type Product } from "../cart.ts";
import { useCart } from "../CartProvider.tsx";
import { Page } from "../Page.tsx";

export function Products() {
  const { run } = useCart();
  const [shown, setShown] = useState<Product[]>([]);
  const [said, setSaid] = useState("");
  useEffect(() => {
    products().then(setShown, (error: Error) => setSaid(error.message));
  }, []);
  return (
    <Page title="Shop">
      <ul className="cards">
        {shown.map(({ id, title, variants: { nodes: [variant] } }) => variant && (
          <li key={id}>
            <h2>{title}</h2>
            <p>{money(variant.price)}</p>
            <button type="button" onClick={() => run(() => addToCart(variant.id)).then(() => setSaid(`Added: ${title}`))}>
              Add {title} to cart
            </button>
          </li>
        ))}
      </ul>
      <p role="status">{said}</p>
    </Page>
  );
}
