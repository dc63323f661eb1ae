import { index, route, type RouteConfig } from "@react-router/dev/routes";

export default [
  index("routes/home.tsx"),
  route("cart", "routes/cart.tsx"),
  route("account/login", "routes/login.tsx"),
  route("account/logout", "routes/logout.ts"),
  route("account/loyalty", "routes/loyalty.tsx"),
  route("account/loyalty/rewards", "routes/rewards.tsx"),
  route("account/loyalty/ticket", "routes/ticket.ts"),
] satisfies RouteConfig;
