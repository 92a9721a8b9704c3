"""Content that is named by its own hash: manifests of batches and metadata of tickets, in a folder or on IPFS."""
