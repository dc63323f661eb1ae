"""Points for what happened at other retailers: each purchase and each link is paid once."""
