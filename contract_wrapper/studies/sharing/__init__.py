"""A study that several workers share: where it is kept, who evaluates which trial, and who is still alive."""
