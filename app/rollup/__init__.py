"""The heart: what the numbers mean (pure), how they are kept (ledger), read and audited."""
