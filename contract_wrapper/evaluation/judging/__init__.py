"""How outcomes are judged and read: the objectives of a principal, margins of any problem, values of a file."""
