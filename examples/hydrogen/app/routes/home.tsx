import type { Money } from "@loyalty/client";
import { CartForm } from "@shopify/hydrogen";
import { inWords } from "../lib/cart";
import { shopOf } from "../lib/shop.server";
import type { Route } from "./+types/home";

const PRODUCTS = `#graphql
  query Products {
    products(first: 8) {
      nodes {
        id
        title
        variants(first: 1) { nodes { id price { amount currencyCode } } }
      }
    }
  }
` as const;

interface Product {
  id: string;
  title: string;
  variants: { nodes: { id: string; price: Money }[] };
}

export const meta: Route.MetaFunction = () => [{ title: "Shop" }];

export async function loader({ context }: Route.LoaderArgs) {
  const { products } = await shopOf(context).storefront.query<{ products: { nodes: Product[] } }>(PRODUCTS);
  return { products: products.nodes };
}

export default function Home({ loaderData: { products } }: Route.ComponentProps) {
  return (
    <>
      <h1>Shop</h1>
      <ul>
        {products.map(({ id, title, variants: { nodes: [variant] } }) => (
          <li key={id}>
            {title} {variant && inWords(variant.price)}
            {variant && (
              <CartForm
                route="/cart"
                action={CartForm.ACTIONS.LinesAdd}
                inputs={{ lines: [{ merchandiseId: variant.id, quantity: 1 }] }}
              >
                <button aria-label={`Add ${title} to the cart`}>Add to cart</button>
              </CartForm>
            )}
          </li>
        ))}
      </ul>
    </>
  );
}
