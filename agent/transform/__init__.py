"""The embedded proposer's engine: source-to-source rules on a C++ syntax tree."""
