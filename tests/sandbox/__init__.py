"""The sandbox against the contract it stands for, by raw HTTP."""
