"""Create, converge, restore and destroy machines: plan the steps, then run them."""
