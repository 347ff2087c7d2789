"""The problem catalogue: one folder per problem, with its reference and naive seed kernels."""
