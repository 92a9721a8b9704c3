"""Pure rules: tickets, money, orders, payments, manifests. Standard library only; nothing here does input or output."""
