"""Model adapters: the contract, and what adapters of transformers models share."""
